// SPDX-License-Identifier: Apache-2.0
#include "rpc/convert.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "rpc/limits.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::uint32_t kLeaseMaxMs = 12 * 3'600'000;

void ExpectField(const Status& status, std::string_view reason, const std::string& field) {
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(status.reason(), reason);
  EXPECT_THAT(status.details(), Contains(Pair("field", field)));
}

TEST(Convert, SpecFromTheWireHasEveryField) {
  v1::QueueSpec wire;
  wire.set_capacity(7);
  wire.set_bytes_max(8'000);
  wire.set_message_bytes_max(900);
  wire.set_max_in_flight(11);
  wire.set_lifetime(v1::LIFETIME_TIED);
  wire.set_close_on_consumer_loss(true);
  wire.set_shared(true);
  wire.set_durability(v1::DURABILITY_DISK);
  const Result<broker::QueueSpec> spec = FromWire(wire);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(*spec, (broker::QueueSpec{.capacity = 7,
                                      .bytes_max = 8'000,
                                      .message_bytes_max = 900,
                                      .max_in_flight = 11,
                                      .lifetime = broker::Lifetime::kTied,
                                      .close_on_consumer_loss = true,
                                      .shared = true,
                                      .durability = broker::Durability::kDisk}));
  const Result<broker::QueueSpec> defaults = FromWire(v1::QueueSpec());
  ASSERT_TRUE(defaults.ok());
  EXPECT_EQ(*defaults, broker::QueueSpec());
}

TEST(Convert, UnknownEnumValuesOfASpecAreRefused) {
  v1::QueueSpec lifetime;
  lifetime.set_lifetime(static_cast<v1::Lifetime>(v1::Lifetime_MAX + 1));
  ExpectField(FromWire(lifetime).error(), "INVALID_FIELD", "spec.lifetime");
  v1::QueueSpec durability;
  durability.set_durability(static_cast<v1::Durability>(-1));
  ExpectField(FromWire(durability).error(), "INVALID_FIELD", "spec.durability");
  ExpectField(SpecOf(true, durability).error(), "INVALID_FIELD", "spec.durability");
}

TEST(Convert, ASpecThatIsAbsentIsNone) {
  v1::QueueSpec wire;
  wire.set_capacity(5);
  const auto absent = SpecOf(false, wire);
  ASSERT_TRUE(absent.ok());
  EXPECT_FALSE(absent->has_value());
  const auto present = SpecOf(true, wire);
  ASSERT_TRUE(present.ok() && present->has_value());
  EXPECT_EQ((*present)->capacity, 5u);
}

// Every number differs, and no field of the wire stays unset: a field left out or mixed up shows.
TEST(Convert, DescriptionToTheWireHasEveryField) {
  broker::QueueStats stats;
  stats.name = "orders";
  stats.spec = {.capacity = 101,
                .bytes_max = 102,
                .message_bytes_max = 103,
                .max_in_flight = 104,
                .lifetime = broker::Lifetime::kTied,
                .close_on_consumer_loss = true,
                .shared = true,
                .durability = broker::Durability::kMemory};
  stats.epoch = 1;
  stats.state = broker::QueueState::kClosed;
  stats.closed_reason = broker::ClosedReason::kProducersGone;
  std::uint64_t next = 2;
  for (std::uint64_t* number :
       {&stats.next_position, &stats.accepted, &stats.settled, &stats.purged, &stats.deleted,
        &stats.depth, &stats.in_flight, &stats.delayed, &stats.come_back, &stats.free_slots,
        &stats.retained_bytes, &stats.delivered, &stats.redelivered, &stats.failures,
        &stats.duplicates, &stats.refused_full, &stats.refused_closed, &stats.timed_out}) {
    *number = next++;
  }
  for (std::uint32_t* number : {&stats.waiting_sends, &stats.waiting_receives, &stats.producers,
                                &stats.consumers, &stats.standby, &stats.leases}) {
    *number = static_cast<std::uint32_t>(next++);
  }
  stats.consumer_peers = {"ipv4:10.0.0.1:1", "ipv4:10.0.0.2:2"};

  const v1::QueueDescription out = ToWire(stats);
  for (const google::protobuf::Message* message :
       {static_cast<const google::protobuf::Message*>(&out),
        static_cast<const google::protobuf::Message*>(&out.spec())}) {
    std::vector<const google::protobuf::FieldDescriptor*> set;
    message->GetReflection()->ListFields(*message, &set);
    EXPECT_EQ(static_cast<int>(set.size()), message->GetDescriptor()->field_count())
        << message->ShortDebugString();
  }
  EXPECT_EQ(out.name(), "orders");
  EXPECT_EQ(out.spec().capacity(), 101u);
  EXPECT_EQ(out.spec().bytes_max(), 102u);
  EXPECT_EQ(out.spec().message_bytes_max(), 103u);
  EXPECT_EQ(out.spec().max_in_flight(), 104u);
  EXPECT_EQ(out.spec().lifetime(), v1::LIFETIME_TIED);
  EXPECT_EQ(out.spec().durability(), v1::DURABILITY_MEMORY);
  EXPECT_EQ(out.epoch(), 1u);
  EXPECT_EQ(out.state(), v1::QUEUE_STATE_CLOSED);
  EXPECT_EQ(out.closed_reason(), v1::CLOSED_REASON_PRODUCERS_GONE);
  const std::uint64_t numbers[] = {
      out.next_position(),  out.accepted(),   out.settled(),        out.purged(),
      out.deleted(),        out.depth(),      out.in_flight(),      out.delayed(),
      out.come_back(),      out.free_slots(), out.retained_bytes(), out.delivered(),
      out.redelivered(),    out.failures(),   out.duplicates(),     out.refused_full(),
      out.refused_closed(), out.timed_out(),  out.waiting_sends(),  out.waiting_receives(),
      out.producers(),      out.consumers(),  out.standby(),        out.leases()};
  std::uint64_t expected = 2;
  for (const std::uint64_t number : numbers) EXPECT_EQ(number, expected++);
  EXPECT_THAT(out.consumer_peers(), ElementsAre("ipv4:10.0.0.1:1", "ipv4:10.0.0.2:2"));
}

TEST(Convert, EveryStateHasItsName) {
  broker::QueueStats stats;
  EXPECT_EQ(ToWire(stats).state(), v1::QUEUE_STATE_OPEN);
  stats.state = broker::QueueState::kEnded;
  EXPECT_EQ(ToWire(stats).state(), v1::QUEUE_STATE_ENDED);
}

v1::Settlement SettlementTo(v1::SettleAction action) {
  v1::Settlement settlement;
  settlement.set_first_position(5);
  settlement.set_count(2);
  settlement.set_action(action);
  settlement.set_lease(9);
  return settlement;
}

Result<std::vector<broker::Settlement>> Parse(const v1::Settlement& settlement,
                                              bool has_own_lease = false) {
  google::protobuf::RepeatedPtrField<v1::Settlement> all;
  *all.Add() = settlement;
  return FromWire(all, has_own_lease);
}

TEST(Convert, SettlementsHaveEveryField) {
  google::protobuf::RepeatedPtrField<v1::Settlement> all;
  *all.Add() = SettlementTo(v1::SETTLE_ACTION_ACK);
  *all.Add() = SettlementTo(v1::SETTLE_ACTION_NACK);
  all[1].set_delay_ms(250);
  *all.Add() = SettlementTo(v1::SETTLE_ACTION_RELEASE);
  *all.Add() = SettlementTo(v1::SETTLE_ACTION_EXTEND);
  all[3].set_lease_ms(700);
  const auto parsed = FromWire(all, false);
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed->size(), 4u);
  const broker::SettleAction actions[] = {broker::SettleAction::kAck, broker::SettleAction::kNack,
                                          broker::SettleAction::kRelease,
                                          broker::SettleAction::kExtend};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ((*parsed)[i].first_position, 5u);
    EXPECT_EQ((*parsed)[i].count, 2u);
    EXPECT_EQ((*parsed)[i].lease, 9u);
    EXPECT_EQ((*parsed)[i].action, actions[i]);
  }
  EXPECT_EQ((*parsed)[1].delay, milliseconds(250));
  EXPECT_EQ((*parsed)[3].lease_for, milliseconds(700));
}

TEST(Convert, AnExtensionWithoutATimeIsTheDefault) {
  const auto parsed = Parse(SettlementTo(v1::SETTLE_ACTION_EXTEND));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ((*parsed)[0].lease_for, std::chrono::seconds(30));
}

TEST(Convert, ASettlementMustSayWhatAndWhose) {
  v1::Settlement none = SettlementTo(v1::SETTLE_ACTION_ACK);
  none.set_count(0);
  ExpectField(Parse(none).error(), "INVALID_FIELD", "settlements.count");
  for (const int action : {0, v1::SettleAction_MAX + 1, -1}) {
    ExpectField(Parse(SettlementTo(static_cast<v1::SettleAction>(action))).error(), "INVALID_FIELD",
                "settlements.action");
  }
  v1::Settlement anybody = SettlementTo(v1::SETTLE_ACTION_ACK);
  anybody.set_lease(0);
  ExpectField(Parse(anybody).error(), "INVALID_FIELD", "settlements.lease");
  EXPECT_TRUE(Parse(anybody, /*has_own_lease=*/true).ok());
}

TEST(Convert, TimesOfASettlementAreBounded) {
  v1::Settlement settlement = SettlementTo(v1::SETTLE_ACTION_NACK);
  settlement.set_delay_ms(kLeaseMaxMs);
  EXPECT_TRUE(Parse(settlement).ok());
  settlement.set_delay_ms(kLeaseMaxMs + 1);
  ExpectField(Parse(settlement).error(), "OUT_OF_BOUNDS", "settlements.delay_ms");
  settlement = SettlementTo(v1::SETTLE_ACTION_EXTEND);
  settlement.set_lease_ms(kLeaseMaxMs);
  EXPECT_TRUE(Parse(settlement).ok());
  settlement.set_lease_ms(kLeaseMaxMs + 1);
  ExpectField(Parse(settlement).error(), "OUT_OF_BOUNDS", "settlements.lease_ms");
}

TEST(Convert, TheIndexOfABadSettlementIsTold) {
  google::protobuf::RepeatedPtrField<v1::Settlement> all;
  for (int i = 0; i < 4; ++i) *all.Add() = SettlementTo(v1::SETTLE_ACTION_ACK);
  all[2].set_count(0);
  EXPECT_THAT(FromWire(all, false).error().details(), Contains(Pair("index", "2")));
}

TEST(Convert, TheSettlementsOfAFrameAreBounded) {
  google::protobuf::RepeatedPtrField<v1::Settlement> all;
  for (std::uint32_t i = 0; i < kSettlementsMax; ++i)
    *all.Add() = SettlementTo(v1::SETTLE_ACTION_ACK);
  const auto most = FromWire(all, false);
  ASSERT_TRUE(most.ok());
  EXPECT_EQ(most->size(), kSettlementsMax);
  *all.Add() = SettlementTo(v1::SETTLE_ACTION_ACK);
  const Status over = FromWire(all, false).error();
  ExpectField(over, "OUT_OF_BOUNDS", "settlements");
  EXPECT_THAT(over.details(), Contains(Pair("limit", "10000")));
  EXPECT_THAT(over.details(), Contains(Pair("value", "10001")));
}

TEST(Convert, ResultsHaveEveryField) {
  const v1::SettleResult out = ToWire(broker::SettleResult{.first_position = 1,
                                                           .settled = 2,
                                                           .not_held = 3,
                                                           .expired = 4,
                                                           .outcome = broker::Outcome::kStale});
  EXPECT_EQ(out.first_position(), 1u);
  EXPECT_EQ(out.settled(), 2u);
  EXPECT_EQ(out.not_held(), 3u);
  EXPECT_EQ(out.expired(), 4u);
  EXPECT_EQ(out.outcome(), v1::OUTCOME_STALE);
}

TEST(Convert, AcksHaveEveryField) {
  broker::Ack ack{.first_sequence = 1,
                  .count = 2,
                  .outcome = broker::Outcome::kOk,
                  .first_position = 3,
                  .duplicate = true};
  const v1::Ack kept = ToWire(ack);
  EXPECT_EQ(kept.first_sequence(), 1u);
  EXPECT_EQ(kept.count(), 2u);
  EXPECT_EQ(kept.outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(kept.first_position(), 3u);
  EXPECT_EQ(kept.durability(), v1::DURABILITY_MEMORY);
  EXPECT_TRUE(kept.duplicate());
  EXPECT_EQ(kept.reason(), v1::CLOSED_REASON_UNSPECIFIED);
  ack = {.outcome = broker::Outcome::kClosed, .reason = broker::ClosedReason::kDeleted};
  const v1::Ack refused = ToWire(ack);
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(refused.reason(), v1::CLOSED_REASON_DELETED);
  EXPECT_EQ(refused.durability(), v1::DURABILITY_UNSPECIFIED);  // nothing was kept
  EXPECT_FALSE(refused.duplicate());
  EXPECT_EQ(refused.full_reason(), v1::FULL_REASON_UNSPECIFIED);
  ack = {.outcome = broker::Outcome::kFull, .full_reason = broker::FullReason::kServerMemory};
  EXPECT_EQ(ToWire(ack).full_reason(), v1::FULL_REASON_SERVER_MEMORY);
}

// The names, not only the numbers: both enums say the same.
TEST(Convert, OutcomesAndReasonsKeepTheirNames) {
  EXPECT_EQ(ToWire(broker::Outcome::kTimedOut), v1::OUTCOME_TIMED_OUT);
  EXPECT_EQ(ToWire(broker::Outcome::kNoSubscribers), v1::OUTCOME_NO_SUBSCRIBERS);
  EXPECT_EQ(ToWire(broker::Outcome::kNoResponder), v1::OUTCOME_NO_RESPONDER);
  EXPECT_EQ(ToWire(broker::Outcome::kResponderGone), v1::OUTCOME_RESPONDER_GONE);
  EXPECT_EQ(ToWire(broker::Outcome::kConflict), v1::OUTCOME_CONFLICT);
  EXPECT_EQ(ToWire(broker::Outcome::kAbsent), v1::OUTCOME_ABSENT);
  EXPECT_EQ(ToWire(broker::Outcome::kAlreadyDone), v1::OUTCOME_ALREADY_DONE);
  EXPECT_EQ(ToWire(broker::Outcome::kUnknownCall), v1::OUTCOME_UNKNOWN_CALL);
  EXPECT_EQ(ToWire(broker::Outcome::kFailed), v1::OUTCOME_FAILED);
  EXPECT_EQ(ToWire(broker::Outcome::kReplyTooLarge), v1::OUTCOME_REPLY_TOO_LARGE);
  EXPECT_EQ(ToWire(broker::Outcome::kUnknown), v1::OUTCOME_UNKNOWN);
  EXPECT_EQ(ToWire(broker::ClosedReason::kLagged), v1::CLOSED_REASON_LAGGED);
  EXPECT_EQ(ToWire(broker::ClosedReason::kShuttingDown), v1::CLOSED_REASON_SHUTTING_DOWN);
}

TEST(Convert, ModesOfSending) {
  EXPECT_EQ(*ModeOf(v1::SEND_MODE_TRY), broker::SendMode::kTry);
  EXPECT_EQ(*ModeOf(v1::SEND_MODE_WAIT), broker::SendMode::kWait);
  EXPECT_EQ(*ModeOf(v1::SEND_MODE_UNSPECIFIED), broker::SendMode::kWait);
  ExpectField(ModeOf(static_cast<v1::SendMode>(v1::SendMode_MAX + 1)).error(), "INVALID_FIELD",
              "mode");
}

TEST(Convert, AnIdHasItsSizeOrNone) {
  EXPECT_TRUE(CheckId("producer_id", "", 16).ok());
  EXPECT_TRUE(CheckId("producer_id", std::string(16, '\0'), 16).ok());
  for (const std::size_t size : {1u, 15u, 17u, 1'000u}) {
    ExpectField(CheckId("producer_id", std::string(size, 'x'), 16), "INVALID_FIELD", "producer_id");
  }
}

TEST(Convert, TimesAreBounded) {
  EXPECT_EQ(*TimeOf("lease_ms", 0), Duration::zero());
  EXPECT_EQ(*TimeOf("lease_ms", 1), milliseconds(1));
  EXPECT_EQ(*TimeOf("lease_ms", kLeaseMaxMs), std::chrono::hours(12));
  const Status over = TimeOf("lease_ms", kLeaseMaxMs + 1).error();
  ExpectField(over, "OUT_OF_BOUNDS", "lease_ms");
  EXPECT_THAT(over.details(), Contains(Pair("limit", "43200000")));
}

TEST(Convert, AWaitOfZeroNeverEnds) {
  const TimePoint now{std::chrono::hours(1)};
  EXPECT_EQ(WaitUntil(now, 0), kNever);
  EXPECT_EQ(WaitUntil(now, 1), now + milliseconds(1));
  EXPECT_EQ(WaitUntil(now, 0xffff'ffff), now + milliseconds(0xffff'ffff));
}

TEST(Convert, CreditHasBothBounds) {
  v1::Credit wire;
  EXPECT_EQ(CreditOf(wire).messages, 0u);  // present and zero: pauses
  wire.set_messages(5);
  wire.set_bytes(6);
  EXPECT_EQ(CreditOf(wire).messages, 5u);
  EXPECT_EQ(CreditOf(wire).bytes, 6u);
}

}  // namespace
}  // namespace sluice::rpc
