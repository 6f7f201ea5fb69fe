// SPDX-License-Identifier: Apache-2.0
// What is done about a subscriber that does not keep up.
#include "tests/broker/topic_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class TopicPolicy : public TopicFixture {
 protected:
  std::shared_ptr<Topic> MakeBlocking(std::uint64_t capacity = 2) {
    return MakeTopic(capacity, SlowPolicy::kBlock);
  }
};

// Clauses: N30
TEST_F(TopicPolicy, ADisconnectedSubscriberIsEndedByItsLag) {
  const auto topic = MakeTopic(2, SlowPolicy::kDisconnect);
  Reader slow, fast;
  Subscribe(*topic, slow);
  Subscribe(*topic, fast);
  for (int i = 1; i <= 3; ++i) {
    PublishEach(*topic, i, 1);
    Read(*topic, fast);
  }
  const Taken taken = Take(*topic, slow);
  EXPECT_EQ(taken.ended, ClosedReason::kLagged);
  EXPECT_EQ(taken.missed, 0u);
  EXPECT_EQ(taken.delivery.messages, 0u);
  EXPECT_EQ(topic->Describe().subscribers, 1u);
  EXPECT_EQ(topic->Describe().missed, 0u) << "it was told of no count";
  EXPECT_EQ(Take(*topic, slow).ended, ClosedReason::kLagged) << "and stays ended";
  EXPECT_EQ(fast.missed, 0u);
  topic->Unsubscribe(slow.subscriber);
  topic->Unsubscribe(fast.subscriber);
}

// Clauses: N30
TEST_F(TopicPolicy, ASubscriberMayAskToBeEndedByItsLag) {
  const auto topic = MakeTopic(2);
  Reader strict, patient;
  SubscriberOptions options;
  options.end_on_lag = true;
  Subscribe(*topic, strict, options);
  Subscribe(*topic, patient);
  PublishEach(*topic, 1, 3);
  EXPECT_EQ(Take(*topic, strict).ended, ClosedReason::kLagged);
  EXPECT_EQ(Read(*topic, patient), Join({"lagged 1"}, Numbered(2, 2)));
  topic->Unsubscribe(patient.subscriber);
}

// Clauses: N11 N12
TEST_F(TopicPolicy, ABlockedPublishWaitsInLineForTheSlowest) {
  const auto topic = MakeBlocking();
  Reader slow, fast;
  Subscribe(*topic, slow);
  Subscribe(*topic, fast);
  Publish(*topic, Numbered(1, 2));
  Read(*topic, fast);
  EXPECT_EQ(topic->free_slots(), 0u);
  Sending first, second;
  Start(*topic, first, {"3", "4"});
  Start(*topic, second, {"5"});
  EXPECT_FALSE(Look(*topic, first));
  EXPECT_EQ(topic->Describe().waiting_publishes, 2u);
  EXPECT_EQ(Publish(*topic, {"x"}, Trying()).at(0).outcome, Outcome::kFull);
  EXPECT_EQ(Payloads(Take(*topic, slow, 1).delivery), Numbered(1, 1)) << "room for one";
  EXPECT_EQ(first.told->count, 1);
  EXPECT_FALSE(Look(*topic, first));
  EXPECT_EQ(first.outcomes(), Outcomes{Outcome::kOk});
  EXPECT_EQ(Read(*topic, fast), Numbered(3, 1));
  EXPECT_EQ(Payloads(Take(*topic, slow).delivery), Numbered(2, 2));
  EXPECT_EQ(Read(*topic, fast), Numbered(4, 2)) << "what waited entered as the slow one read";
  EXPECT_TRUE(Look(*topic, first));
  EXPECT_TRUE(Look(*topic, second));
  EXPECT_EQ(second.acks.at(0).first_position, 5u);
  EXPECT_EQ(topic->Describe().refused_full, 1u);
  EXPECT_EQ(Read(*topic, slow), Numbered(4, 2));
  EXPECT_EQ(slow.missed + fast.missed, 0u);
  EXPECT_EQ(topic->free_slots(), 2u);
  topic->Unsubscribe(slow.subscriber);
  topic->Unsubscribe(fast.subscriber);
}

// Clauses: N11
TEST_F(TopicPolicy, WhenTheWaitIsOverTheOldestIsOverwritten) {
  const auto topic = MakeBlocking();
  EXPECT_EQ(topic->spec().block_ms, 5'000u);
  Reader slow, fast;
  Subscribe(*topic, slow);
  Subscribe(*topic, fast);
  Publish(*topic, Numbered(1, 2));
  Read(*topic, fast);
  Sending sending;
  Start(*topic, sending, {"3"});
  Pass(4'999ms);
  EXPECT_FALSE(Look(*topic, sending));
  Pass(1ms);
  EXPECT_TRUE(Look(*topic, sending));
  EXPECT_EQ(sending.outcomes(), Outcomes{Outcome::kOk});
  Read(*topic, fast);
  Publish(*topic, {"4"});
  Read(*topic, fast);
  Publish(*topic, {"5"});  // the slow one is waited for no more
  Read(*topic, fast);
  EXPECT_EQ(Payloads(Take(*topic, slow).delivery), Numbered(4, 2));
  EXPECT_EQ(slow.missed, 3u);
  Publish(*topic, {"6"});
  Read(*topic, fast);
  Sending again;
  Start(*topic, again, {"7", "8"});
  EXPECT_TRUE(Look(*topic, again)) << "not before its Lagged is written";
  Read(*topic, fast);
  Take(*topic, slow, 1);
  Sending blocked;
  Start(*topic, blocked, {"9", "10"});
  EXPECT_FALSE(Look(*topic, blocked)) << "it asked again: it is waited for";
  topic->CancelPublish(blocked.ticket);
  topic->Unsubscribe(slow.subscriber);
  topic->Unsubscribe(fast.subscriber);
}

// Clauses: N11 M13
TEST_F(TopicPolicy, AShorterWaitOfItsOwnTimesOut) {
  const auto topic = MakeBlocking();
  Reader slow;
  Subscribe(*topic, slow);
  Publish(*topic, Numbered(1, 2));
  Sending sending;
  SendOptions options;
  options.deadline = Later(clock.Now(), 100ms);
  Start(*topic, sending, {"3"}, options);
  Pass(100ms);
  EXPECT_TRUE(Look(*topic, sending));
  EXPECT_EQ(sending.outcomes(), Outcomes{Outcome::kTimedOut});
  EXPECT_EQ(topic->Describe().timed_out, 1u);
  EXPECT_EQ(Read(*topic, slow), Numbered(1, 2));
  topic->Unsubscribe(slow.subscriber);
}

// Clauses: N11
TEST_F(TopicPolicy, WhoLeavesIsNotWaitedFor) {
  const auto topic = MakeBlocking();
  Reader slow;
  Subscribe(*topic, slow);
  Publish(*topic, Numbered(1, 2));
  Sending sending;
  Start(*topic, sending, {"3"});
  EXPECT_FALSE(Look(*topic, sending));
  topic->Unsubscribe(slow.subscriber);
  EXPECT_TRUE(Look(*topic, sending));
  EXPECT_EQ(sending.outcomes(), Outcomes{Outcome::kOk}) << "stored for the one that comes back";
  EXPECT_EQ(sending.acks.at(0).delivered_to, 0u);
}

// Clauses: M14 N9
TEST_F(TopicPolicy, ACancelledPublishNeverAppears) {
  const auto topic = MakeBlocking();
  Reader slow;
  Subscribe(*topic, slow);
  Publish(*topic, Numbered(1, 2));
  Sending cancelled, of_session, next;
  Start(*topic, cancelled, {"3"});
  Start(*topic, of_session, {"4"}, InSession("session"));
  Start(*topic, next, {"5"});
  topic->CancelPublish(cancelled.ticket);
  topic->SessionEnded("session");
  EXPECT_TRUE(Look(*topic, of_session));
  EXPECT_EQ(of_session.outcomes(), Outcomes{Outcome::kUnknown});
  EXPECT_EQ(Read(*topic, slow), (Strings{"1", "2", "5"}));
  EXPECT_TRUE(Look(*topic, next));
  topic->Unsubscribe(slow.subscriber);
}

// Clauses: N8 N11
TEST_F(TopicPolicy, AnAtomicBatchWaitsForAllItsRoom) {
  const auto topic = MakeBlocking(4);
  Reader slow;
  Subscribe(*topic, slow);
  Publish(*topic, Numbered(1, 3));
  Sending sending;
  Start(*topic, sending, Numbered(4, 3), Atomic());
  Take(*topic, slow, 1);
  EXPECT_FALSE(Look(*topic, sending));
  EXPECT_TRUE(sending.acks.empty());
  Take(*topic, slow, 1);
  EXPECT_TRUE(Look(*topic, sending));
  EXPECT_EQ(sending.acks.at(0).count, 3u);
  EXPECT_EQ(Read(*topic, slow), Numbered(3, 4));
  topic->Unsubscribe(slow.subscriber);
}

// Clauses: B27 N11 N14
TEST_F(TopicPolicy, BytesBlockToo) {
  TopicSpec spec;
  spec.bytes_max = kBytesMaxLeast;
  spec.policy = SlowPolicy::kBlock;
  const auto topic = MakeTopic(spec);
  Reader slow;
  Subscribe(*topic, slow);
  const auto payload = [](char c) { return Strings{std::string(100, c)}; };
  for (char c = 'a'; c < 'a' + 6; ++c) Publish(*topic, payload(c));
  EXPECT_EQ(Publish(*topic, payload('x'), Trying()).at(0).outcome, Outcome::kFull);
  EXPECT_EQ(topic->Describe().depth, 6u) << "a refusal overwrites nothing";
  Sending sending;
  Start(*topic, sending, payload('g'));
  EXPECT_EQ(Payloads(Take(*topic, slow, 1).delivery), payload('a'));
  EXPECT_TRUE(Look(*topic, sending));
  EXPECT_EQ(topic->Describe().depth, 6u);
  ExpectConserved(*topic);
  Sending overdue;
  Start(*topic, overdue, payload('h'));
  Pass(5s);
  EXPECT_TRUE(Look(*topic, overdue));
  EXPECT_EQ(Take(*topic, slow).missed, 1u);
  topic->Unsubscribe(slow.subscriber);
}

// Clauses: N4 N41
TEST_F(TopicPolicy, AClosedTopicRefusesWhoWaits) {
  const auto topic = MakeBlocking();
  Reader slow;
  Subscribe(*topic, slow);
  Publish(*topic, Numbered(1, 2));
  Sending sending;
  Start(*topic, sending, {"3"});
  topic->Close(ClosedReason::kShuttingDown);
  EXPECT_TRUE(Look(*topic, sending));
  EXPECT_EQ(sending.acks.at(0).outcome, Outcome::kClosed);
  EXPECT_EQ(sending.acks.at(0).reason, ClosedReason::kShuttingDown);
  EXPECT_EQ(Read(*topic, slow), Numbered(1, 2));
  EXPECT_EQ(slow.ended, ClosedReason::kShuttingDown);
}

}  // namespace
}  // namespace sluice::broker
