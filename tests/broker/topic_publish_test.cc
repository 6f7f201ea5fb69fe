// SPDX-License-Identifier: Apache-2.0
// What becomes of what is published: nobody there, sent again, atomic, tied.
#include <array>

#include "tests/broker/topic_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class TopicPublish : public TopicFixture {
 protected:
  std::shared_ptr<Topic> MakeForgetful() {
    TopicSpec spec;
    spec.resume_window_ms = 0;
    return MakeTopic(spec);
  }
  const std::string id = "0123456789abcdef";
};

// Clauses: X43 N29 B4
TEST_F(TopicPublish, X43_WithoutSubscribersNothingIsStored) {
  const auto topic = MakeForgetful();
  const auto acks = Publish(*topic, {"1", "2"}, From(5));
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].outcome, Outcome::kNoSubscribers);
  EXPECT_EQ(acks[0].first_sequence, 5u);
  EXPECT_EQ(acks[0].count, 2u);
  EXPECT_EQ(acks[0].first_position, 0u);
  EXPECT_EQ(acks[0].delivered_to, 0u);
  EXPECT_EQ(topic->Describe().next_position, 1u);
  EXPECT_EQ(topic->Describe().no_subscribers, 2u);
  EXPECT_EQ(topic->Describe().retained_bytes, 0u);
  EXPECT_FALSE(topic->Describe().stores);
  Reader reader;
  Subscribe(*topic, reader);
  EXPECT_TRUE(topic->Describe().stores);
  EXPECT_EQ(Publish(*topic, {"3"}).at(0).first_position, 1u);
  EXPECT_EQ(Read(*topic, reader), Strings{"3"});
  topic->Unsubscribe(reader.subscriber);
  EXPECT_EQ(Publish(*topic, {"4"}).at(0).outcome, Outcome::kNoSubscribers);
}

// Clauses: X43 N29
TEST_F(TopicPublish, WithinTheWindowItIsStoredForWhoComesBack) {
  const auto topic = MakeTopic(8);
  EXPECT_EQ(Publish(*topic, {"0"}).at(0).outcome, Outcome::kNoSubscribers) << "nobody ever was";
  Reader reader;
  Subscribe(*topic, reader);
  topic->Unsubscribe(reader.subscriber);
  Pass(59'999ms);
  const auto acks = Publish(*topic, {"1"});
  EXPECT_EQ(acks.at(0).outcome, Outcome::kOk);
  EXPECT_EQ(acks.at(0).first_position, 1u);
  EXPECT_EQ(acks.at(0).delivered_to, 0u);
  Pass(1ms);
  EXPECT_EQ(Publish(*topic, {"2"}).at(0).outcome, Outcome::kNoSubscribers);
  EXPECT_FALSE(topic->Describe().stores);
  Reader again;
  Subscribe(*topic, again, StartingFrom(SubscribeFrom::kPosition, 1, 7));
  EXPECT_EQ(again.announced.continuity, Continuity::kContinued);
  EXPECT_EQ(Read(*topic, again), Strings{"1"});
  topic->Unsubscribe(again.subscriber);
}

// Clauses: N32
TEST_F(TopicPublish, DeliveredToCountsThoseAttached) {
  const auto topic = MakeTopic(8);
  std::array<Reader, 3> readers;
  for (Reader& reader : readers) Subscribe(*topic, reader);
  EXPECT_EQ(Publish(*topic, {"1"}).at(0).delivered_to, 3u);
  topic->Unsubscribe(readers[1].subscriber);
  EXPECT_EQ(Publish(*topic, {"2"}).at(0).delivered_to, 2u);
  for (Reader& reader : readers) topic->Unsubscribe(reader.subscriber);
}

// Clauses: N9
TEST_F(TopicPublish, ASequenceIsJudgedOnce) {
  const auto topic = MakeForgetful();
  EXPECT_EQ(Publish(*topic, {"1"}, From(1, id)).at(0).outcome, Outcome::kNoSubscribers);
  Reader reader;
  Subscribe(*topic, reader);
  const auto refused = Publish(*topic, {"1"}, From(1, id));
  EXPECT_EQ(refused.at(0).outcome, Outcome::kNoSubscribers) << "its repeat gets the same";
  EXPECT_TRUE(refused.at(0).duplicate);
  EXPECT_EQ(Publish(*topic, {"2", "3"}, From(2, id)).at(0).first_position, 1u);
  const auto again = Publish(*topic, {"3", "4"}, From(3, id));
  ASSERT_EQ(again.size(), 2u);
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].outcome, Outcome::kOk);
  EXPECT_EQ(again[0].first_position, 0u);
  EXPECT_EQ(again[1].first_position, 3u);
  EXPECT_EQ(Read(*topic, reader), (Strings{"2", "3", "4"}));
  EXPECT_EQ(topic->Describe().duplicates, 2u);
  Producer producer;
  const auto opened = topic->OpenProducer(producer, id, nullptr);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->last_sequence, 4u);
  EXPECT_EQ(opened->epoch, 7u);
  topic->CloseProducer(producer);
  topic->Unsubscribe(reader.subscriber);
}

// Clauses: N9
TEST_F(TopicPublish, ASecondStreamOfAProducerSupersedesTheFirst) {
  const auto topic = MakeTopic(8);
  Producer first, second;
  const auto told = std::make_shared<CountingNotifier>();
  ASSERT_TRUE(topic->OpenProducer(first, id, told).ok());
  ASSERT_TRUE(topic->OpenProducer(second, id, nullptr).ok());
  EXPECT_TRUE(topic->IsSuperseded(first));
  EXPECT_FALSE(topic->IsSuperseded(second));
  EXPECT_EQ(told->count, 1);
  EXPECT_EQ(topic->Describe().publishers, 1u);
  topic->CloseProducer(first);
  topic->CloseProducer(second);
}

// Clauses: N8 N14
TEST_F(TopicPublish, WhatCanNeverEnterIsRefusedWhole) {
  const auto topic = MakeTopic(4);
  Reader reader;
  Subscribe(*topic, reader);
  Sending large;
  Start(*topic, large, Numbered(1, 5), Atomic());
  EXPECT_EQ(large.status.code(), Code::kInvalidArgument);
  EXPECT_EQ(large.status.reason(), "OUT_OF_BOUNDS");
  Sending bad;
  Start(*topic, bad, {"1"}, From(1, "short"));
  EXPECT_EQ(bad.status.reason(), "INVALID_FIELD");
  EXPECT_EQ(topic->Describe().accepted, 0u);
  EXPECT_EQ(Publish(*topic, Numbered(1, 4), Atomic()).at(0).count, 4u);
  EXPECT_EQ(Publish(*topic, Numbered(5, 4), Atomic()).at(0).count, 4u) << "it overwrites";
  EXPECT_EQ(Read(*topic, reader), Join({"lagged 4"}, Numbered(5, 4)));
  topic->Unsubscribe(reader.subscriber);
}

// Clauses: X44 N32 N1 B16
TEST_F(TopicPublish, X44_ATiedTopicEndsWithItsLastPublisher) {
  TopicSpec spec;
  spec.lifetime = Lifetime::kTied;
  spec.capacity = 4;
  const auto topic = MakeTopic(spec);
  Reader laggard, waiting;
  Subscribe(*topic, laggard);
  Subscribe(*topic, waiting);
  Producer first, second;
  ASSERT_TRUE(topic->OpenProducer(first, "", nullptr).ok());
  ASSERT_TRUE(topic->OpenProducer(second, "", nullptr).ok());
  PublishEach(*topic, 1, 10);
  Read(*topic, waiting);
  topic->CloseProducer(first);
  EXPECT_EQ(topic->Describe().state, TopicState::kOpen);
  topic->CloseProducer(second);
  EXPECT_EQ(topic->Describe().state, TopicState::kClosed);
  EXPECT_EQ(waiting.told->count, 1) << "who waits is told of the end";
  EXPECT_EQ(Take(*topic, waiting).ended, ClosedReason::kProducersGone);
  EXPECT_FALSE(topic->has_ended());
  EXPECT_EQ(Read(*topic, laggard), Join({"lagged 6"}, Numbered(7, 4))) << "N messages follow it";
  EXPECT_EQ(laggard.ended, ClosedReason::kProducersGone);
  EXPECT_TRUE(topic->has_ended());
  const auto late = Publish(*topic, {"11"});
  EXPECT_EQ(late.at(0).outcome, Outcome::kClosed);
  EXPECT_EQ(late.at(0).reason, ClosedReason::kProducersGone);
}

// Clauses: N1 N3
TEST_F(TopicPublish, ASessionIsAPublisherOfATiedTopic) {
  TopicSpec spec;
  spec.lifetime = Lifetime::kTied;
  const auto topic = MakeTopic(spec);
  Publish(*topic, {"1"});
  EXPECT_EQ(topic->Describe().publishers, 0u) << "without a session it neither arms nor ends it";
  Publish(*topic, {"2"}, InSession("session"));
  EXPECT_EQ(topic->Describe().publishers, 1u);
  topic->SessionEnded("another");
  EXPECT_EQ(topic->Describe().state, TopicState::kOpen);
  topic->SessionEnded("session");
  topic->SessionEnded("session");
  EXPECT_EQ(topic->Describe().closed_reason, ClosedReason::kProducersGone);
}

}  // namespace
}  // namespace sluice::broker
