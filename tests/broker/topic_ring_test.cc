// SPDX-License-Identifier: Apache-2.0
// What a topic retains, and what a subscriber that falls behind is told.
#include "tests/broker/topic_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

using TopicRing = TopicFixture;

// Clauses: B1
TEST_F(TopicRing, TheCapacityIsRoundedUpToAPowerOfTwo) {
  EXPECT_EQ(MakeTopic(1)->spec().capacity, 1u);
  EXPECT_EQ(MakeTopic(3)->spec().capacity, 4u);
  EXPECT_EQ(MakeTopic(1'000'000)->spec().capacity, 1'048'576u);
}

// Clauses: B3 B7 B14 N28
TEST_F(TopicRing, EverySubscriberGetsEverythingFromItsPositionOn) {
  const auto topic = MakeTopic(8);
  Reader first, second;
  Subscribe(*topic, first);
  EXPECT_EQ(first.announced.epoch, 7u);
  EXPECT_EQ(first.announced.next_position, 1u);
  EXPECT_EQ(first.announced.continuity, Continuity::kFresh);
  EXPECT_EQ(Publish(*topic, Numbered(1, 3)).at(0).delivered_to, 1u);
  Subscribe(*topic, second);
  EXPECT_EQ(second.announced.next_position, 4u);
  const auto acks = Publish(*topic, Numbered(4, 2));
  EXPECT_EQ(acks.at(0).first_position, 4u);
  EXPECT_EQ(acks.at(0).delivered_to, 2u);
  EXPECT_EQ(Read(*topic, first), Numbered(1, 5));
  EXPECT_EQ(Read(*topic, second), Numbered(4, 2));
  topic->Unsubscribe(first.subscriber);
  topic->Unsubscribe(second.subscriber);
}

// Clauses: B5 B8 B9 B11
TEST_F(TopicRing, ALagIsExactAndTheRestFollows) {
  const auto topic = MakeTopic(4);
  Reader slow, fast;
  Subscribe(*topic, slow);
  Subscribe(*topic, fast);
  for (int i = 1; i <= 7; ++i) {
    PublishEach(*topic, i, 1);
    EXPECT_EQ(Read(*topic, fast), Numbered(i, 1));
  }
  const Taken taken = Take(*topic, slow);
  EXPECT_EQ(taken.missed, 3u);
  EXPECT_EQ(taken.next_position, 4u);
  EXPECT_EQ(Payloads(taken.delivery), Numbered(4, 4));
  PublishEach(*topic, 8, 6);
  EXPECT_EQ(Read(*topic, slow), Join({"lagged 2"}, Numbered(10, 4)));
  EXPECT_EQ(Read(*topic, fast), Join({"lagged 2"}, Numbered(10, 4)));
  EXPECT_EQ(fast.delivered + fast.missed, 13u);
  EXPECT_EQ(slow.delivered + slow.missed, 13u);
  const TopicStats stats = topic->Describe();
  EXPECT_EQ(stats.missed, 3u + 2u + 2u);
  EXPECT_EQ(stats.delivered, slow.delivered + fast.delivered);
  EXPECT_EQ(stats.overwritten, 9u);
  EXPECT_EQ(stats.oldest_position, 10u);
  ExpectConserved(*topic);
  topic->Unsubscribe(slow.subscriber);
  topic->Unsubscribe(fast.subscriber);
}

// Clauses: B8
TEST_F(TopicRing, WhatJustFitsIsNoLag) {
  const auto topic = MakeTopic(4);
  Reader reader;
  Subscribe(*topic, reader);
  Publish(*topic, Numbered(1, 4));
  EXPECT_EQ(Read(*topic, reader), Numbered(1, 4));
  topic->Unsubscribe(reader.subscriber);
}

// Clauses: B5
TEST_F(TopicRing, AFrameLargerThanTheRingLeavesItsEnd) {
  const auto topic = MakeTopic(4);
  Reader reader;
  Subscribe(*topic, reader);
  const auto acks = Publish(*topic, Numbered(1, 10));
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].count, 10u);
  EXPECT_EQ(acks[0].first_position, 1u);
  EXPECT_EQ(Read(*topic, reader), Join({"lagged 6"}, Numbered(7, 4)));
  ExpectConserved(*topic);
  topic->Unsubscribe(reader.subscriber);
}

// Clauses: X42 B11 N30
TEST_F(TopicRing, X42_OnlyTheSlowOneLags) {
  const auto topic = MakeTopic(64);
  Reader fast, slow;
  Subscribe(*topic, fast);
  Subscribe(*topic, slow);
  int next = 1;
  Strings seen;
  for (int round = 0; round < 250; ++round) {
    Publish(*topic, Numbered(next, 40));
    next += 40;
    EXPECT_EQ(Read(*topic, fast), Numbered(next - 40, 40));
    if (round == 100) Take(*topic, slow);
  }
  Read(*topic, slow);
  EXPECT_EQ(fast.delivered, 10'000u);
  EXPECT_EQ(fast.missed, 0u);
  EXPECT_GT(slow.missed, 9'000u);
  EXPECT_EQ(slow.delivered + slow.missed, 10'000u);
  topic->Unsubscribe(fast.subscriber);
  topic->Unsubscribe(slow.subscriber);
}

// Clauses: N31
TEST_F(TopicRing, WhatEverybodyHasReadIsKept) {
  const auto topic = MakeTopic(4);
  Reader reader, later;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 6);
  Read(*topic, reader);
  Subscribe(*topic, later, StartingFrom(SubscribeFrom::kEarliest));
  EXPECT_EQ(later.announced.next_position, 3u);
  EXPECT_EQ(later.announced.continuity, Continuity::kFresh);
  EXPECT_EQ(later.announced.missed, 0u);
  EXPECT_EQ(Read(*topic, later), Numbered(3, 4));
  topic->Unsubscribe(reader.subscriber);
  topic->Unsubscribe(later.subscriber);
}

// Clauses: B13
TEST_F(TopicRing, DescribeTellsHowFarBehindEachIs) {
  const auto topic = MakeTopic(4);
  Reader early, late;
  SubscriberOptions options;
  options.stream_id = 12;
  options.subscriber = "late";
  options.peer = "ipv4:10.0.0.7:1";
  options.pattern = "t.>";
  Subscribe(*topic, late, options);
  options.stream_id = 5;
  Subscribe(*topic, early, options);
  PublishEach(*topic, 1, 6);
  Take(*topic, late);
  const auto all = topic->Subscribers(0, 10);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].stream_id, 5u) << "oldest stream first";
  EXPECT_EQ(all[0].behind, 6u) << "overwritten ones included";
  EXPECT_EQ(all[0].next_position, 1u);
  EXPECT_EQ(all[1].subscriber, "late");
  EXPECT_EQ(all[1].peer, "ipv4:10.0.0.7:1");
  EXPECT_EQ(all[1].pattern, "t.>");
  EXPECT_EQ(all[1].behind, 0u);
  EXPECT_EQ(all[1].delivered, 4u);
  EXPECT_EQ(all[1].missed, 2u);
  EXPECT_EQ(topic->Subscribers(5, 10).size(), 1u);
  EXPECT_EQ(topic->Subscribers(0, 1).at(0).stream_id, 5u);
  topic->Unsubscribe(early.subscriber);
  topic->Unsubscribe(late.subscriber);
}

// Clauses: B27 N14
TEST_F(TopicRing, BytesBoundItToo) {
  TopicSpec spec;
  spec.bytes_max = kBytesMaxLeast;
  const auto topic = MakeTopic(spec);
  Reader reader;
  Subscribe(*topic, reader);
  // Each is charged 100 + 2 + 64 bytes: six fit.
  Strings sent;
  for (int i = 0; i < 10; ++i) {
    sent.push_back(std::string(99, '.') + static_cast<char>('0' + i));
    Publish(*topic, {sent.back()});
    ExpectConserved(*topic);
  }
  EXPECT_EQ(topic->Describe().depth, 6u);
  EXPECT_EQ(topic->Describe().retained_bytes, 6u * 166u);
  EXPECT_EQ(Read(*topic, reader), Join({"lagged 4"}, Strings(sent.begin() + 4, sent.end())));
  topic->Unsubscribe(reader.subscriber);
}

// Clauses: N33
TEST_F(TopicRing, AllSubscribersShareTheStoredBytes) {
  const auto topic = MakeTopic(8);
  Reader one, other;
  Subscribe(*topic, one);
  Subscribe(*topic, other);
  Publish(*topic, Numbered(1, 3));
  const Taken first = Take(*topic, one);
  const Taken second = Take(*topic, other);
  ASSERT_EQ(first.delivery.slices.size(), 1u) << "neighbours leave as one slice";
  EXPECT_EQ(first.delivery.runs.size(), 1u);
  EXPECT_EQ(first.delivery.slices[0].bytes, second.delivery.slices[0].bytes);
  topic->Unsubscribe(one.subscriber);
  topic->Unsubscribe(other.subscriber);
}

// Clauses: N21 N30
TEST_F(TopicRing, AFrameHoldsItsBytesOrOneMessage) {
  const auto topic = MakeTopic(8);
  Reader reader;
  Subscribe(*topic, reader);
  Publish(*topic, Numbered(1, 5));
  EXPECT_EQ(Payloads(Take(*topic, reader, 7).delivery), Numbered(1, 2)) << "three bytes each";
  EXPECT_EQ(Payloads(Take(*topic, reader, 1).delivery), Numbered(3, 1));
  EXPECT_EQ(Payloads(Take(*topic, reader).delivery), Numbered(4, 2));
  topic->Unsubscribe(reader.subscriber);
}

// Clauses: B24 B25 G8
TEST_F(TopicRing, OnlyWhoAskedAndFoundNothingIsTold) {
  const auto topic = MakeTopic(8);
  Reader reader;
  Subscribe(*topic, reader);
  Publish(*topic, {"1"});
  EXPECT_EQ(reader.told->count, 0) << "it has not asked";
  Take(*topic, reader);
  Publish(*topic, {"2"});
  EXPECT_EQ(reader.told->count, 0) << "it found something";
  Take(*topic, reader);
  EXPECT_EQ(Take(*topic, reader).delivery.messages, 0u);
  EXPECT_EQ(Take(*topic, reader).delivery.messages, 0u) << "asking twice changes nothing";
  Publish(*topic, {"3"});
  Publish(*topic, {"4"});
  EXPECT_EQ(reader.told->count, 1) << "once";
  EXPECT_EQ(Read(*topic, reader), Numbered(3, 2));
  topic->Unsubscribe(reader.subscriber);
  Publish(*topic, {"5"});
  EXPECT_EQ(reader.told->count, 1);
}

}  // namespace
}  // namespace sluice::broker
