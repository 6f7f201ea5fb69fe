// SPDX-License-Identifier: Apache-2.0
// What a responder is declared as.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "broker/difference.h"
#include "broker/limits.h"

namespace sluice::broker {

struct ResponderSpec {
  std::uint64_t capacity = 0;           // calls queued; 0: the default
  std::uint64_t bytes_max = 0;          // retained, in flight included; 0: the default
  std::uint32_t message_bytes_max = 0;  // 0: the default; lowered to what bytes_max can hold

  friend bool operator==(const ResponderSpec&, const ResponderSpec&) = default;
};

// The spec with its defaults filled in and its bounds checked: INVALID_ARGUMENT names the field,
// the limit and the value.
Result<ResponderSpec> Effective(ResponderSpec spec, const Limits& limits);

// N5. Both are effective.
std::optional<Difference> FirstDifference(const ResponderSpec& existing,
                                          const ResponderSpec& asked);

}  // namespace sluice::broker
