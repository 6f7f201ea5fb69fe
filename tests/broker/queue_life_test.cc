// SPDX-License-Identifier: Apache-2.0
// How a queue lives and ends: standing and tied, closed, deleted, purged, looked at.
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class QueueLife : public QueueFixture {
 protected:
  std::shared_ptr<Queue> MakeTied() {
    QueueSpec spec;
    spec.lifetime = Lifetime::kTied;
    return Make(spec);
  }
  ClosedReason End(Queue& queue, Receiver& receiver) { return queue.Poll(receiver.consumer).ended; }
};

// Clauses: N1
TEST_F(QueueLife, X02_AStandingQueueNeedsNoProducer) {
  const auto queue = Make(10);
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  Pass(1s);
  EXPECT_EQ(End(*queue, receiver), ClosedReason::kUnspecified);
  for (const char* payload : {"1", "2"}) {
    Producer producer;
    ASSERT_TRUE(queue->OpenProducer(producer, "", nullptr).ok());
    Try(*queue, {payload});
    queue->CloseProducer(producer);
    EXPECT_EQ(Payloads(Take(*queue, receiver)), Strings{payload});
    EXPECT_EQ(End(*queue, receiver), ClosedReason::kUnspecified);
  }
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N1 N20 M36
TEST_F(QueueLife, X03_ATiedQueueEndsWithItsLastProducer) {
  const auto queue = MakeTied();
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  EXPECT_EQ(End(*queue, receiver), ClosedReason::kUnspecified) << "an early consumer waits";
  Producer first, second;
  ASSERT_TRUE(queue->OpenProducer(first, "", nullptr).ok());
  ASSERT_TRUE(queue->OpenProducer(second, "", nullptr).ok());
  EXPECT_EQ(queue->Describe().producers, 2u);
  Try(*queue, {"a", "b"});
  queue->CloseProducer(first);
  Try(*queue, {"c"});
  queue->CloseProducer(second);
  EXPECT_EQ(queue->Describe().state, QueueState::kClosed);
  EXPECT_EQ(Payloads(Take(*queue, receiver)), (Strings{"a", "b", "c"}));
  EXPECT_EQ(End(*queue, receiver), ClosedReason::kUnspecified) << "not before all is settled";
  Settle(*queue, receiver.lease, 1, 3);
  EXPECT_EQ(End(*queue, receiver), ClosedReason::kProducersGone);
  const auto late = Try(*queue, {"d"});
  EXPECT_EQ(late.at(0).outcome, Outcome::kClosed);
  EXPECT_EQ(late.at(0).reason, ClosedReason::kProducersGone);
  EXPECT_EQ(queue->Describe().refused_closed, 1u);
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N1
TEST_F(QueueLife, SessionsThatSendAreProducersUnarySendsWithoutAreNot) {
  const auto queue = MakeTied();
  Try(*queue, {"1"});
  EXPECT_EQ(queue->Describe().state, QueueState::kOpen);
  Try(*queue, {"2"}, InSession("s"));
  Try(*queue, {"3"}, InSession("s"));
  Producer producer;
  ASSERT_TRUE(queue->OpenProducer(producer, "", nullptr).ok());
  EXPECT_EQ(queue->Describe().producers, 2u);
  queue->CloseProducer(producer);
  EXPECT_EQ(queue->Describe().state, QueueState::kOpen) << "the session is still there";
  queue->SessionEnded("another");
  EXPECT_EQ(queue->Describe().state, QueueState::kOpen);
  queue->SessionEnded("s");
  EXPECT_EQ(queue->Describe().state, QueueState::kClosed);
  EXPECT_EQ(queue->Describe().closed_reason, ClosedReason::kProducersGone);
}

// Clauses: N4 M30 M31 M33
TEST_F(QueueLife, X08_CloseRefusesAndDrains) {
  const auto queue = Make(3);
  ASSERT_EQ(TryEach(*queue, Numbered(1, 3)), Outcomes(3, Outcome::kOk));
  Sending first, second;
  Start(*queue, first, {"4", "5"}, {});
  Start(*queue, second, {"6"}, {});
  queue->Close(ClosedReason::kRequested);
  EXPECT_TRUE(Look(*queue, first) && Look(*queue, second));
  EXPECT_EQ(first.outcomes(), Outcomes(2, Outcome::kClosed));
  EXPECT_EQ(first.acks.at(0).reason, ClosedReason::kRequested);
  EXPECT_EQ(TryEach(*queue, {"7"}), Outcomes{Outcome::kClosed});

  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  EXPECT_EQ(Payloads(Take(*queue, receiver)), Numbered(1, 3));
  Settle(*queue, receiver.lease, 1, 2);
  EXPECT_EQ(End(*queue, receiver), ClosedReason::kUnspecified);
  Settle(*queue, receiver.lease, 3, 1);
  EXPECT_EQ(receiver.told->count, 1);
  EXPECT_EQ(End(*queue, receiver), ClosedReason::kRequested);
  queue->Close(ClosedReason::kRequested);
  EXPECT_EQ(queue->Describe().state, QueueState::kEnded);
  EXPECT_EQ(queue->Describe().depth, 0u);
  queue->Detach(receiver.consumer, Leaving::kFinished);

  Receiver late;
  ASSERT_TRUE(Attach(*queue, late).ok());
  EXPECT_EQ(End(*queue, late), ClosedReason::kRequested);
  queue->Detach(late.consumer, Leaving::kFinished);
  EXPECT_EQ(ReceiveNow(*queue).outcome, Outcome::kClosed);
}

// Clauses: M31 M32 N15
TEST_F(QueueLife, AClosedQueueEndsWithTheLastThatCouldComeBack) {
  const auto queue = Make(3);
  Try(*queue, {"1"});
  const Received held = ReceiveNow(*queue);
  Receiving waiting;
  ASSERT_TRUE(queue->Receive(waiting.ticket, {}, waiting.told).ok());
  queue->Close(ClosedReason::kRequested);
  EXPECT_FALSE(queue->TakeReceived(waiting.ticket, waiting.received)) << "it may come back";
  Settle(*queue, held.lease, 1, 1);
  ASSERT_TRUE(queue->TakeReceived(waiting.ticket, waiting.received));
  EXPECT_EQ(waiting.received.outcome, Outcome::kClosed);
  EXPECT_EQ(waiting.received.reason, ClosedReason::kRequested);
  EXPECT_EQ(waiting.told->count, 1);
}

// Clauses: N4 N41
TEST_F(QueueLife, ShuttingDownReplacesRequestedForThoseStillHere) {
  const auto queue = Make(3);
  Try(*queue, {"1"});
  queue->Close(ClosedReason::kRequested);
  queue->Close(ClosedReason::kShuttingDown);
  queue->Close(ClosedReason::kRequested);
  EXPECT_EQ(queue->Describe().closed_reason, ClosedReason::kShuttingDown);
  EXPECT_EQ(Pop(*queue), "1");
  queue->Close(ClosedReason::kRequested);
  EXPECT_EQ(ReceiveNow(*queue).reason, ClosedReason::kShuttingDown);
}

// Clauses: N4 M38
TEST_F(QueueLife, X09_DeleteDestroysAndEndsEverybody) {
  const auto queue = Make(3);
  ASSERT_EQ(TryEach(*queue, Numbered(1, 3)), Outcomes(3, Outcome::kOk));
  Receiver receiver, standby;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  ConsumerOptions options;
  options.mode = AttachMode::kStandby;
  ASSERT_TRUE(Attach(*queue, standby, options).ok());
  ASSERT_EQ(Take(*queue, receiver, 3).messages, 1u);
  Sending waiting;
  Start(*queue, waiting, {"4", "5", "6"}, {});
  EXPECT_EQ(queue->Delete(ClosedReason::kDeleted), 4u) << "three queued and one in flight";
  EXPECT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.outcomes(), (Outcomes{Outcome::kOk, Outcome::kClosed, Outcome::kClosed}));
  EXPECT_EQ(waiting.acks.at(1).reason, ClosedReason::kDeleted);
  EXPECT_EQ(End(*queue, receiver), ClosedReason::kDeleted);
  EXPECT_EQ(End(*queue, standby), ClosedReason::kDeleted);
  EXPECT_EQ(standby.told->count, 1);
  EXPECT_FALSE(queue->Poll(standby.consumer).attached);
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  EXPECT_EQ(Settle(*queue, receiver.lease, 1, 1).outcome, Outcome::kStale);
  EXPECT_EQ(queue->Delete(ClosedReason::kDeleted), 0u);
  EXPECT_EQ(queue->Describe().deleted, 4u);
  EXPECT_EQ(queue->Describe().retained_bytes, 0u);
  EXPECT_TRUE(queue->has_ended());
  queue->Detach(receiver.consumer, Leaving::kLost);
  queue->Detach(standby.consumer, Leaving::kLost);
  ExpectConserved(*queue);
}

TEST_F(QueueLife, DeletePurgeAndPeekWithUnaryLeasesAndDelayed) {
  const auto queue = Make(10);
  Try(*queue, Numbered(1, 6));
  ReceiveOptions options;
  options.max_messages = 4;
  const Received held = ReceiveNow(*queue, options);
  Nack(*queue, held.lease, 2, 1, 5s);
  Nack(*queue, held.lease, 3, 1, 0s);

  Delivery seen;
  queue->Peek(1, 10, kDeliveryBytesMax, seen);
  EXPECT_EQ(Positions(seen), (Numbers{2, 3, 5, 6})) << "what is held is not queued";
  EXPECT_EQ(Payloads(seen), (Strings{"2", "3", "5", "6"}));
  EXPECT_EQ(seen.runs.at(0).attempts, 1u);
  EXPECT_EQ(seen.runs.at(0).failures, 1u);
  EXPECT_EQ(seen.runs.at(1).attempts, 0u);
  queue->Peek(3, 2, kDeliveryBytesMax, seen);
  EXPECT_EQ(Positions(seen), (Numbers{3, 5}));
  queue->Peek(6, 2, 1, seen);
  EXPECT_EQ(Positions(seen), Numbers{6}) << "one message whatever its size";
  queue->Peek(1, 10, 6, seen);
  EXPECT_EQ(Positions(seen), (Numbers{2, 3}));
  queue->Peek(7, 10, kDeliveryBytesMax, seen);
  EXPECT_EQ(seen.messages, 0u);

  EXPECT_EQ(queue->Purge(), 4u);
  QueueStats stats = queue->Describe();
  EXPECT_EQ(stats.purged, 4u);
  EXPECT_EQ(stats.in_flight, 2u) << "what is held stays";
  EXPECT_EQ(stats.depth + stats.delayed, 0u);
  EXPECT_EQ(queue->Delete(ClosedReason::kDeleted), 2u);
  stats = queue->Describe();
  EXPECT_EQ(stats.leases + stats.consumers, 0u);
  EXPECT_EQ(stats.retained_bytes, 0u);
  ExpectConserved(*queue);
}

TEST_F(QueueLife, PurgeLetsTheLineIn) {
  const auto queue = Make(2);
  Try(*queue, {"1", "2"});
  Sending waiting;
  Start(*queue, waiting, {"3", "4", "5"}, {});
  EXPECT_EQ(queue->Purge(), 2u);
  EXPECT_EQ(Pop(*queue), "3");
  EXPECT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.acks.at(0).first_position, 3u);
}

TEST_F(QueueLife, PurgeOfAClosedQueueEndsIt) {
  const auto queue = Make(2);
  Try(*queue, {"1", "2"});
  queue->Close(ClosedReason::kRequested);
  EXPECT_FALSE(queue->has_ended());
  queue->Purge();
  EXPECT_TRUE(queue->has_ended());
}

// Clauses: N43
TEST_F(QueueLife, X21_LookingDoesNotKeepAQueueOpen) {
  const auto queue = MakeTied();
  Producer producer;
  ASSERT_TRUE(queue->OpenProducer(producer, "", nullptr).ok());
  queue->Describe();
  queue->CloseProducer(producer);
  for (int i = 0; i < 3; ++i) {
    const QueueStats stats = queue->Describe();
    EXPECT_EQ(stats.state, QueueState::kEnded);
    EXPECT_EQ(stats.closed_reason, ClosedReason::kProducersGone);
    EXPECT_EQ(stats.producers, 0u);
  }
}

TEST_F(QueueLife, DescribeShowsAtMostSixteenPeers) {
  QueueSpec spec;
  spec.shared = true;
  const auto queue = Make(spec);
  std::vector<std::unique_ptr<Receiver>> receivers;
  for (int i = 0; i < 17; ++i) {
    ConsumerOptions options;
    options.peer = "peer" + std::to_string(i);
    receivers.push_back(std::make_unique<Receiver>());
    ASSERT_TRUE(Attach(*queue, *receivers.back(), options).ok());
  }
  const QueueStats stats = queue->Describe();
  EXPECT_EQ(stats.consumers, 17u);
  ASSERT_EQ(stats.consumer_peers.size(), 16u);
  EXPECT_EQ(stats.consumer_peers.front(), "peer0");
  for (auto& receiver : receivers) queue->Detach(receiver->consumer, Leaving::kFinished);
}

}  // namespace
}  // namespace sluice::broker
