// SPDX-License-Identifier: Apache-2.0
// What a queue is declared as.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "broker/difference.h"
#include "broker/limits.h"
#include "broker/outcome.h"
#include "broker/spec_fields.h"

namespace sluice::broker {

struct QueueSpec {
  std::uint64_t capacity = 0;           // messages queued; 0: the default
  std::uint64_t bytes_max = 0;          // retained, in flight included; 0: the default
  std::uint32_t message_bytes_max = 0;  // 0: the default; lowered to what bytes_max can hold
  std::uint32_t max_in_flight = 0;      // delivered and not settled, all consumers; 0: the default
  Lifetime lifetime = Lifetime::kUnspecified;
  bool close_on_consumer_loss = false;  // a consumer's loss without `finish` deletes the queue (N2)
  bool shared = false;                  // several consumers compete; order is weaker
  Durability durability = Durability::kUnspecified;

  friend bool operator==(const QueueSpec&, const QueueSpec&) = default;
};

// The spec with its defaults filled in and its bounds checked: INVALID_ARGUMENT names the field,
// the limit and the value; FAILED_PRECONDITION, reason DURABILITY_UNAVAILABLE, for a level that
// cannot be kept.
Result<QueueSpec> Effective(QueueSpec spec, const Limits& limits);

// N5. Both are effective.
std::optional<Difference> FirstDifference(const QueueSpec& existing, const QueueSpec& asked);

}  // namespace sluice::broker
