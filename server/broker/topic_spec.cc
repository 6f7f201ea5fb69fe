// SPDX-License-Identifier: Apache-2.0
#include "broker/topic_spec.h"

#include <bit>

namespace sluice::broker {
namespace {

Status FillPolicy(TopicSpec& spec) {
  if (spec.policy == SlowPolicy::kUnspecified) spec.policy = SlowPolicy::kLag;
  switch (spec.policy) {
    case SlowPolicy::kBlock:
      if (spec.block_ms == 0) spec.block_ms = kBlockMsDefault;
      if (spec.block_ms <= kBlockMsMax) return Status();
      return OutOfBounds("spec.block_ms", "the most", kBlockMsMax, spec.block_ms);
    case SlowPolicy::kLag:
    case SlowPolicy::kDisconnect:
      if (spec.block_ms == 0) return Status();
      return InvalidField("spec.block_ms", "it is of the policy BLOCK alone");
    default:
      return InvalidField("spec.policy", "not a policy");
  }
}

Status FillResumeWindow(TopicSpec& spec) {
  if (!spec.resume_window_ms.has_value()) spec.resume_window_ms = kResumeWindowMsDefault;
  if (*spec.resume_window_ms <= kResumeWindowMsMax) return Status();
  return OutOfBounds("spec.resume_window_ms", "the most", kResumeWindowMsMax,
                     *spec.resume_window_ms);
}

}  // namespace

Result<TopicSpec> Effective(TopicSpec spec, const Limits& limits) {
  if (Status status = FillCapacity(spec.capacity, limits); !status.ok()) return status;
  spec.capacity = std::bit_ceil(spec.capacity);
  if (Status status = FillBytes(spec.bytes_max, spec.message_bytes_max, limits); !status.ok()) {
    return status;
  }
  if (Status status = FillPolicy(spec); !status.ok()) return status;
  if (Status status = FillResumeWindow(spec); !status.ok()) return status;
  if (Status status = FillLifetime(spec.lifetime); !status.ok()) return status;
  if (Status status = FillDurability(spec.durability); !status.ok()) return status;
  return spec;
}

std::optional<Difference> FirstDifference(const TopicSpec& existing, const TopicSpec& asked) {
  return Comparison()
      .Field("spec.capacity", existing.capacity, asked.capacity)
      .Field("spec.bytes_max", existing.bytes_max, asked.bytes_max)
      .Field("spec.message_bytes_max", existing.message_bytes_max, asked.message_bytes_max)
      .Field("spec.policy", existing.policy, asked.policy)
      .Field("spec.block_ms", existing.block_ms, asked.block_ms)
      .Field("spec.resume_window_ms", existing.resume_window_ms.value_or(0),
             asked.resume_window_ms.value_or(0))
      .Field("spec.lifetime", existing.lifetime, asked.lifetime)
      .Field("spec.durability", existing.durability, asked.durability)
      .first();
}

}  // namespace sluice::broker
