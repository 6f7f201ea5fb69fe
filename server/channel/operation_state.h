// SPDX-License-Identifier: Apache-2.0
// The life of one operation, whatever it waits for: in which phase it is, and how a thread waits
// until its completion has run.
//
//   phase      left by             to          then
//   kNew       Start, Wait         kWaiting    the channel decides it at once, or links it
//              Cancel, End         kEnded      a later start tells why
//   kWaiting   Decide, End         kDecided    its completion runs, and finishes it
//              Decide              kJudging    (a request that judges) the judge is asked
//              Cancel              kEnded      finished: nobody is told
//   kJudging   accepted            kDecided    as above
//              rejected            kWaiting    as after a start
//              Cancel, End         kEnded      after the judge: finished, or told why
//
// The phase is guarded by the channel's mutex; `finished` is the hand-shake after it, by an atomic.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"
#include "channel/outcome.h"
#include "channel/waiter.h"

namespace sluice::channel {

class OperationState : public Waiter {
 public:
  // For the channel, under its lock, once what the outcome needs is written: takes the operation,
  // which has left its line, to the end of `ready`. The caller unlocks and calls Complete(ready).
  void Decide(WaiterList& ready) noexcept {
    phase_ = decided_;
    ready.PushBack(*this);
  }

 protected:
  enum class Phase : std::uint8_t { kNew, kWaiting, kJudging, kDecided, kEnded };

  // What an Operation tells the request it is built over.
  struct Face {
    Function complete;
    Phase decided;  // kJudging for a request that judges, else kDecided
  };

  explicit OperationState(Face face) noexcept : Waiter(face.complete), decided_(face.decided) {}
  ~OperationState() = default;

  // The completion has run, or never will: whoever waits for that goes on. The last thing that
  // touches the operation from the completing thread.
  void Finish() noexcept;
  bool is_finished() const noexcept;
  // Blocks this thread until Finish(), or the deadline: false. One thread at a time.
  bool AwaitFinished(TimePoint deadline) noexcept;

  Phase phase_ = Phase::kNew;

 private:
  class Event;
  static Event finished_mark;

  const Phase decided_;
  std::atomic<Event*> finished_{nullptr};  // who waits for it; or finished_mark
};

}  // namespace sluice::channel
