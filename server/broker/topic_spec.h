// SPDX-License-Identifier: Apache-2.0
// What a topic is declared as.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "broker/difference.h"
#include "broker/limits.h"
#include "broker/outcome.h"
#include "broker/spec_fields.h"

namespace sluice::broker {

// What is done about a subscriber that does not keep up; numerically the wire's.
enum class SlowPolicy : std::uint8_t {
  kUnspecified = 0,
  kLag,         // the oldest is overwritten, and it is told how many it missed
  kBlock,       // publishing waits for it, a message at most block_ms
  kDisconnect,  // the oldest is overwritten, and it is ended
};

struct TopicSpec {
  std::uint64_t capacity = 0;           // messages retained; 0: the default; a power of two (B1)
  std::uint64_t bytes_max = 0;          // retained (B27); 0: the default
  std::uint32_t message_bytes_max = 0;  // 0: the default; lowered to what bytes_max can hold
  SlowPolicy policy = SlowPolicy::kUnspecified;
  std::uint32_t block_ms = 0;  // kBlock only; 0: the default
  // Absent: the default; 0: none (N29).
  std::optional<std::uint32_t> resume_window_ms = std::nullopt;
  Lifetime lifetime = Lifetime::kUnspecified;
  Durability durability = Durability::kUnspecified;

  friend bool operator==(const TopicSpec&, const TopicSpec&) = default;
};

// The spec with its defaults filled in, its capacity rounded and its bounds checked:
// INVALID_ARGUMENT names the field, the limit and the value; FAILED_PRECONDITION, reason
// DURABILITY_UNAVAILABLE, for a level that cannot be kept.
Result<TopicSpec> Effective(TopicSpec spec, const Limits& limits);

// N5. Both are effective.
std::optional<Difference> FirstDifference(const TopicSpec& existing, const TopicSpec& asked);

}  // namespace sluice::broker
