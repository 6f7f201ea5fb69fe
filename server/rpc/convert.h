// SPDX-License-Identifier: Apache-2.0
// Between the wire's generated classes and the broker's plain structs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "broker/consumer.h"
#include "broker/delivery.h"
#include "broker/producer.h"
#include "broker/queue_spec.h"
#include "broker/queue_stats.h"
#include "sluice/v1/queue.pb.h"

namespace sluice::rpc {

// Of enums that the broker has as the wire has them.
template <class A, class B>
constexpr bool SameNumber(A ours, B wires) {
  return static_cast<int>(ours) == static_cast<int>(wires);
}
// INVALID_ARGUMENT: an enum value that this version does not know.
Status UnknownValue(std::string_view field, int value);

// INVALID_ARGUMENT for an enum value that this version does not know.
Result<broker::QueueSpec> FromWire(const v1::QueueSpec& spec);
// Absent: none.
Result<std::optional<broker::QueueSpec>> SpecOf(bool is_present, const v1::QueueSpec& spec);
v1::QueueDescription ToWire(const broker::QueueStats& stats);

// Names the field, the limit and the value; count >= 1, an action, a lease (unless
// `has_own_lease`), times within kLeaseMax.
Result<std::vector<broker::Settlement>> FromWire(
    const google::protobuf::RepeatedPtrField<v1::Settlement>& settlements, bool has_own_lease);
v1::SettleResult ToWire(const broker::SettleResult& result);

v1::Outcome ToWire(broker::Outcome outcome);
v1::ClosedReason ToWire(broker::ClosedReason reason);
v1::Ack ToWire(const broker::Ack& ack);
// Field 3 of every frame that tells outcomes, and field 2 of every frame that delivers.
void AppendAcks(const std::vector<broker::Ack>& acks, std::string& frame);
void AppendRuns(const broker::Delivery& delivery, std::string& frame);

Result<broker::SendMode> ModeOf(v1::SendMode mode);
// Empty, or exactly `size` bytes.
Status CheckId(std::string_view field, const std::string& id, std::uint32_t size);
// At most kLeaseMax.
Result<Duration> TimeOf(std::string_view field, std::uint32_t ms);
// When a wait of `wait_ms` from `now` is over; 0: never.
TimePoint WaitUntil(TimePoint now, std::uint32_t wait_ms);
broker::Credit CreditOf(const v1::Credit& credit);

}  // namespace sluice::rpc
