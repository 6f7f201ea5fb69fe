// SPDX-License-Identifier: Apache-2.0
// A stream whose user takes what comes: whole items by Next, or units by Recv (inbox.h).
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "inbox.h"
#include "persistent_stream.h"
#include "sluice/received.h"
#include "stream_status.h"

namespace sluice {
inline namespace abi1 {

template <class Item, class One>
class TakingStream : public PersistentStream {
 public:
  NextOutcome Next(Item& item, Deadline deadline) {
    bool resumes = false;
    {
      std::unique_lock lock(mutex_);
      (void)Await(lock, deadline, "nothing came", [this] { return ready_.has_item(); });
      if (!ready_.has_item()) return end_ ? NextOutcome::kEnded : NextOutcome::kTimedOut;
      spare_ = std::move(item);
      item = ready_.TakeItem();
      resumes = ready_.Resumes();
    }
    if (resumes) ResumeReading();
    return NextOutcome::kGiven;
  }

  Operation<Result<One>> Recv() {
    return AskNext<One>(std::static_pointer_cast<TakingStream>(shared_from_this()));
  }

  // Of a question for the next unit.
  void Wait(std::shared_ptr<Question<Result<One>>> question) {
    {
      std::lock_guard lock(mutex_);
      ready_.Ask(std::move(question));
    }
    Serve();
  }
  void Forget(const Question<Result<One>>& question) {
    std::lock_guard lock(mutex_);
    ready_.Forget(question);
  }

 protected:
  using Ready = Inbox<Item, One>;

  TakingStream(std::shared_ptr<Transport> transport, Settings settings,
               std::size_t buffered_bytes_max)
      : PersistentStream(std::move(transport), std::move(settings)), ready_(buffered_bytes_max) {}
  ~TakingStream() = default;

  // Something has come; whether to read on. Without the lock.
  Reading Give(Item&& item, std::size_t bytes) {
    Reading reading = Reading::kContinue;
    {
      std::lock_guard lock(mutex_);
      reading = ready_.Add(std::move(item), bytes);
      changed_.notify_all();
    }
    Serve();
    return reading;
  }

  void OnEnding(const StreamEnd& /*end*/) override {}
  void OnEnded() override { Serve(); }

  // Answers those who ask, one after the other: each may give up what others ask.
  void Serve() {
    for (;;) {
      std::optional<typename Ready::Answer> answer;
      bool resumes = false;
      {
        std::lock_guard lock(mutex_);
        answer = ready_.Match(end_ ? std::optional(EndedStatus(*end_)) : std::nullopt);
        resumes = ready_.Resumes();
      }
      if (resumes) ResumeReading();
      if (!answer) return;
      answer->first->Answer(std::move(answer->second));
    }
  }

  // Guarded by mutex_:
  Ready ready_;
  Item spare_;  // One that was given back, for its memory.
};

}  // namespace abi1
}  // namespace sluice
