// SPDX-License-Identifier: Apache-2.0
// The bound on going down: a drain that is asked for a second time is cut short, and one that does
// not end all the same is ended with the process.
//
// A signal    makes Pause return true from then on, and leaves kLastWords for the rest.
// Another     or the bound passed: one sentence, and the process ends at once with exit code 3.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"

namespace sluice {

class LastResort {
 public:
  static constexpr int kExitCode = 3;
  // After the second signal.
  static constexpr std::chrono::milliseconds kLastWords{5'000};

  // `signals`, SIGTERM among them, are blocked in every thread, and taken by nobody else while this
  // lives.
  LastResort(const sigset_t& signals, std::chrono::milliseconds bound, const Clock& clock);
  ~LastResort();  // the drain has ended
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

  // Waits; true: it was asked again, and nothing is waited for any more.
  bool Pause(std::chrono::milliseconds time);

 private:
  void Watch();
  bool is_impatient();

  const Clock& clock_;
  const sigset_t signals_;
  std::atomic<bool> has_ended_ = false;
  TimePoint deadline_;  // the thread's alone
  Mutex mutex_;
  CondVar asked_again_;
  bool is_impatient_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace sluice
