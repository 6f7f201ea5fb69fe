// SPDX-License-Identifier: Apache-2.0
// What one operation on a channel leaves to be done when its lock is released: who is told, whose
// notifier is let go, when the channel wants to be run next, and what the memory budget learns
// (G6).
//
// An operation makes it before it takes the lock, so that it is destroyed, and all of it done,
// after the lock is released. Threads: the operation's own.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "broker/memory_budget.h"
#include "broker/notifier.h"
#include "broker/timers.h"

namespace sluice::broker {

class After {
 public:
  After(const Clock& clock, Timers& timers, MemoryBudget& memory)
      : clock_(clock), timers_(timers), memory_(memory) {}
  ~After();
  After(const After&) = delete;
  After& operator=(const After&) = delete;

  TimePoint now();  // one instant for the whole operation
  void SetNow(TimePoint now);

  // Null is nobody. The end of a notifier may run anything, so letting go of one waits, too.
  void Tell(NotifierPtr notifier);
  void LetGo(NotifierPtr notifier);
  void RunBy(TimePoint when, std::shared_ptr<Scheduled> who);
  // The channel waits for so much memory from now on / does not wait for it any more.
  void WaitForMemory(std::shared_ptr<MemoryWaiter> who, std::uint64_t needs);
  void LeaveMemory() { has_left_memory_ = true; }

 private:
  const Clock& clock_;
  Timers& timers_;
  MemoryBudget& memory_;
  TimePoint now_{};
  bool has_now_ = false;
  std::shared_ptr<Scheduled> who_;
  TimePoint run_by_ = kNever;
  std::shared_ptr<MemoryWaiter> waits_for_memory_;
  std::uint64_t needs_memory_ = 0;
  bool has_left_memory_ = false;
  Notices told_;
  Notices let_go_;
};

}  // namespace sluice::broker
