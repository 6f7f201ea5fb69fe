// SPDX-License-Identifier: Apache-2.0
// Holds the scanner, its reference and the generated SendStreamRequest against each other on one
// frame.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/frame_scanner.h"

namespace sluice::wire {

// What was seen so far: a run that never met a class proves nothing about it.
struct Tally {
  static constexpr std::size_t kKinds = 8;
  std::uint64_t accepted = 0;
  std::uint64_t accepted_with_messages = 0;
  std::array<std::uint64_t, kKinds> refused{};  // By ScanError::Kind.
  std::uint64_t refused_though_parsed = 0;
  // Accepted by the scanner, and the generated class refused the fields beside the messages.
  std::uint64_t refused_by_other = 0;
};

// Success if, for this frame:
//   - scanner and reference say the same;
//   - a frame that is accepted (by the scanner, and its other fields by the generated class) is
//     parsed as a whole by the generated class, with the same messages and the same other fields,
//     and each record alone is parsed to the same message;
//   - a frame that the generated class refuses is refused;
//   - a frame that is refused although the generated class parses it is of a documented class:
//     groups, wrong wire types, field numbers and varints out of range, and limits.
[[nodiscard]] ::testing::AssertionResult AllAgree(std::string_view frame, const ScanLimits& limits,
                                                  Tally& tally);

}  // namespace sluice::wire
