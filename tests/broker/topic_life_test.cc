// SPDX-License-Identifier: Apache-2.0
// How a topic is declared, closed, deleted and looked at.
#include "broker/broker.h"
#include "tests/broker/topic_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

using TopicLife = TopicFixture;

// Clauses: N5 N14
TEST_F(TopicLife, ASpecIsFilledInAndItsBoundsAreChecked) {
  const TopicSpec filled = MakeTopic()->spec();
  EXPECT_EQ(filled.capacity, 1'024u);
  EXPECT_EQ(filled.bytes_max, std::uint64_t{64} << 20);
  EXPECT_EQ(filled.message_bytes_max, std::uint32_t{1} << 20);
  EXPECT_EQ(filled.policy, SlowPolicy::kLag);
  EXPECT_EQ(filled.block_ms, 0u);
  EXPECT_EQ(filled.resume_window_ms, 60'000u);
  EXPECT_EQ(filled.lifetime, Lifetime::kStanding);
  EXPECT_EQ(filled.durability, Durability::kMemory);
  EXPECT_EQ(MakeTopic(TopicSpec{.bytes_max = kBytesMaxLeast})->spec().message_bytes_max,
            kBytesMaxLeast - 70);
  const auto reason = [this](TopicSpec spec) {
    auto effective = Effective(spec, limits);
    return effective.ok() ? std::string("OK") : effective.error().reason();
  };
  EXPECT_EQ(reason({.capacity = kCapacityMax + 1}), "OUT_OF_BOUNDS");
  EXPECT_EQ(reason({.bytes_max = kBytesMaxLeast - 1}), "OUT_OF_BOUNDS");
  EXPECT_EQ(reason({.bytes_max = kBytesMaxMost + 1}), "OUT_OF_BOUNDS");
  EXPECT_EQ(reason({.message_bytes_max = (1u << 20) + 1}), "OUT_OF_BOUNDS");
  EXPECT_EQ(reason({.policy = static_cast<SlowPolicy>(9)}), "INVALID_FIELD");
  EXPECT_EQ(reason({.block_ms = 1}), "INVALID_FIELD");
  EXPECT_EQ(reason({.policy = SlowPolicy::kDisconnect, .block_ms = 1}), "INVALID_FIELD");
  EXPECT_EQ(reason({.policy = SlowPolicy::kBlock, .block_ms = 60'000}), "OK");
  EXPECT_EQ(reason({.policy = SlowPolicy::kBlock, .block_ms = 60'001}), "OUT_OF_BOUNDS");
  EXPECT_EQ(reason({.resume_window_ms = kResumeWindowMsMax}), "OK");
  EXPECT_EQ(reason({.resume_window_ms = kResumeWindowMsMax + 1}), "OUT_OF_BOUNDS");
  EXPECT_EQ(reason({.lifetime = static_cast<Lifetime>(9)}), "INVALID_FIELD");
  EXPECT_EQ(reason({.durability = Durability::kDisk}), "DURABILITY_UNAVAILABLE");
}

// Clauses: N5 N6
TEST_F(TopicLife, X17_DeclaringTwiceFindsItAsItIs) {
  Broker broker({}, clock);
  TopicSpec spec;
  spec.capacity = 5;
  auto made = broker.topics().Declare("t", spec);
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->created);
  spec.capacity = 8;
  auto again = broker.topics().Declare("t", spec);
  ASSERT_TRUE(again.ok()) << "5 is rounded to 8";
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->channel, made->channel);
  spec.resume_window_ms = 1;
  auto otherwise = broker.topics().Declare("t", spec);
  ASSERT_FALSE(otherwise.ok());
  EXPECT_EQ(otherwise.error().reason(), "DECLARED_OTHERWISE");
  ASSERT_TRUE(broker.queues().Declare("t", {}).ok()) << "another name space";
  EXPECT_EQ(broker.totals().topics, 1u);
  made->channel->Close(ClosedReason::kRequested);
  auto anew = broker.topics().Declare("t", spec);
  ASSERT_TRUE(anew.ok());
  EXPECT_NE(anew->channel->epoch(), made->channel->epoch());
}

// Clauses: N4 B16
TEST_F(TopicLife, CloseRefusesAndLetsSubscribersFinish) {
  const auto topic = MakeTopic(8);
  Reader reader;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 3);
  topic->Close(ClosedReason::kRequested);
  topic->Close(ClosedReason::kRequested);
  EXPECT_EQ(topic->Describe().state, TopicState::kClosed);
  const auto refused = Publish(*topic, {"4"});
  EXPECT_EQ(refused.at(0).outcome, Outcome::kClosed);
  EXPECT_EQ(refused.at(0).reason, ClosedReason::kRequested);
  EXPECT_EQ(topic->Describe().refused_closed, 1u);
  EXPECT_FALSE(topic->has_ended());
  EXPECT_EQ(Read(*topic, reader), Numbered(1, 3));
  EXPECT_EQ(reader.ended, ClosedReason::kRequested);
  EXPECT_TRUE(topic->has_ended());
  EXPECT_EQ(topic->Describe().state, TopicState::kEnded);
  EXPECT_EQ(topic->Describe().depth, 3u) << "what is retained can still be had";
}

// Clauses: N4
TEST_F(TopicLife, AClosedTopicEndsWithTheLastSubscriberThatLeaves) {
  const auto topic = MakeTopic(8);
  Reader reader;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 3);
  topic->Close(ClosedReason::kRequested);
  topic->Close(ClosedReason::kShuttingDown);
  EXPECT_EQ(topic->Describe().closed_reason, ClosedReason::kShuttingDown);
  topic->Unsubscribe(reader.subscriber);
  EXPECT_TRUE(topic->has_ended());
  const auto nobody = MakeTopic(8);
  nobody->Close(ClosedReason::kRequested);
  EXPECT_TRUE(nobody->has_ended());
}

// Clauses: N4
TEST_F(TopicLife, DeleteEndsEverybodyAtOnce) {
  Broker broker({}, clock);
  const auto topic = broker.topics().Declare("t", {})->channel;
  Reader reader, later;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 3);
  auto deleted = broker.topics().Delete("t");
  ASSERT_TRUE(deleted.ok());
  EXPECT_EQ(*deleted, 3u);
  EXPECT_EQ(broker.topics().LookUp("t").error().reason(), "TOPIC_NOT_FOUND");
  const Taken taken = Take(*topic, reader);
  EXPECT_EQ(taken.delivery.messages, 0u);
  EXPECT_EQ(taken.ended, ClosedReason::kDeleted);
  EXPECT_EQ(reader.told->count, 1);
  EXPECT_EQ(Publish(*topic, {"4"}).at(0).reason, ClosedReason::kDeleted);
  EXPECT_EQ(topic->Describe().retained_bytes, 0u);
  Subscribe(*topic, later);
  EXPECT_EQ(Take(*topic, later).ended, ClosedReason::kDeleted);
}

// Clauses: N43
TEST_F(TopicLife, LookingKeepsNothingOpen) {
  const auto topic = MakeTopic(TopicSpec{.resume_window_ms = 0, .lifetime = Lifetime::kTied});
  topic->Describe();
  topic->Subscribers(0, 10);
  EXPECT_EQ(Publish(*topic, {"1"}).at(0).outcome, Outcome::kNoSubscribers);
  Producer producer;
  ASSERT_TRUE(topic->OpenProducer(producer, "", nullptr).ok());
  topic->Describe();
  topic->CloseProducer(producer);
  EXPECT_EQ(topic->Describe().state, TopicState::kEnded);
}

// Clauses: N41
TEST_F(TopicLife, ADrainTellsSubscribersWhenTheyHaveEverything) {
  Broker broker({}, clock);
  const auto topic = broker.topics().Declare("t", {})->channel;
  Reader reader, stalled;
  Subscribe(*topic, reader);
  Subscribe(*topic, stalled);
  PublishEach(*topic, 1, 3);
  broker.StartDrain();
  EXPECT_FALSE(broker.is_drained());
  EXPECT_EQ(Read(*topic, reader), Numbered(1, 3));
  EXPECT_EQ(reader.ended, ClosedReason::kShuttingDown);
  EXPECT_FALSE(broker.is_drained()) << "one has not its end";
  broker.FinishDrain();
  EXPECT_EQ(Take(*topic, stalled).ended, ClosedReason::kShuttingDown);
  EXPECT_TRUE(broker.is_drained());
  EXPECT_EQ(broker.totals().subscribers, 0u);
}

}  // namespace
}  // namespace sluice::broker
