// SPDX-License-Identifier: Apache-2.0
#include "last_resort.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// No destructor runs: the thread that hangs may hold what they need.
[[noreturn]] void EndNow(const char* why) {
  std::fprintf(stderr, "sluiced: %s\n", why);
  _exit(LastResort::kExitCode);
}

timespec Within(Duration time) {
  const auto ns =
      std::chrono::duration_cast<nanoseconds>(std::min<Duration>(time, std::chrono::hours(1)));
  return {.tv_sec = static_cast<time_t>(ns.count() / 1'000'000'000),
          .tv_nsec = static_cast<long>(ns.count() % 1'000'000'000)};
}

}  // namespace

LastResort::LastResort(const sigset_t& signals, milliseconds bound, const Clock& clock)
    : clock_(clock),
      signals_(signals),
      deadline_(Later(clock.Now(), bound)),
      thread_([this] { Watch(); }) {}

LastResort::~LastResort() {
  has_ended_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);  // one of `signals`: it wakes Watch, no more
  thread_.join();
}

// The signals are taken as they are: it may be that no descriptor is left to take them by.
void LastResort::Watch() {
  while (!has_ended_) {
    const Duration left = deadline_ - clock_.Now();
    if (left <= Duration::zero()) EndNow("the drain does not end: it is ended with the process");
    const timespec wait = Within(left);
    if (sigtimedwait(&signals_, nullptr, &wait) < 0 || has_ended_) continue;
    if (is_impatient()) EndNow("told to end for the third time: ended without a drain");
    deadline_ = std::min(deadline_, Later(clock_.Now(), kLastWords));
    {
      MutexLock lock(mutex_);
      is_impatient_ = true;
    }
    asked_again_.NotifyAll();
  }
}

bool LastResort::is_impatient() {
  MutexLock lock(mutex_);
  return is_impatient_;
}

bool LastResort::Pause(milliseconds time) {
  const TimePoint until = Later(clock_.Now(), time);
  MutexLock lock(mutex_);
  while (!is_impatient_ && asked_again_.WaitUntil(mutex_, until)) {
  }
  return is_impatient_;
}

}  // namespace sluice
