// SPDX-License-Identifier: Apache-2.0
// A started operation that has not completed yet, as a channel sees it: a node in a line, and a
// function to run when its turn has come. Nothing is allocated to wait.
//
// Completing   happens at the cause (D1): whoever frees a slot, sends a value or closes the channel
//              writes the outcome into the waiter under the channel's lock, moves it into a
//              WaiterList of its own, unlocks, and hands the list to Complete(). Callbacks,
//              coroutines and destructors of values therefore never run under a lock (G6).
// Nesting      a completion that completes others does not recurse: the inner ones are put behind,
//              and the stack stays flat however long the chain (P38).
#pragma once

#include "base/intrusive_list.h"

namespace sluice::channel {

class Waiter : public ListNode {
 public:
  using Function = void (*)(Waiter&) noexcept;

 protected:
  explicit Waiter(Function complete) noexcept : complete_(complete) {}
  ~Waiter() = default;

 private:
  friend void Complete(IntrusiveList<Waiter>& ready) noexcept;
  Function complete_;
};

using WaiterList = IntrusiveList<Waiter>;

// Runs the completion of every waiter in `ready`, in order. Requires: no lock is held. A waiter may
// destroy itself in its completion, if it calls Forget() first.
void Complete(WaiterList& ready) noexcept;

// For a waiter that goes away after it was put into a ready list: if its completion is this
// thread's own, queued behind the one that runs now or running now, it is forgotten and will not be
// touched again. False: it is another thread's, or has run.
bool Forget(Waiter& waiter) noexcept;

// Whether the completion of `waiter` is the one running on this thread, and was not forgotten.
bool IsCompleting(const Waiter& waiter) noexcept;

}  // namespace sluice::channel
