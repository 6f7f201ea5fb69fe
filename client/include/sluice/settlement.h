// SPDX-License-Identifier: Apache-2.0
/// What is done with messages held under a lease, and what became of it.
#pragma once

#include <chrono>
#include <cstdint>

#include "sluice/message.h"
#include "sluice/outcome.h"

namespace sluice {
inline namespace abi1 {

enum class SettleAction : std::uint8_t {
  kAck = 1,      ///< Done with.
  kNack = 2,     ///< Failed: back to its place after `delay`, with a failure counted.
  kRelease = 3,  ///< Not begun: back to its place at once, and no failure.
  kExtend = 4,   ///< Still at it: the lease runs `lease_time` from now.
};

struct Settlement {
  PositionRange positions;
  SettleAction action = SettleAction::kAck;
  std::chrono::milliseconds delay{0};       ///< Nack only.
  std::chrono::milliseconds lease_time{0};  ///< Extend only; 0: 30 s.
  std::uint64_t lease = 0;                  ///< Unary Settle: that of the ReceiveReply.
};

/// settled + not_held + expired = the count of the settlement, but for UNKNOWN.
struct SettleResult {
  std::uint64_t first_position = 0;
  std::uint32_t settled = 0;
  std::uint32_t not_held = 0;  ///< Not under the lease: nothing changed for them.
  std::uint32_t expired = 0;   ///< The lease had run out: they went back.
  /// OK; STALE if any was not settled; UNKNOWN: the stream was lost before the answer.
  Outcome outcome = Outcome::kUnspecified;
};

}  // namespace abi1
}  // namespace sluice
