// SPDX-License-Identifier: Apache-2.0
// Payloads that prove what became of them: whose they are, which one, when it was meant to be sent,
// filler that follows from it, and a checksum over all, also over the order of the bytes.
//
//   8 bytes each, as the machine has them: run, producer, sequence, intended_ns; filler; checksum
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::bench {

struct PayloadHead {
  std::uint64_t run = 0;       // Drawn for each run: a message of another one is told apart.
  std::uint64_t producer = 0;  // From 0.
  std::uint64_t sequence = 0;  // Of the producer, from 0.
  std::uint64_t intended_ns = 0;

  bool operator==(const PayloadHead&) const = default;
};

inline constexpr std::size_t kPayloadBytesMin = sizeof(PayloadHead) + sizeof(std::uint64_t);

// Requires: at least kPayloadBytesMin.
void FillPayload(const PayloadHead& head, std::span<char> payload);
// Nothing: it is not as it was filled.
std::optional<PayloadHead> ReadPayload(std::string_view payload);

}  // namespace sluice::bench
