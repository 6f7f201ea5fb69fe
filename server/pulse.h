// SPDX-License-Identifier: Apache-2.0
// The daemon looks after itself: in rounds it asks every worker to show that it runs, and itself
// for an answer over the network, judges what came back, and feeds the supervisor's watchdog while
// it is alive.
//
// A round lasts one period. What has not answered at its end is a fault of it. A round that took
// twice as long was not watched: this process was suspended, or had no processor; it is void.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "liveness.h"

namespace sluice {

// What is asked, and who is fed. Called by the pulse's thread, but for cancel_check.
struct PulseParts {
  Duration period{0};
  std::uint32_t workers = 0;
  // Has every worker call `answer` with its number, by its own thread.
  std::function<void(std::function<void(std::uint32_t worker)> answer)> ask_workers;
  // Blocks until `deadline` at most. RESOURCE_EXHAUSTED: it could not be asked. None: not asked.
  std::function<Status(TimePoint deadline)> check;
  std::function<void()> cancel_check;  // ends a check under way
  std::function<void()> feed;          // the watchdog; none: there is none
};

class Pulse {
 public:
  // `clock` and `liveness` outlive it.
  Pulse(PulseParts parts, const Clock& clock, Liveness& liveness);
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  // Rounds by a thread of its own, from now on.
  void Start();
  void Stop();
  // One round, by the caller; blocks for the period. For the thread, and for tests without one.
  void Round();

 private:
  class Answers;
  // What is wrong; empty: nothing.
  std::string FaultOf(const Status& checked, const Answers& answers) const;
  void WaitUntil(TimePoint when);

  const PulseParts parts_;
  const Clock& clock_;
  Liveness& liveness_;
  std::thread thread_;
  Mutex mutex_;
  CondVar stopped_;
  bool is_stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace sluice
