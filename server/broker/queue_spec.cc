// SPDX-License-Identifier: Apache-2.0
#include "broker/queue_spec.h"

namespace sluice::broker {

Result<QueueSpec> Effective(QueueSpec spec, const Limits& limits) {
  if (Status status = FillCapacity(spec.capacity, limits); !status.ok()) return status;
  if (Status status = FillBytes(spec.bytes_max, spec.message_bytes_max, limits); !status.ok()) {
    return status;
  }
  if (spec.max_in_flight == 0) spec.max_in_flight = limits.max_in_flight;
  if (spec.max_in_flight > kMaxInFlightMax) {
    return OutOfBounds("spec.max_in_flight", "the most", kMaxInFlightMax, spec.max_in_flight);
  }
  if (Status status = FillLifetime(spec.lifetime); !status.ok()) return status;
  if (Status status = FillDurability(spec.durability); !status.ok()) return status;
  return spec;
}

std::optional<Difference> FirstDifference(const QueueSpec& existing, const QueueSpec& asked) {
  return Comparison()
      .Field("spec.capacity", existing.capacity, asked.capacity)
      .Field("spec.bytes_max", existing.bytes_max, asked.bytes_max)
      .Field("spec.message_bytes_max", existing.message_bytes_max, asked.message_bytes_max)
      .Field("spec.max_in_flight", existing.max_in_flight, asked.max_in_flight)
      .Field("spec.lifetime", existing.lifetime, asked.lifetime)
      .Field("spec.close_on_consumer_loss", existing.close_on_consumer_loss,
             asked.close_on_consumer_loss)
      .Field("spec.shared", existing.shared, asked.shared)
      .Field("spec.durability", existing.durability, asked.durability)
      .first();
}

}  // namespace sluice::broker
