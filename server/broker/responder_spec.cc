// SPDX-License-Identifier: Apache-2.0
#include "broker/responder_spec.h"

#include <algorithm>

#include "broker/spec_fields.h"

namespace sluice::broker {

Result<ResponderSpec> Effective(ResponderSpec spec, const Limits& limits) {
  if (Status status = FillCapacity(spec.capacity, limits); !status.ok()) return status;
  const std::uint64_t asked =
      spec.message_bytes_max == 0 ? limits.message_bytes_max : spec.message_bytes_max;
  if (Status status = FillBytes(spec.bytes_max, spec.message_bytes_max, limits); !status.ok()) {
    return status;
  }
  // Stored messages have no tag and length around them: all of the budget can hold one.
  spec.message_bytes_max =
      static_cast<std::uint32_t>(std::min(asked, spec.bytes_max - kMessageOverheadBytes));
  return spec;
}

std::optional<Difference> FirstDifference(const ResponderSpec& existing,
                                          const ResponderSpec& asked) {
  return Comparison()
      .Field("spec.capacity", existing.capacity, asked.capacity)
      .Field("spec.bytes_max", existing.bytes_max, asked.bytes_max)
      .Field("spec.message_bytes_max", existing.message_bytes_max, asked.message_bytes_max)
      .first();
}

}  // namespace sluice::broker
