// SPDX-License-Identifier: Apache-2.0
// Names, specs, the registry, and the drain.
#include "broker/broker.h"
#include "broker/name.h"
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

TEST(Name, WhatANameIs) {
  const std::string longest(255, 'n');
  for (const std::string_view name :
       {std::string_view("a"), std::string_view("A-z_0.9/x"), std::string_view("/"),
        std::string_view("a._b"), std::string_view(longest)}) {
    EXPECT_TRUE(CheckName("queue", name).ok()) << name;
  }
  const std::string too_long(256, 'n');
  for (const std::string_view name :
       {std::string_view(""), std::string_view("_a"), std::string_view("a..b"),
        std::string_view(".a"), std::string_view("a."), std::string_view("."),
        std::string_view("a b"), std::string_view("caf\xC3\xA9"), std::string_view("a\0b", 3),
        std::string_view("*"), std::string_view(too_long)}) {
    const Status status = CheckName("queue", name);
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << name;
    ASSERT_FALSE(status.details().empty());
    EXPECT_EQ(status.details()[0], std::make_pair(std::string("field"), std::string("queue")));
  }
  EXPECT_NE(CheckName("queue", "ab!").message().find("byte 2 is 0x21"), std::string::npos);
  EXPECT_EQ(CheckName("queue", too_long).reason(), "OUT_OF_BOUNDS");
}

// Clauses: N14 M1
TEST(Spec, DefaultsAndBounds) {
  const Limits limits;
  const auto defaults = Effective(QueueSpec(), limits);
  ASSERT_TRUE(defaults.ok());
  EXPECT_EQ(defaults->capacity, 1'024u);
  EXPECT_EQ(defaults->bytes_max, 64u << 20);
  EXPECT_EQ(defaults->message_bytes_max, 1u << 20);
  EXPECT_EQ(defaults->max_in_flight, 1'024u);
  EXPECT_EQ(defaults->lifetime, Lifetime::kStanding);
  EXPECT_EQ(defaults->durability, Durability::kMemory);

  const auto expect_bound = [&](auto set, std::uint64_t at, std::uint64_t over, const char* field) {
    QueueSpec spec;
    set(spec, at);
    EXPECT_TRUE(Effective(spec, limits).ok()) << field;
    set(spec, over);
    const auto refused = Effective(spec, limits);
    ASSERT_FALSE(refused.ok()) << field;
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(refused.error().details().at(0).second, field);
    EXPECT_EQ(refused.error().details().at(1).second, std::to_string(at));
    EXPECT_EQ(refused.error().details().at(2).second, std::to_string(over));
  };
  expect_bound([](QueueSpec& s, std::uint64_t v) { s.capacity = v; }, kCapacityMax,
               kCapacityMax + 1, "spec.capacity");
  expect_bound([](QueueSpec& s, std::uint64_t v) { s.bytes_max = v; }, kBytesMaxLeast,
               kBytesMaxLeast - 1, "spec.bytes_max");
  expect_bound([](QueueSpec& s, std::uint64_t v) { s.bytes_max = v; }, kBytesMaxMost,
               kBytesMaxMost + 1, "spec.bytes_max");
  expect_bound(
      [](QueueSpec& s, std::uint64_t v) { s.max_in_flight = static_cast<std::uint32_t>(v); },
      kMaxInFlightMax, kMaxInFlightMax + 1, "spec.max_in_flight");
  expect_bound(
      [](QueueSpec& s, std::uint64_t v) { s.message_bytes_max = static_cast<std::uint32_t>(v); },
      1u << 20, (1u << 20) + 1, "spec.message_bytes_max");

  QueueSpec narrow;
  narrow.bytes_max = 2'000;
  EXPECT_EQ(Effective(narrow, limits)->message_bytes_max, 2'000u - 64 - 6);
  for (const Durability durability : {Durability::kOs, Durability::kDisk}) {
    QueueSpec spec;
    spec.durability = durability;
    const auto refused = Effective(spec, limits);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
    EXPECT_EQ(refused.error().reason(), "DURABILITY_UNAVAILABLE");
  }
}

class Registry : public QueueFixture {
 protected:
  std::unique_ptr<Broker> MakeBroker(BrokerOptions options = {}) {
    return std::make_unique<Broker>(options, clock);
  }
};

// Clauses: N5
TEST_F(Registry, X17_DeclaringTwiceIsTheSameQueueOrRefused) {
  const auto broker = MakeBroker();
  QueueSpec spec;
  spec.capacity = 5;
  const auto first = broker->queues().Declare("q", spec);
  const auto second = broker->queues().Declare("q", spec);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(first->created);
  EXPECT_FALSE(second->created);
  EXPECT_EQ(first->channel, second->channel);
  EXPECT_GE(first->channel->epoch(), 1u);
  EXPECT_LE(first->channel->epoch(), kDrawnMax);

  spec.capacity = 6;
  spec.shared = true;
  const auto other = broker->queues().Declare("q", spec);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(other.error().reason(), "DECLARED_OTHERWISE");
  EXPECT_NE(other.error().message().find("spec.capacity 5, not 6"), std::string::npos);
  spec.capacity = 5;
  EXPECT_NE(
      broker->queues().Declare("q", spec).error().message().find("spec.shared false, not true"),
      std::string::npos);
  EXPECT_EQ(broker->totals().queues, 1u);
  EXPECT_EQ(broker->queues().Declare("_q", {}).error().code(), Code::kInvalidArgument);
  spec.capacity = kCapacityMax + 1;
  EXPECT_EQ(broker->queues().Declare("r", spec).error().code(), Code::kInvalidArgument);
}

// Clauses: N5
TEST_F(Registry, AnUndeclaredNameIsNotFoundUnlessAutoDeclared) {
  const auto broker = MakeBroker();
  EXPECT_EQ(broker->queues().Find("q").error().reason(), "QUEUE_NOT_FOUND");
  EXPECT_EQ(broker->queues().LookUp("q").error().code(), Code::kNotFound);
  EXPECT_EQ(broker->queues().LookUp("a b").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(broker->queues().Delete("q").error().code(), Code::kNotFound);
  EXPECT_FALSE(broker->queues().Open("q", std::nullopt).ok());
  EXPECT_TRUE(broker->queues().Open("q", QueueSpec()).ok());
  EXPECT_TRUE(broker->queues().Find("q").ok());

  BrokerOptions options;
  options.auto_declare = true;
  const auto generous = MakeBroker(options);
  EXPECT_FALSE(generous->queues().LookUp("q").ok()) << "looking declares nothing";
  EXPECT_TRUE(generous->queues().Find("q").ok());
  EXPECT_TRUE(generous->queues().LookUp("q").ok());
  EXPECT_EQ(generous->queues().Find("a..b").error().code(), Code::kInvalidArgument);
}

// Clauses: N4 N6
TEST_F(Registry, AnEndedNameMayBeDeclaredAnew) {
  const auto broker = MakeBroker();
  const auto first = broker->queues().Declare("q", {})->channel;
  Try(*first, {"1"});
  first->Close(ClosedReason::kRequested);
  EXPECT_EQ(broker->queues().Declare("q", {})->channel, first) << "not before it is drained";
  EXPECT_EQ(Pop(*first), "1");
  EXPECT_EQ(broker->queues().LookUp("q")->get(), first.get()) << "it still answers";
  QueueSpec other;
  other.capacity = 3;
  const auto second = broker->queues().Declare("q", other);
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->created);
  EXPECT_NE(second->channel->epoch(), first->epoch());
}

// Clauses: N4
TEST_F(Registry, DeletingFreesTheNameAtOnce) {
  const auto broker = MakeBroker();
  const auto first = broker->queues().Declare("q", {})->channel;
  Try(*first, {"1", "2"});
  EXPECT_EQ(*broker->queues().Delete("q"), 2u);
  EXPECT_TRUE(first->has_ended());
  EXPECT_FALSE(broker->queues().LookUp("q").ok());
  EXPECT_TRUE(broker->queues().Declare("q", {})->created);
}

// Clauses: N2 N4
TEST_F(Registry, AQueueThatItsConsumersLossDeletedIsGone) {
  const auto broker = MakeBroker();
  QueueSpec spec;
  spec.close_on_consumer_loss = true;
  const auto first = broker->queues().Declare("q", spec)->channel;
  Receiver receiver;
  ASSERT_TRUE(Attach(*first, receiver).ok());
  first->Detach(receiver.consumer, Leaving::kLost);
  EXPECT_TRUE(first->is_deleted());
  EXPECT_EQ(broker->queues().LookUp("q").error().code(), Code::kNotFound);
  EXPECT_EQ(broker->queues().Delete("q").error().code(), Code::kNotFound);
  EXPECT_TRUE(broker->queues().List("", "", 10).empty());
  const auto second = broker->queues().Declare("q", {});
  EXPECT_TRUE(second->created);
  EXPECT_NE(second->channel->epoch(), first->epoch());
}

TEST_F(Registry, TooManyChannelsAreRefusedAndEndedOnesGiveWay) {
  BrokerOptions options;
  options.limits.channels_max = 2;
  const auto broker = MakeBroker(options);
  const auto first = broker->queues().Declare("1", {})->channel;
  EXPECT_TRUE(broker->queues().Declare("2", {}).ok());
  EXPECT_TRUE(broker->queues().Declare("2", {}).ok());
  const auto refused = broker->queues().Declare("3", {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.error().reason(), "TOO_MANY_CHANNELS");
  first->Close(ClosedReason::kRequested);
  EXPECT_TRUE(broker->queues().Declare("3", {}).ok());
  EXPECT_FALSE(broker->queues().LookUp("1").ok());
}

TEST_F(Registry, ListsInOrderByPrefixAndPage) {
  const auto broker = MakeBroker();
  for (const char* name : {"b/1", "a", "b/3", "b/2", "c"}) {
    ASSERT_TRUE(broker->queues().Declare(name, {}).ok());
  }
  const auto names = [&](const std::string& prefix, const std::string& after, std::size_t count) {
    Strings list;
    for (const auto& queue : broker->queues().List(prefix, after, count))
      list.push_back(queue->name());
    return list;
  };
  EXPECT_EQ(names("", "", 10), (Strings{"a", "b/1", "b/2", "b/3", "c"}));
  EXPECT_EQ(names("", "b/1", 2), (Strings{"b/2", "b/3"}));
  EXPECT_EQ(names("b/", "", 10), (Strings{"b/1", "b/2", "b/3"}));
  EXPECT_EQ(names("b/", "b/2", 10), Strings{"b/3"});
  EXPECT_EQ(names("b/", "c", 10), Strings{});
  EXPECT_EQ(names("b/", "a", 1), Strings{"b/1"});
}

// Clauses: N41
TEST_F(Registry, X22_DrainClosesAndWaitsForThoseWithAConsumer) {
  const auto broker = MakeBroker();
  QueueSpec spec;
  spec.capacity = 5;
  const auto busy = broker->queues().Declare("busy", spec)->channel;
  const auto idle = broker->queues().Declare("idle", spec)->channel;
  const auto unary = broker->queues().Declare("unary", spec)->channel;
  const auto empty = broker->queues().Declare("empty", spec)->channel;
  for (const auto& queue : {busy, idle, unary}) Try(*queue, Numbered(1, 5));
  Receiver receiver, bored;
  ASSERT_TRUE(Attach(*busy, receiver).ok());
  ASSERT_TRUE(Attach(*empty, bored).ok());
  const Received held = ReceiveNow(*unary);
  Sending waiting;
  Start(*idle, waiting, {"6"}, {});
  EXPECT_EQ(broker->totals().waiting_sends, 1u);
  EXPECT_EQ(broker->totals().depth, 14u);
  EXPECT_EQ(broker->totals().in_flight, 1u);
  EXPECT_EQ(broker->totals().consumers, 3u);

  EXPECT_FALSE(broker->is_draining());
  broker->StartDrain();
  broker->StartDrain();
  EXPECT_TRUE(broker->is_draining());
  EXPECT_TRUE(Look(*idle, waiting));
  EXPECT_EQ(waiting.acks.at(0).reason, ClosedReason::kShuttingDown);
  EXPECT_EQ(bored.told->count, 1);
  EXPECT_EQ(empty->Poll(bored.consumer).ended, ClosedReason::kShuttingDown);
  const auto refused = broker->queues().Declare("new", {});
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_EQ(refused.error().reason(), "DRAINING");
  EXPECT_GT(refused.error().retry_delay().count(), 0);

  EXPECT_FALSE(broker->is_drained());
  EXPECT_EQ(Take(*busy, receiver).messages, 5u);
  Settle(*busy, receiver.lease, 1, 5);
  EXPECT_EQ(busy->Poll(receiver.consumer).ended, ClosedReason::kShuttingDown);
  EXPECT_FALSE(broker->is_drained()) << "a unary lease is held";
  Settle(*unary, held.lease, 1, 1);
  EXPECT_TRUE(broker->is_drained()) << "the idle one has nobody to deliver to";

  const auto lost = broker->FinishDrain();
  ASSERT_EQ(lost.size(), 2u);
  EXPECT_EQ(lost[0].queue, "idle");
  EXPECT_EQ(lost[0].messages, 5u);
  EXPECT_EQ(lost[1].queue, "unary");
  EXPECT_EQ(lost[1].messages, 4u);
  EXPECT_EQ(broker->totals().retained_bytes, 0u);
  busy->Detach(receiver.consumer, Leaving::kFinished);
  empty->Detach(bored.consumer, Leaving::kFinished);
}

// Clauses: N41
TEST_F(Registry, PastTheGraceEverybodyIsEnded) {
  const auto broker = MakeBroker();
  const auto queue = broker->queues().Declare("q", {})->channel;
  Try(*queue, {"1", "2"});
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  ASSERT_EQ(Take(*queue, receiver, 3).messages, 1u);
  const auto kept = broker->sessions().Keep("", nullptr);
  broker->StartDrain();
  EXPECT_EQ(broker->FinishDrain().at(0).messages, 2u);
  EXPECT_EQ(queue->Poll(receiver.consumer).ended, ClosedReason::kShuttingDown);
  EXPECT_EQ(broker->sessions().fence(kept->id), 0u);
  EXPECT_TRUE(broker->is_drained());
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

TEST_F(Registry, DeadlinesOfItsQueuesRunFromItsTimers) {
  const auto broker = MakeBroker();
  int woken = 0;
  broker->timers().SetWake([&] { ++woken; });
  const auto queue = broker->queues().Declare("q", {})->channel;
  Try(*queue, {"1"});
  ReceiveOptions options;
  options.lease = 5s;
  ReceiveNow(*queue, options);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(broker->timers().next(), clock.Now() + 5s);
  clock.Advance(5s);
  EXPECT_GT(broker->timers().RunDue(clock.Now()), clock.Now() + 5s);
  EXPECT_EQ(queue->Describe().come_back, 1u);
  EXPECT_EQ(woken, 1) << "who runs the timers learns the next deadline from them";
}

// Channels that come and go leave nothing behind, also when nobody wants their names or their room.
TEST_F(Registry, WhatHasEndedIsForgottenAfterAWhile) {
  const auto broker = MakeBroker();
  const auto pass = [&](Duration time) {
    clock.Advance(time);
    broker->timers().RunDue(clock.Now());
  };
  const auto topic = broker->topics().Declare("t", {})->channel;
  broker->queues().Declare("q", {})->channel->Close(ClosedReason::kRequested);
  ASSERT_TRUE(broker->queues().Declare("alive", {}).ok());
  Try(*broker->queues().Declare("full", {})->channel, {"1"});
  broker->queues().LookUp("full")->get()->Close(
      ClosedReason::kRequested);  // not ended: not drained
  topic->Close(ClosedReason::kRequested);
  broker->responders().Declare("r", {})->channel->Close(ClosedReason::kRequested);
  ASSERT_EQ(broker->channels(), 5u);
  pass(kEndedMemory - 1s);
  EXPECT_EQ(broker->channels(), 5u);
  pass(1s);
  EXPECT_EQ(broker->channels(), 5u) << "each answers for a while after its end";
  pass(kEndedMemory);
  EXPECT_EQ(broker->channels(), 2u);
  EXPECT_EQ(broker->queues().LookUp("q").error().code(), Code::kNotFound);
  EXPECT_TRUE(broker->queues().LookUp("full").ok());
  EXPECT_TRUE(broker->queues().LookUp("alive").ok());
}

}  // namespace
}  // namespace sluice::broker
