// SPDX-License-Identifier: Apache-2.0
// What has come on a stream and nobody has taken: items (a batch, an event), each of one or more
// units (messages), taken whole or unit by unit. Bounded in bytes by not reading on. Its owner's
// lock guards it.
//
// A unit is `One(std::shared_ptr<const Item>, std::size_t index)`; Units(item) tells how many an
// item has.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "question_line.h"
#include "sluice/status.h"
#include "stream_call.h"

namespace sluice {
inline namespace abi1 {

template <class Item, class One>
class Inbox {
 public:
  using Line = QuestionLine<Result<One>>;
  // Claimed under the lock, to be answered without it.
  using Answer = std::pair<typename Line::Item, Result<One>>;

  explicit Inbox(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  StreamCall::Reading Add(Item&& item, std::size_t bytes) {
    items_.push_back({std::move(item), bytes});
    bytes_ += bytes;
    is_paused_ = bytes_ >= bytes_max_;
    return is_paused_ ? StreamCall::Reading::kPause : StreamCall::Reading::kContinue;
  }

  bool has_item() const { return !items_.empty(); }
  std::size_t bytes() const { return bytes_; }

  // Requires: has_item().
  Item TakeItem() {
    Item item = std::move(items_.front().item);
    bytes_ -= items_.front().bytes;
    items_.pop_front();
    return item;
  }

  // Whether the reading that Add paused may go on; tells it once.
  bool Resumes() {
    if (!is_paused_ || bytes_ >= bytes_max_) return false;
    is_paused_ = false;
    return true;
  }

  // Everything that was not taken; units.
  std::size_t Drop() {
    std::size_t units = opened_ == nullptr ? 0 : Units(*opened_) - next_unit_;
    for (const Entry& entry : items_) units += Units(entry.item);
    opened_.reset();
    items_.clear();
    bytes_ = 0;
    is_paused_ = false;
    return units;
  }

  void Ask(typename Line::Item question) { line_.Add(std::move(question)); }
  void Forget(const Question<Result<One>>& question) { line_.Remove(question); }

  // For the first that still asks: a unit, if there is one, or else `over`. Nothing: there is
  // neither, or nobody asks.
  std::optional<Answer> Match(const std::optional<Status>& over) {
    if (!has_unit() && !over) return std::nullopt;
    typename Line::Item question = line_.ClaimFirst();
    if (question == nullptr) return std::nullopt;
    if (has_unit()) return Answer(std::move(question), TakeUnit());
    return Answer(std::move(question), *over);
  }

 private:
  struct Entry {
    Item item;
    std::size_t bytes = 0;
  };

  bool has_unit() const { return opened_ != nullptr || has_item(); }
  One TakeUnit() {
    if (opened_ == nullptr) {
      opened_ = std::make_shared<const Item>(TakeItem());
      next_unit_ = 0;
    }
    One one(opened_, next_unit_);
    if (++next_unit_ == Units(*opened_)) opened_.reset();
    return one;
  }

  const std::size_t bytes_max_;
  std::deque<Entry> items_;
  std::size_t bytes_ = 0;
  bool is_paused_ = false;
  std::shared_ptr<const Item> opened_;  // Taken unit by unit; null: none is.
  std::size_t next_unit_ = 0;
  Line line_;
};

}  // namespace abi1
}  // namespace sluice
