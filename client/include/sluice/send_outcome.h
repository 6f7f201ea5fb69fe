// SPDX-License-Identifier: Apache-2.0
/// What became of messages that were sent or published.
#pragma once

#include <cstdint>

#include "sluice/outcome.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

/// Of `count` messages from `first_sequence` on. True when they were accepted.
struct SendOutcome {
  // With a constructor: g++ 12 destroys aggregates twice in a co_await expression.
  SendOutcome() {}

  bool ok() const { return outcome == Outcome::kOk; }
  explicit operator bool() const { return ok(); }

  std::uint64_t first_sequence = 0;
  std::uint32_t count = 0;
  Outcome outcome = Outcome::kUnspecified;
  std::uint64_t first_position = 0;  ///< With OK, unless a duplicate.
  Durability durability = Durability::kUnspecified;
  bool duplicate = false;  ///< An earlier send had this outcome; nothing was done now.
  ClosedReason reason = ClosedReason::kUnspecified;  ///< With CLOSED.
  std::uint32_t delivered_to = 0;  ///< Topics, with OK: subscribers it was offered to.
  FullReason full_reason = FullReason::kUnspecified;  ///< With FULL and TIMED_OUT.
  /// Why, when it was this end that gave the outcome: UNKNOWN and CLOSED of a stream that ended,
  /// FULL (PENDING_FULL), TIMED_OUT (DEADLINE). OK otherwise.
  Status status;
};

}  // namespace abi1
}  // namespace sluice
