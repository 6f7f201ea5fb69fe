// SPDX-License-Identifier: Apache-2.0
// What the processes of a benchmark tell run.py: lines on stdout. The clock is the machine's
// monotonic one, the same for all processes, so that a run is timed from the producer's first to
// the consumer's last act.
#pragma once

#include <cstdint>

#include "tests/bench/e2e/checked_payload.h"

namespace sluice::bench {

std::uint64_t NowNs();

// "ready": this end is attached.
void SayReady();
// One JSON object: when it began and ended, and the CPU this process took.
void SayProduced(std::uint64_t began_ns, std::uint64_t ended_ns, std::uint64_t refused);
void SayConsumed(std::uint64_t ended_ns, const PayloadAccount& account);

}  // namespace sluice::bench
