// SPDX-License-Identifier: Apache-2.0
// Questions that wait for something to come, in their order. Its owner's lock guards it.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "sluice/operation.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

template <class Outcome>
class QuestionLine {
 public:
  using Item = std::shared_ptr<Question<Outcome>>;

  void Add(Item question) { line_.push_back(std::move(question)); }

  void Remove(const Question<Outcome>& question) {
    for (auto at = line_.begin(); at != line_.end(); ++at) {
      if (at->get() != &question) continue;
      line_.erase(at);
      return;
    }
  }

  // The first that somebody still waits for: to be answered, without the lock. Null: none.
  Item ClaimFirst() {
    while (!line_.empty()) {
      Item first = std::move(line_.front());
      line_.pop_front();
      if (first->Claim()) return first;
    }
    return nullptr;
  }

 private:
  std::deque<Item> line_;
};

// A question for the next thing of a source: Source::Wait(question) has it answered, now or later;
// Source::Forget(question) takes it out of the line.
template <class Source, class T>
class NextQuestion final : public Question<Result<T>>,
                           public std::enable_shared_from_this<NextQuestion<Source, T>> {
 public:
  explicit NextQuestion(std::shared_ptr<Source> source) : source_(std::move(source)) {}

 private:
  void Ask() override { source_->Wait(this->shared_from_this()); }
  void Withdraw() override { source_->Forget(*this); }
  Result<T> Failed(Status why) override { return why; }
  bool IsAnsweringThread() const override { return source_->IsOwnThread(); }

  const std::shared_ptr<Source> source_;
};

template <class T, class Source>
Operation<Result<T>> AskNext(std::shared_ptr<Source> source) {
  return Operation<Result<T>>(std::make_shared<NextQuestion<Source, T>>(std::move(source)));
}

}  // namespace abi1
}  // namespace sluice
