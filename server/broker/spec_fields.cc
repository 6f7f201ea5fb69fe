// SPDX-License-Identifier: Apache-2.0
#include "broker/spec_fields.h"

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

Status FillCapacity(std::uint64_t& capacity, const Limits& limits) {
  if (capacity == 0) capacity = limits.capacity;
  if (capacity > kCapacityMax) {
    return OutOfBounds("spec.capacity", "the most", kCapacityMax, capacity);
  }
  return Status();
}

Status FillBytes(std::uint64_t& bytes_max, std::uint32_t& message_bytes_max, const Limits& limits) {
  if (bytes_max == 0) bytes_max = limits.bytes_max;
  if (bytes_max < kBytesMaxLeast) {
    return OutOfBounds("spec.bytes_max", "the least", kBytesMaxLeast, bytes_max);
  }
  if (bytes_max > kBytesMaxMost) {
    return OutOfBounds("spec.bytes_max", "the most", kBytesMaxMost, bytes_max);
  }
  if (message_bytes_max > limits.message_bytes_max) {
    return OutOfBounds("spec.message_bytes_max", "the most", limits.message_bytes_max,
                       message_bytes_max);
  }
  if (message_bytes_max == 0) message_bytes_max = limits.message_bytes_max;
  const std::uint64_t fits = bytes_max - kMessageOverheadBytes - kRecordFramingMax;
  message_bytes_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(message_bytes_max, fits));
  return Status();
}

Status FillLifetime(Lifetime& lifetime) {
  if (lifetime == Lifetime::kUnspecified) lifetime = Lifetime::kStanding;
  if (lifetime == Lifetime::kStanding || lifetime == Lifetime::kTied) return Status();
  return InvalidField("spec.lifetime", "not a lifetime");
}

Status FillDurability(Durability& durability) {
  if (durability == Durability::kUnspecified) durability = Durability::kMemory;
  if (durability == Durability::kOs || durability == Durability::kDisk) {
    return DurabilityUnavailable(durability);
  }
  if (durability == Durability::kMemory) return Status();
  return InvalidField("spec.durability", "not a durability");
}

}  // namespace sluice::broker
