// SPDX-License-Identifier: Apache-2.0
// Subscribers that come back, and where those begin that do not.
#include "tests/broker/topic_fixture.h"

namespace sluice::broker {
namespace {

using TopicResume = TopicFixture;

// Clauses: X46 N31
TEST_F(TopicResume, X46_WhatIsRetainedContinues) {
  const auto topic = MakeTopic(8);
  Reader reader, again;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 3);
  Read(*topic, reader);
  topic->Unsubscribe(reader.subscriber);
  PublishEach(*topic, 4, 8);
  Subscribe(*topic, again, StartingFrom(SubscribeFrom::kPosition, 4, 7));
  EXPECT_EQ(again.announced.continuity, Continuity::kContinued);
  EXPECT_EQ(again.announced.next_position, 4u);
  EXPECT_EQ(again.announced.missed, 0u);
  EXPECT_EQ(Read(*topic, again), Numbered(4, 8));
  topic->Unsubscribe(again.subscriber);
}

// Clauses: X46 N31 N30
TEST_F(TopicResume, X46_AGapIsToldOnce) {
  const auto topic = MakeTopic(8);
  Reader reader, again;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 3);
  topic->Unsubscribe(reader.subscriber);
  PublishEach(*topic, 4, 11);
  Subscribe(*topic, again, StartingFrom(SubscribeFrom::kPosition, 4, 7));
  EXPECT_EQ(again.announced.continuity, Continuity::kGap);
  EXPECT_EQ(again.announced.next_position, 7u);
  EXPECT_EQ(again.announced.missed, 3u);
  EXPECT_EQ(Read(*topic, again), Numbered(7, 8)) << "no lag repeats the gap";
  EXPECT_EQ(topic->Describe().missed, 3u);
  topic->Unsubscribe(again.subscriber);
}

// Clauses: N31
TEST_F(TopicResume, AGapAtTheBeginningIsNoLag) {
  const auto topic = MakeTopic(4);
  Reader reader, again;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 6);
  SubscriberOptions options = StartingFrom(SubscribeFrom::kPosition, 1, 7);
  options.end_on_lag = true;
  Subscribe(*topic, again, options);
  EXPECT_EQ(again.announced.missed, 2u);
  EXPECT_EQ(Read(*topic, again), Numbered(3, 4));
  EXPECT_EQ(again.ended, ClosedReason::kUnspecified);
  topic->Unsubscribe(reader.subscriber);
  topic->Unsubscribe(again.subscriber);
}

// Clauses: N31 N6
TEST_F(TopicResume, AnotherLifeOrAPositionOfNoneIsReset) {
  const auto topic = MakeTopic(4);
  Reader reader;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 6);
  struct Case {
    std::uint64_t position, epoch;
    Continuity continuity;
    std::uint64_t next_position;
  };
  for (const Case& c : {Case{5, 8, Continuity::kReset, 3}, Case{8, 7, Continuity::kReset, 3},
                        Case{7, 7, Continuity::kContinued, 7},
                        Case{3, 7, Continuity::kContinued, 3}, Case{2, 7, Continuity::kGap, 3},
                        Case{4, 0, Continuity::kContinued, 4}, Case{9, 0, Continuity::kReset, 3}}) {
    Reader again;
    Subscribe(*topic, again, StartingFrom(SubscribeFrom::kPosition, c.position, c.epoch));
    EXPECT_EQ(again.announced.continuity, c.continuity) << c.position << " of " << c.epoch;
    EXPECT_EQ(again.announced.next_position, c.next_position) << c.position << " of " << c.epoch;
    EXPECT_EQ(again.announced.epoch, 7u);
    topic->Unsubscribe(again.subscriber);
  }
  topic->Unsubscribe(reader.subscriber);
}

// Clauses: N31
TEST_F(TopicResume, WhatIsNotListedBeginsAtOne) {
  const auto topic = MakeTopic(4);
  Reader reader, fresh, late;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 2);
  Subscribe(*topic, fresh, StartingFrom(SubscribeFrom::kBeginning));
  EXPECT_EQ(fresh.announced.continuity, Continuity::kFresh);
  EXPECT_EQ(fresh.announced.next_position, 1u);
  PublishEach(*topic, 3, 4);
  Subscribe(*topic, late, StartingFrom(SubscribeFrom::kBeginning));
  EXPECT_EQ(late.announced.continuity, Continuity::kGap);
  EXPECT_EQ(late.announced.missed, 2u);
  EXPECT_EQ(Read(*topic, late), Numbered(3, 4));
  for (Reader* each : {&reader, &fresh, &late}) topic->Unsubscribe(each->subscriber);
}

// Clauses: N4 B16
TEST_F(TopicResume, AClosedTopicStillGivesWhatItRetains) {
  const auto topic = MakeTopic(4);
  Reader reader, latest, earliest, resumed;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 3);
  Read(*topic, reader);
  topic->Close(ClosedReason::kRequested);
  EXPECT_EQ(Take(*topic, reader).ended, ClosedReason::kRequested);
  EXPECT_TRUE(topic->has_ended());
  Subscribe(*topic, latest);
  EXPECT_EQ(Take(*topic, latest).ended, ClosedReason::kRequested);
  Subscribe(*topic, earliest, StartingFrom(SubscribeFrom::kEarliest));
  EXPECT_EQ(Read(*topic, earliest), Numbered(1, 3));
  EXPECT_EQ(earliest.ended, ClosedReason::kRequested);
  Subscribe(*topic, resumed, StartingFrom(SubscribeFrom::kPosition, 3, 7));
  EXPECT_EQ(Read(*topic, resumed), Numbered(3, 1));
  EXPECT_EQ(resumed.ended, ClosedReason::kRequested);
  EXPECT_EQ(topic->Describe().state, TopicState::kEnded);
}

}  // namespace
}  // namespace sluice::broker
