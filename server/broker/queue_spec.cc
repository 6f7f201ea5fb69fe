// SPDX-License-Identifier: Apache-2.0
#include "broker/queue_spec.h"

#include <algorithm>
#include <string>

namespace sluice::broker {
namespace {

// A record's tag and length beside its message.
constexpr std::uint64_t kRecordFramingMax = 6;

Status DurabilityUnavailable(Durability durability) {
  const std::string name = durability == Durability::kOs ? "OS" : "DISK";
  return Status(Code::kFailedPrecondition, "DURABILITY_UNAVAILABLE",
                "durability " + name + " cannot be kept here; MEMORY can")
      .With("field", "spec.durability")
      .With("value", name);
}

}  // namespace

Result<QueueSpec> Effective(QueueSpec spec, const Limits& limits) {
  if (spec.capacity == 0) spec.capacity = limits.capacity;
  if (spec.bytes_max == 0) spec.bytes_max = limits.bytes_max;
  if (spec.max_in_flight == 0) spec.max_in_flight = limits.max_in_flight;
  if (spec.lifetime == Lifetime::kUnspecified) spec.lifetime = Lifetime::kStanding;
  if (spec.durability == Durability::kUnspecified) spec.durability = Durability::kMemory;

  if (spec.capacity > kCapacityMax) {
    return OutOfBounds("spec.capacity", "the most", kCapacityMax, spec.capacity);
  }
  if (spec.bytes_max < kBytesMaxLeast) {
    return OutOfBounds("spec.bytes_max", "the least", kBytesMaxLeast, spec.bytes_max);
  }
  if (spec.bytes_max > kBytesMaxMost) {
    return OutOfBounds("spec.bytes_max", "the most", kBytesMaxMost, spec.bytes_max);
  }
  if (spec.message_bytes_max > limits.message_bytes_max) {
    return OutOfBounds("spec.message_bytes_max", "the most", limits.message_bytes_max,
                       spec.message_bytes_max);
  }
  if (spec.max_in_flight > kMaxInFlightMax) {
    return OutOfBounds("spec.max_in_flight", "the most", kMaxInFlightMax, spec.max_in_flight);
  }
  if (spec.lifetime != Lifetime::kStanding && spec.lifetime != Lifetime::kTied) {
    return InvalidField("spec.lifetime", "not a lifetime");
  }
  if (spec.durability == Durability::kOs || spec.durability == Durability::kDisk) {
    return DurabilityUnavailable(spec.durability);
  }
  if (spec.durability != Durability::kMemory) {
    return InvalidField("spec.durability", "not a durability");
  }

  if (spec.message_bytes_max == 0) spec.message_bytes_max = limits.message_bytes_max;
  const std::uint64_t fits = spec.bytes_max - kMessageOverheadBytes - kRecordFramingMax;
  spec.message_bytes_max =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(spec.message_bytes_max, fits));
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
