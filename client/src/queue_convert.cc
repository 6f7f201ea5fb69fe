// SPDX-License-Identifier: Apache-2.0
#include "queue_convert.h"

#include <algorithm>
#include <limits>

#include "same_number.h"

namespace sluice {
inline namespace abi1 {
namespace {

static_assert(Same(Outcome::kOk, v1::OUTCOME_OK) && Same(Outcome::kFull, v1::OUTCOME_FULL) &&
              Same(Outcome::kClosed, v1::OUTCOME_CLOSED) &&
              Same(Outcome::kStale, v1::OUTCOME_STALE) &&
              Same(Outcome::kUnknown, v1::OUTCOME_UNKNOWN) && v1::Outcome_MAX == 16);
static_assert(Same(ClosedReason::kRequested, v1::CLOSED_REASON_REQUESTED) &&
              Same(ClosedReason::kFinished, v1::CLOSED_REASON_FINISHED) &&
              Same(ClosedReason::kLimit, v1::CLOSED_REASON_LIMIT) && v1::ClosedReason_MAX == 8);
static_assert(Same(FullReason::kServerMemory, v1::FULL_REASON_SERVER_MEMORY) &&
              v1::FullReason_MAX == 1);
static_assert(Same(Durability::kMemory, v1::DURABILITY_MEMORY) &&
              Same(Durability::kDisk, v1::DURABILITY_DISK) && v1::Durability_MAX == 3);
static_assert(Same(Lifetime::kStanding, v1::LIFETIME_STANDING) &&
              Same(Lifetime::kTied, v1::LIFETIME_TIED) && v1::Lifetime_MAX == 2);
static_assert(Same(SendMode::kTry, v1::SEND_MODE_TRY) && Same(SendMode::kWait, v1::SEND_MODE_WAIT));
static_assert(Same(AttachMode::kRefuse, v1::ATTACH_MODE_REFUSE) &&
              Same(AttachMode::kStandby, v1::ATTACH_MODE_STANDBY) &&
              Same(AttachMode::kTakeOver, v1::ATTACH_MODE_TAKE_OVER));
static_assert(Same(SettleAction::kAck, v1::SETTLE_ACTION_ACK) &&
              Same(SettleAction::kNack, v1::SETTLE_ACTION_NACK) &&
              Same(SettleAction::kRelease, v1::SETTLE_ACTION_RELEASE) &&
              Same(SettleAction::kExtend, v1::SETTLE_ACTION_EXTEND));
static_assert(Same(QueueState::kOpen, v1::QUEUE_STATE_OPEN) &&
              Same(QueueState::kEnded, v1::QUEUE_STATE_ENDED) && v1::QueueState_MAX == 3);

}  // namespace

std::uint32_t ToWireMs(std::chrono::milliseconds duration) {
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration.count(), 0, kMax));
}

v1::Credit ToWire(const Credit& credit) {
  v1::Credit wire;
  wire.set_messages(credit.messages);
  wire.set_bytes(credit.bytes);
  return wire;
}

v1::SendMode ToWire(SendMode mode) { return static_cast<v1::SendMode>(mode); }
v1::AttachMode ToWire(AttachMode mode) { return static_cast<v1::AttachMode>(mode); }
ClosedReason FromWire(v1::ClosedReason reason) { return static_cast<ClosedReason>(reason); }
Outcome FromWire(v1::Outcome outcome) { return static_cast<Outcome>(outcome); }

v1::QueueSpec ToWire(const QueueSpec& spec) {
  v1::QueueSpec wire;
  wire.set_capacity(spec.capacity);
  wire.set_bytes_max(spec.bytes_max);
  wire.set_message_bytes_max(spec.message_bytes_max);
  wire.set_max_in_flight(spec.max_in_flight);
  wire.set_lifetime(static_cast<v1::Lifetime>(spec.lifetime));
  wire.set_close_on_consumer_loss(spec.close_on_consumer_loss);
  wire.set_shared(spec.shared);
  wire.set_durability(static_cast<v1::Durability>(spec.durability));
  return wire;
}

v1::Settlement ToWire(const Settlement& settlement) {
  v1::Settlement wire;
  wire.set_first_position(settlement.positions.first);
  wire.set_count(settlement.positions.count);
  wire.set_action(static_cast<v1::SettleAction>(settlement.action));
  wire.set_delay_ms(ToWireMs(settlement.delay));
  wire.set_lease_ms(ToWireMs(settlement.lease_time));
  wire.set_lease(settlement.lease);
  return wire;
}

SendOutcome FromWire(const v1::Ack& ack) {
  SendOutcome outcome;
  outcome.first_sequence = ack.first_sequence();
  outcome.count = ack.count();
  outcome.outcome = FromWire(ack.outcome());
  outcome.first_position = ack.first_position();
  outcome.durability = static_cast<Durability>(ack.durability());
  outcome.duplicate = ack.duplicate();
  outcome.reason = FromWire(ack.reason());
  outcome.delivered_to = ack.delivered_to();
  outcome.full_reason = static_cast<FullReason>(ack.full_reason());
  return outcome;
}

SenderOpened FromWire(const v1::SendOpened& opened) {
  return {opened.epoch(), opened.last_sequence(), opened.capacity(),
          static_cast<Durability>(opened.durability()), opened.message_bytes_max()};
}

Attachment FromWire(const v1::Attached& attached) {
  return {attached.lease(), attached.fence(), attached.epoch(), attached.next_position(),
          attached.max_in_flight()};
}

SettleResult FromWire(const v1::SettleResult& result) {
  return {result.first_position(), result.settled(), result.not_held(), result.expired(),
          FromWire(result.outcome())};
}

QueueDescription FromWire(const v1::QueueDescription& from) {
  QueueDescription to;
  to.name = from.name();
  to.spec.capacity = from.spec().capacity();
  to.spec.bytes_max = from.spec().bytes_max();
  to.spec.message_bytes_max = from.spec().message_bytes_max();
  to.spec.max_in_flight = from.spec().max_in_flight();
  to.spec.lifetime = static_cast<Lifetime>(from.spec().lifetime());
  to.spec.close_on_consumer_loss = from.spec().close_on_consumer_loss();
  to.spec.shared = from.spec().shared();
  to.spec.durability = static_cast<Durability>(from.spec().durability());
  to.epoch = from.epoch();
  to.state = static_cast<QueueState>(from.state());
  to.closed_reason = FromWire(from.closed_reason());
  to.next_position = from.next_position();
  to.accepted = from.accepted();
  to.settled = from.settled();
  to.purged = from.purged();
  to.deleted = from.deleted();
  to.depth = from.depth();
  to.in_flight = from.in_flight();
  to.delayed = from.delayed();
  to.come_back = from.come_back();
  to.free_slots = from.free_slots();
  to.retained_bytes = from.retained_bytes();
  to.delivered = from.delivered();
  to.redelivered = from.redelivered();
  to.failures = from.failures();
  to.duplicates = from.duplicates();
  to.refused_full = from.refused_full();
  to.refused_closed = from.refused_closed();
  to.timed_out = from.timed_out();
  to.waiting_sends = from.waiting_sends();
  to.waiting_receives = from.waiting_receives();
  to.producers = from.producers();
  to.consumers = from.consumers();
  to.standby = from.standby();
  to.leases = from.leases();
  to.consumer_peers.assign(from.consumer_peers().begin(), from.consumer_peers().end());
  return to;
}

}  // namespace abi1
}  // namespace sluice
