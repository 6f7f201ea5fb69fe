// SPDX-License-Identifier: Apache-2.0
#include "signals.h"

#include <poll.h>

#include <atomic>
#include <csignal>

namespace sluice::cli {
namespace {

std::atomic<int> caught{0};
static_assert(std::atomic<int>::is_always_lock_free);

void Catch(int) { ++caught; }

}  // namespace

void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = Catch;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int SignalsCaught() { return caught; }

int WaitForSignal(int seen) {
  // A signal interrupts it. One that comes between the look and the wait is seen after the wait.
  if (caught <= seen) (void)poll(nullptr, 0, static_cast<int>(kSignalPoll.count()));
  return caught;
}

}  // namespace sluice::cli
