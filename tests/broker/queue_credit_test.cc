// SPDX-License-Identifier: Apache-2.0
// How much a stream is given, and when: credit, max_in_flight, auto_ack, shared queues.
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class QueueCredit : public QueueFixture {
 protected:
  static ConsumerOptions With(AttachMode mode, std::uint32_t credit = kCreditDefault) {
    ConsumerOptions options;
    options.mode = mode;
    options.credit.messages = credit;
    return options;
  }
};

// Clauses: N21
TEST_F(QueueCredit, X15_CreditOneIsOneOutstanding) {
  const auto queue = Make(100);
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver, With(AttachMode::kRefuse, 1)).ok());
  EXPECT_EQ(TryEach(*queue, Numbered(1, 100)), Outcomes(100, Outcome::kOk));
  EXPECT_EQ(Take(*queue, receiver).messages, 1u);
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  EXPECT_EQ(TryEach(*queue, {"101", "102"}), (Outcomes{Outcome::kOk, Outcome::kFull}))
      << "capacity + 1 in all";
  EXPECT_EQ(receiver.told->count, 0);
  Settle(*queue, receiver.lease, 1, 1);
  EXPECT_EQ(receiver.told->count, 1) << "settling frees credit";
  EXPECT_EQ(Payloads(Take(*queue, receiver)), Strings{"2"});
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N21
TEST_F(QueueCredit, CreditInBytes) {
  const auto queue = Make(100);
  ConsumerOptions options;
  options.credit = {10, 25};
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver, options).ok());
  Try(*queue,
      {std::string(30, 'x'), std::string(8, 'a'), std::string(8, 'b'), std::string(8, 'c')});
  EXPECT_EQ(Take(*queue, receiver).messages, 1u)
      << "with nothing held one passes whatever its size";
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  Settle(*queue, receiver.lease, 1, 1);
  EXPECT_EQ(receiver.told->count, 1);
  EXPECT_EQ(Take(*queue, receiver).messages, 2u) << "20 of 25 bytes";
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  Settle(*queue, receiver.lease, 2, 1);
  EXPECT_EQ(Take(*queue, receiver).messages, 1u);
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

TEST_F(QueueCredit, CreditZeroPausesAndRaisingItResumes) {
  const auto queue = Make(100);
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver, With(AttachMode::kRefuse, 0)).ok());
  Try(*queue, Numbered(1, 5));
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  queue->SetCredit(receiver.consumer, {3, 0});
  EXPECT_EQ(receiver.told->count, 1);
  EXPECT_EQ(Take(*queue, receiver).messages, 3u);
  queue->SetCredit(receiver.consumer, {1, 0});
  Settle(*queue, receiver.lease, 1, 2);
  EXPECT_EQ(Take(*queue, receiver).messages, 0u) << "lowering takes nothing back; one is held";
  Settle(*queue, receiver.lease, 3, 1);
  EXPECT_EQ(Take(*queue, receiver).messages, 1u);
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

TEST_F(QueueCredit, ADeliveryKeepsToItsBytesOrOneMessage) {
  const auto queue = Make(100);
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  Try(*queue, Strings(5, std::string(8, 'x')));
  EXPECT_EQ(Take(*queue, receiver, 1).messages, 1u);
  EXPECT_EQ(Take(*queue, receiver, 20).messages, 2u);
  EXPECT_EQ(Take(*queue, receiver, 29).messages, 2u);
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N16
TEST_F(QueueCredit, X12_AutoAckSettlesWhatWasWrittenAndReturnsTheRest) {
  const auto queue = Make(10);
  Try(*queue, Numbered(1, 10));
  ConsumerOptions options;
  options.auto_ack = true;
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver, options).ok());
  const Delivery written = Take(*queue, receiver, 15);
  ASSERT_EQ(written.messages, 5u);
  EXPECT_EQ(queue->Describe().in_flight, 5u) << "not settled before it is written";
  queue->Written(receiver.consumer, written, true);
  EXPECT_EQ(queue->Describe().settled, 5u);
  const Delivery unwritten = Take(*queue, receiver, 9);
  ASSERT_EQ(unwritten.messages, 3u);
  queue->Written(receiver.consumer, unwritten, false);
  ASSERT_EQ(Take(*queue, receiver, 6).messages, 2u);
  queue->Detach(receiver.consumer, Leaving::kLost);

  Receiver next;
  ASSERT_TRUE(Attach(*queue, next).ok());
  EXPECT_EQ(Positions(Take(*queue, next)), (Numbers{6, 7, 8, 9, 10}))
      << "no duplicate of what was written, nothing lost of what was not";
  queue->Detach(next.consumer, Leaving::kFinished);
}

// Clauses: N16 N21
TEST_F(QueueCredit, AutoAckFreesCreditWithTheWrite) {
  const auto queue = Make(10);
  Try(*queue, {"1", "2"});
  ConsumerOptions options;
  options.auto_ack = true;
  options.credit.messages = 1;
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver, options).ok());
  const Delivery delivery = Take(*queue, receiver);
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  queue->Written(receiver.consumer, delivery, true);
  EXPECT_EQ(receiver.told->count, 1);
  EXPECT_EQ(Take(*queue, receiver).messages, 1u);
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N21
TEST_F(QueueCredit, MaxInFlightBoundsAllConsumersTogether) {
  QueueSpec spec;
  spec.capacity = 10;
  spec.max_in_flight = 3;
  spec.shared = true;
  const auto queue = Make(spec);
  Receiver first, second;
  ASSERT_TRUE(Attach(*queue, first).ok());
  ASSERT_TRUE(Attach(*queue, second).ok());
  EXPECT_EQ(TryEach(*queue, Numbered(1, 10)), Outcomes(10, Outcome::kOk));
  EXPECT_EQ(Take(*queue, first, 6).messages, 2u);
  EXPECT_EQ(Take(*queue, second).messages, 1u);
  EXPECT_EQ(Take(*queue, second).messages, 0u);
  EXPECT_EQ(ReceiveNow(*queue).outcome, Outcome::kEmpty);
  EXPECT_EQ(TryEach(*queue, Numbered(11, 4)),
            (Outcomes{Outcome::kOk, Outcome::kOk, Outcome::kOk, Outcome::kFull}))
      << "capacity + max_in_flight in all";
  Settle(*queue, first.lease, 1, 1);
  EXPECT_EQ(second.told->count, 1);
  EXPECT_EQ(Positions(Take(*queue, second)), Numbers{4});
  queue->Detach(first.consumer, Leaving::kFinished);
  queue->Detach(second.consumer, Leaving::kFinished);
}

// What is delayed keeps its place in flight, or a consumer could hold any number by nacks.
TEST_F(QueueCredit, DelayedMessagesCountAgainstMaxInFlight) {
  QueueSpec spec;
  spec.capacity = 2;
  spec.max_in_flight = 2;
  const auto queue = Make(spec);
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  Try(*queue, {"1", "2"});
  ASSERT_EQ(Take(*queue, receiver).messages, 2u);
  Try(*queue, {"3", "4"});
  ASSERT_EQ(Nack(*queue, receiver.lease, 1, 2, 1s).settled, 2u);
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  const QueueStats stats = queue->Describe();
  EXPECT_EQ(stats.depth, 4u);
  EXPECT_EQ(stats.delayed, 2u);
  Pass(1s);
  EXPECT_EQ(Payloads(Take(*queue, receiver)), (Strings{"1", "2"}));
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

TEST_F(QueueCredit, SharedQueueGivesEachMessageToOneInOrderOfAsking) {
  QueueSpec spec;
  spec.shared = true;
  const auto queue = Make(spec);
  Receiver first, second, third;
  for (Receiver* receiver : {&first, &second, &third}) {
    ASSERT_TRUE(Attach(*queue, *receiver, With(AttachMode::kRefuse, 1)).ok());
    EXPECT_EQ(Take(*queue, *receiver).messages, 0u);
  }
  EXPECT_EQ(queue->Describe().consumers, 3u);
  Try(*queue, {"1", "2"});
  EXPECT_EQ(first.told->count, 1);
  EXPECT_EQ(second.told->count, 1);
  EXPECT_EQ(third.told->count, 0) << "two messages, two are told";
  queue->Detach(first.consumer, Leaving::kFinished);
  EXPECT_EQ(third.told->count, 1) << "what was meant for one that left";
  EXPECT_EQ(Payloads(Take(*queue, second)), Strings{"1"});
  EXPECT_EQ(Payloads(Take(*queue, third)), Strings{"2"});
  queue->Detach(second.consumer, Leaving::kLost);
  EXPECT_EQ(Take(*queue, third).messages, 0u);
  Settle(*queue, third.lease, 2, 1);
  EXPECT_EQ(Payloads(Take(*queue, third)), Strings{"1"});
  queue->Detach(third.consumer, Leaving::kFinished);
}

// Clauses: N15
TEST_F(QueueCredit, AnAckTimeoutTakesBackWhatIsNotSettled) {
  const auto queue = Make(10);
  ConsumerOptions options;
  options.ack_timeout = 10s;
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver, options).ok());
  Try(*queue, {"1", "2", "3"});
  ASSERT_EQ(Take(*queue, receiver, 6).messages, 2u);
  Pass(5s);
  ASSERT_EQ(Take(*queue, receiver).messages, 1u);
  EXPECT_EQ(Settle(*queue, receiver.lease, 2, 1).settled, 1u);
  EXPECT_EQ(Take(*queue, receiver).messages, 0u);
  Pass(5s);
  EXPECT_EQ(receiver.told->count, 1);
  const Delivery again = Take(*queue, receiver);
  EXPECT_EQ(Positions(again), Numbers{1});
  EXPECT_EQ(again.runs.at(0).attempts, 2u);
  EXPECT_EQ(again.runs.at(0).failures, 1u);
  EXPECT_EQ(Settle(*queue, receiver.lease, 1, 1).outcome, Outcome::kOk) << "held again";
  Pass(5s);
  EXPECT_EQ(Settle(*queue, receiver.lease, 3, 1).expired, 1u);
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N2
TEST_F(QueueCredit, CloseOnConsumerLossDeletes) {
  QueueSpec spec;
  spec.close_on_consumer_loss = true;
  spec.capacity = 1;
  for (const bool finishes : {true, false}) {
    const auto queue = Make(spec);
    Try(*queue, {"1"});
    Sending waiting;
    Start(*queue, waiting, {"2"}, {});
    Receiver receiver;
    ASSERT_TRUE(Attach(*queue, receiver).ok());
    if (finishes) queue->Finish(receiver.consumer);
    queue->Detach(receiver.consumer, Leaving::kLost);
    EXPECT_EQ(queue->has_ended(), !finishes);
    EXPECT_EQ(Look(*queue, waiting), !finishes);
    if (finishes) {
      queue->CancelSend(waiting.ticket);
      continue;
    }
    EXPECT_EQ(waiting.acks.at(0).outcome, Outcome::kClosed);
    EXPECT_EQ(waiting.acks.at(0).reason, ClosedReason::kDeleted);
    EXPECT_EQ(queue->Describe().deleted, 1u);
  }
}

}  // namespace
}  // namespace sluice::broker
