// SPDX-License-Identifier: Apache-2.0
#include "rpc/convert.h"

#include <utility>

#include "rpc/limits.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

static_assert(SameNumber(broker::Outcome::kOk, v1::OUTCOME_OK));
static_assert(SameNumber(broker::Outcome::kFull, v1::OUTCOME_FULL));
static_assert(SameNumber(broker::Outcome::kEmpty, v1::OUTCOME_EMPTY));
static_assert(SameNumber(broker::Outcome::kClosed, v1::OUTCOME_CLOSED));
static_assert(SameNumber(broker::Outcome::kTimedOut, v1::OUTCOME_TIMED_OUT));
static_assert(SameNumber(broker::Outcome::kStale, v1::OUTCOME_STALE));
static_assert(SameNumber(broker::Outcome::kUnknown, v1::OUTCOME_UNKNOWN));
static_assert(v1::Outcome_MAX == v1::OUTCOME_UNKNOWN);
static_assert(SameNumber(broker::ClosedReason::kRequested, v1::CLOSED_REASON_REQUESTED));
static_assert(SameNumber(broker::ClosedReason::kDeleted, v1::CLOSED_REASON_DELETED));
static_assert(SameNumber(broker::ClosedReason::kProducersGone, v1::CLOSED_REASON_PRODUCERS_GONE));
static_assert(SameNumber(broker::ClosedReason::kShuttingDown, v1::CLOSED_REASON_SHUTTING_DOWN));
static_assert(SameNumber(broker::ClosedReason::kSuperseded, v1::CLOSED_REASON_SUPERSEDED));
static_assert(SameNumber(broker::ClosedReason::kFinished, v1::CLOSED_REASON_FINISHED));
static_assert(SameNumber(broker::ClosedReason::kLimit, v1::CLOSED_REASON_LIMIT));
static_assert(v1::ClosedReason_MAX == v1::CLOSED_REASON_LIMIT);
static_assert(SameNumber(broker::FullReason::kServerMemory, v1::FULL_REASON_SERVER_MEMORY));
static_assert(v1::FullReason_MAX == v1::FULL_REASON_SERVER_MEMORY);
static_assert(SameNumber(broker::Durability::kMemory, v1::DURABILITY_MEMORY));
static_assert(SameNumber(broker::Durability::kDisk, v1::DURABILITY_DISK));
static_assert(v1::Durability_MAX == v1::DURABILITY_DISK);
static_assert(SameNumber(broker::Lifetime::kStanding, v1::LIFETIME_STANDING));
static_assert(SameNumber(broker::Lifetime::kTied, v1::LIFETIME_TIED));
static_assert(v1::Lifetime_MAX == v1::LIFETIME_TIED);

Result<broker::SettleAction> ActionOf(v1::SettleAction action) {
  switch (action) {
    case v1::SETTLE_ACTION_ACK:
      return broker::SettleAction::kAck;
    case v1::SETTLE_ACTION_NACK:
      return broker::SettleAction::kNack;
    case v1::SETTLE_ACTION_RELEASE:
      return broker::SettleAction::kRelease;
    case v1::SETTLE_ACTION_EXTEND:
      return broker::SettleAction::kExtend;
    default:
      return UnknownValue("settlements.action", action);
  }
}

v1::QueueState ToWire(broker::QueueState state) {
  switch (state) {
    case broker::QueueState::kOpen:
      return v1::QUEUE_STATE_OPEN;
    case broker::QueueState::kClosed:
      return v1::QUEUE_STATE_CLOSED;
    case broker::QueueState::kEnded:
      return v1::QUEUE_STATE_ENDED;
  }
  return v1::QUEUE_STATE_UNSPECIFIED;
}

Result<broker::Settlement> FromWire(const v1::Settlement& settlement, bool has_own_lease) {
  if (settlement.count() == 0) return InvalidField("settlements.count", "it is 0, the least is 1");
  if (settlement.lease() == 0 && !has_own_lease) {
    return InvalidField("settlements.lease",
                        "it is 0, and there is no stream whose own it could be");
  }
  Result<broker::SettleAction> action = ActionOf(settlement.action());
  if (!action) return action.error();
  Result<Duration> delay = TimeOf("settlements.delay_ms", settlement.delay_ms());
  if (!delay) return delay.error();
  Result<Duration> lease_for = TimeOf("settlements.lease_ms", settlement.lease_ms());
  if (!lease_for) return lease_for.error();
  broker::Settlement out;
  out.lease = settlement.lease();
  out.first_position = settlement.first_position();
  out.count = settlement.count();
  out.action = *action;
  out.delay = *delay;
  out.lease_for = settlement.lease_ms() == 0 ? Duration(broker::kLeaseDefault) : *lease_for;
  return out;
}

}  // namespace

Status UnknownValue(std::string_view field, int value) {
  return InvalidField(field, "the value " + std::to_string(value) + " is not one that is known");
}

Result<broker::QueueSpec> FromWire(const v1::QueueSpec& spec) {
  if (!v1::Lifetime_IsValid(spec.lifetime())) return UnknownValue("spec.lifetime", spec.lifetime());
  if (!v1::Durability_IsValid(spec.durability())) {
    return UnknownValue("spec.durability", spec.durability());
  }
  broker::QueueSpec out;
  out.capacity = spec.capacity();
  out.bytes_max = spec.bytes_max();
  out.message_bytes_max = spec.message_bytes_max();
  out.max_in_flight = spec.max_in_flight();
  out.lifetime = static_cast<broker::Lifetime>(spec.lifetime());
  out.close_on_consumer_loss = spec.close_on_consumer_loss();
  out.shared = spec.shared();
  out.durability = static_cast<broker::Durability>(spec.durability());
  return out;
}

Result<std::optional<broker::QueueSpec>> SpecOf(bool is_present, const v1::QueueSpec& spec) {
  if (!is_present) return std::optional<broker::QueueSpec>();
  Result<broker::QueueSpec> parsed = FromWire(spec);
  if (!parsed) return parsed.error();
  return std::optional<broker::QueueSpec>(*parsed);
}

v1::QueueDescription ToWire(const broker::QueueStats& s) {
  v1::QueueDescription out;
  out.set_name(s.name);
  v1::QueueSpec& spec = *out.mutable_spec();
  spec.set_capacity(s.spec.capacity);
  spec.set_bytes_max(s.spec.bytes_max);
  spec.set_message_bytes_max(s.spec.message_bytes_max);
  spec.set_max_in_flight(s.spec.max_in_flight);
  spec.set_lifetime(static_cast<v1::Lifetime>(s.spec.lifetime));
  spec.set_close_on_consumer_loss(s.spec.close_on_consumer_loss);
  spec.set_shared(s.spec.shared);
  spec.set_durability(static_cast<v1::Durability>(s.spec.durability));
  out.set_epoch(s.epoch);
  out.set_state(ToWire(s.state));
  out.set_closed_reason(ToWire(s.closed_reason));
  out.set_next_position(s.next_position);
  out.set_accepted(s.accepted);
  out.set_settled(s.settled);
  out.set_purged(s.purged);
  out.set_deleted(s.deleted);
  out.set_depth(s.depth);
  out.set_in_flight(s.in_flight);
  out.set_delayed(s.delayed);
  out.set_come_back(s.come_back);
  out.set_free_slots(s.free_slots);
  out.set_retained_bytes(s.retained_bytes);
  out.set_delivered(s.delivered);
  out.set_redelivered(s.redelivered);
  out.set_failures(s.failures);
  out.set_duplicates(s.duplicates);
  out.set_refused_full(s.refused_full);
  out.set_refused_closed(s.refused_closed);
  out.set_timed_out(s.timed_out);
  out.set_waiting_sends(s.waiting_sends);
  out.set_waiting_receives(s.waiting_receives);
  out.set_producers(s.producers);
  out.set_consumers(s.consumers);
  out.set_standby(s.standby);
  out.set_leases(s.leases);
  for (const std::string& peer : s.consumer_peers) out.add_consumer_peers(peer);
  return out;
}

Result<std::vector<broker::Settlement>> FromWire(
    const google::protobuf::RepeatedPtrField<v1::Settlement>& settlements, bool has_own_lease) {
  if (settlements.size() > static_cast<int>(kSettlementsMax)) {
    return OutOfBounds("settlements", "the most in one frame", kSettlementsMax,
                       static_cast<std::uint64_t>(settlements.size()));
  }
  std::vector<broker::Settlement> out;
  out.reserve(static_cast<std::size_t>(settlements.size()));
  for (const v1::Settlement& settlement : settlements) {
    Result<broker::Settlement> parsed = FromWire(settlement, has_own_lease);
    if (!parsed) return std::move(parsed.error()).With("index", std::to_string(out.size()));
    out.push_back(*parsed);
  }
  return out;
}

v1::SettleResult ToWire(const broker::SettleResult& result) {
  v1::SettleResult out;
  out.set_first_position(result.first_position);
  out.set_settled(result.settled);
  out.set_not_held(result.not_held);
  out.set_expired(result.expired);
  out.set_outcome(ToWire(result.outcome));
  return out;
}

v1::Outcome ToWire(broker::Outcome outcome) { return static_cast<v1::Outcome>(outcome); }

v1::ClosedReason ToWire(broker::ClosedReason reason) {
  return static_cast<v1::ClosedReason>(reason);
}

v1::Ack ToWire(const broker::Ack& ack) {
  v1::Ack out;
  out.set_first_sequence(ack.first_sequence);
  out.set_count(ack.count);
  out.set_outcome(ToWire(ack.outcome));
  out.set_first_position(ack.first_position);
  if (ack.outcome == broker::Outcome::kOk) out.set_durability(v1::DURABILITY_MEMORY);
  out.set_duplicate(ack.duplicate);
  out.set_reason(ToWire(ack.reason));
  out.set_delivered_to(ack.delivered_to);
  out.set_full_reason(static_cast<v1::FullReason>(ack.full_reason));
  return out;
}

void AppendAcks(const std::vector<broker::Ack>& acks, std::string& frame) {
  for (const broker::Ack& ack : acks) {
    const bool is_ok = ack.outcome == broker::Outcome::kOk;
    wire::AppendAck(frame, {.first_sequence = ack.first_sequence,
                            .count = ack.count,
                            .outcome = static_cast<std::uint32_t>(ack.outcome),
                            .first_position = ack.first_position,
                            .durability = is_ok ? std::uint32_t{v1::DURABILITY_MEMORY} : 0u,
                            .is_duplicate = ack.duplicate,
                            .reason = static_cast<std::uint32_t>(ack.reason),
                            .delivered_to = ack.delivered_to,
                            .full_reason = static_cast<std::uint32_t>(ack.full_reason)});
  }
}

void AppendRuns(const broker::Delivery& delivery, std::string& frame) {
  for (const broker::Run& run : delivery.runs) {
    wire::AppendRun(frame, {.first_position = run.first_position,
                            .count = run.count,
                            .accepted_unix_us = run.accepted_unix_us,
                            .attempts = run.attempts,
                            .failures = run.failures});
  }
}

Result<broker::SendMode> ModeOf(v1::SendMode mode) {
  switch (mode) {
    case v1::SEND_MODE_TRY:
      return broker::SendMode::kTry;
    case v1::SEND_MODE_UNSPECIFIED:
    case v1::SEND_MODE_WAIT:
      return broker::SendMode::kWait;
    default:
      return UnknownValue("mode", mode);
  }
}

Status CheckId(std::string_view field, const std::string& id, std::uint32_t size) {
  if (id.empty() || id.size() == size) return Status();
  return InvalidField(field, "it has " + std::to_string(id.size()) + " bytes, neither none nor " +
                                 std::to_string(size));
}

Result<Duration> TimeOf(std::string_view field, std::uint32_t ms) {
  constexpr auto kMost = std::chrono::milliseconds(broker::kLeaseMax);
  if (ms > static_cast<std::uint64_t>(kMost.count())) {
    return OutOfBounds(field, "the most", static_cast<std::uint64_t>(kMost.count()), ms);
  }
  return Duration(std::chrono::milliseconds(ms));
}

TimePoint WaitUntil(TimePoint now, std::uint32_t wait_ms) {
  return wait_ms == 0 ? kNever : Later(now, std::chrono::milliseconds(wait_ms));
}

broker::Credit CreditOf(const v1::Credit& credit) {
  return {.messages = credit.messages(), .bytes = credit.bytes()};
}

}  // namespace sluice::rpc
