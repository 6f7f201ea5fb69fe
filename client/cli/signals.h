// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM, for verbs that go on until they are told to stop: they look every
// kSignalPoll.
#pragma once

#include <chrono>

namespace sluice::cli {

inline constexpr std::chrono::milliseconds kSignalPoll{100};

// From now on the two are counted, and do not end the process.
void CatchSignals();
int SignalsCaught();
// Waits until one more comes than `seen`, at most kSignalPoll: how many have come.
int WaitForSignal(int seen);

}  // namespace sluice::cli
