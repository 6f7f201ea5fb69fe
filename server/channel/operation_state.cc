// SPDX-License-Identifier: Apache-2.0
#include "channel/operation_state.h"

namespace sluice::channel {

// Stands on the stack of the thread that waits; set once.
class OperationState::Event {
 public:
  void Set() noexcept {
    // Notified under the lock, so that the waiting thread cannot leave, and the event with it, in
    // between.
    MutexLock lock(mutex_);
    is_set_ = true;
    condition_.NotifyOne();
  }
  bool Wait(TimePoint deadline) noexcept {
    MutexLock lock(mutex_);
    while (!is_set_) {
      if (deadline == kNever) {
        condition_.Wait(mutex_);
      } else if (!condition_.WaitUntil(mutex_, deadline)) {
        return is_set_;
      }
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar condition_;
  bool is_set_ GUARDED_BY(mutex_) = false;
};

OperationState::Event OperationState::finished_mark;

void OperationState::Finish() noexcept {
  // Release: what the completion did happens before AwaitFinished() returns. Acquire: the event of
  // who waits is seen complete.
  Event* waiting = finished_.exchange(&finished_mark, std::memory_order_acq_rel);
  if (waiting != nullptr && waiting != &finished_mark) waiting->Set();
}

bool OperationState::is_finished() const noexcept {
  // Acquire: pairs with Finish().
  return finished_.load(std::memory_order_acquire) == &finished_mark;
}

bool OperationState::AwaitFinished(TimePoint deadline) noexcept {
  Event event;
  Event* expected = nullptr;
  if (!finished_.compare_exchange_strong(expected, &event, std::memory_order_acq_rel)) return true;
  if (event.Wait(deadline)) return true;
  expected = &event;
  if (finished_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel)) return false;
  return event.Wait(kNever);  // finished in this moment: Set() is about to come
}

}  // namespace sluice::channel
