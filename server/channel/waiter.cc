// SPDX-License-Identifier: Apache-2.0
#include "channel/waiter.h"

namespace sluice::channel {
namespace {

thread_local WaiterList* queued = nullptr;     // what this thread is completing, if it is
thread_local const Waiter* current = nullptr;  // whose completion runs, unless forgotten

}  // namespace

void Complete(WaiterList& ready) noexcept {
  if (ready.empty()) return;
  if (queued != nullptr) {
    queued->Splice(ready);
    return;
  }
  queued = &ready;
  while (Waiter* waiter = ready.PopFront()) {
    current = waiter;
    waiter->complete_(*waiter);
  }
  current = nullptr;
  queued = nullptr;
}

bool Forget(Waiter& waiter) noexcept {
  if (current == &waiter) {
    current = nullptr;
    return true;
  }
  if (queued == nullptr) return false;
  // Searched, because a link does not tell whose list it is in. Only a waiter that is destroyed
  // between its decision and its completion comes here.
  for (Waiter* item = queued->front(); item != nullptr; item = WaiterList::Next(*item)) {
    if (item != &waiter) continue;
    queued->Erase(waiter);
    return true;
  }
  return false;
}

bool IsCompleting(const Waiter& waiter) noexcept { return current == &waiter; }

}  // namespace sluice::channel
