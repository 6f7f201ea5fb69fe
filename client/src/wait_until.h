// SPDX-License-Identifier: Apache-2.0
// Waiting for a condition until one of our deadlines.
#pragma once

#include <condition_variable>
#include <mutex>

#include "sluice/deadline.h"

namespace sluice {
inline namespace abi1 {

// False: the deadline passed, and the condition does not hold.
template <class Predicate>
bool WaitUntil(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
               const Deadline& deadline, Predicate holds) {
  if (!deadline.is_never()) return changed.wait_until(lock, deadline.at(), holds);
  changed.wait(lock, holds);
  return true;
}

// Between attempts, where nothing can be waited for but the time.
inline void Pause(const Deadline& until) {
  std::mutex mutex;
  std::condition_variable nothing;
  std::unique_lock lock(mutex);
  (void)WaitUntil(nothing, lock, until, [&until] { return until.has_passed(); });
}

}  // namespace abi1
}  // namespace sluice
