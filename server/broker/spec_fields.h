// SPDX-License-Identifier: Apache-2.0
// What the specs of several kinds of channel have in common: the defaults and bounds of their
// fields. Each Fill replaces what was left out by its default. INVALID_ARGUMENT names the field,
// the limit and the value.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "broker/limits.h"
#include "broker/outcome.h"

namespace sluice::broker {

// What keeps a channel open (N1).
enum class Lifetime : std::uint8_t {
  kUnspecified = 0,
  kStanding,  // ends by Close or Delete only
  kTied,      // ends with its last producer; armed by the first
};

Status FillCapacity(std::uint64_t& capacity, const Limits& limits);
// The message limit is lowered to what the byte budget can hold (N14).
Status FillBytes(std::uint64_t& bytes_max, std::uint32_t& message_bytes_max, const Limits& limits);
Status FillLifetime(Lifetime& lifetime);
// FAILED_PRECONDITION, reason DURABILITY_UNAVAILABLE, for a level that cannot be kept.
Status FillDurability(Durability& durability);

}  // namespace sluice::broker
