// SPDX-License-Identifier: Apache-2.0
// What the processes of a benchmark tell run.py: lines on stdout. The clock is the machine's
// monotonic one, the same for all processes, so that a run is timed from the producer's first to
// the consumer's last act.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "client/cli/bench/account.h"
#include "client/cli/bench/pace.h"

namespace sluice::bench {

// One producer, one consumer, one run: the sequence is all that tells payloads apart.
inline constexpr std::size_t kPayloadBytes = 128;
using Payload = std::array<char, kPayloadBytes>;

inline void FillPayload(std::uint64_t sequence, Payload& payload) {
  FillPayload(PayloadHead{0, 0, sequence, 0}, payload);
}

// "ready": this end is attached.
void SayReady();
// One JSON object: when it began and ended, and the CPU this process took.
void SayProduced(std::uint64_t began_ns, std::uint64_t ended_ns, std::uint64_t refused);
void SayConsumed(std::uint64_t ended_ns, std::uint64_t expected, const Account& account);

}  // namespace sluice::bench
