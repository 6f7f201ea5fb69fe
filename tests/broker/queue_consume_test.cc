// SPDX-License-Identifier: Apache-2.0
// Consumers that are streams: seats, redelivery, and how they leave.
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class QueueConsume : public QueueFixture {
 protected:
  static ConsumerOptions With(AttachMode mode, std::uint32_t credit = kCreditDefault) {
    ConsumerOptions options;
    options.mode = mode;
    options.credit.messages = credit;
    return options;
  }
};

// Clauses: N18
TEST_F(QueueConsume, X13_ASecondConsumerIsRefused) {
  const auto queue = Make(10);
  Receiver first, second;
  ASSERT_TRUE(Attach(*queue, first).ok());
  const Status refused = Attach(*queue, second);
  EXPECT_EQ(refused.code(), Code::kFailedPrecondition);
  EXPECT_EQ(refused.reason(), "CONSUMER_PRESENT");
  Try(*queue, {"1"});
  EXPECT_EQ(Payloads(Take(*queue, first)), Strings{"1"}) << "the first is undisturbed";
  queue->Detach(first.consumer, Leaving::kFinished);
  Receiver third;
  EXPECT_TRUE(Attach(*queue, third).ok());
  queue->Detach(third.consumer, Leaving::kFinished);
}

// Clauses: N18
TEST_F(QueueConsume, StandbyTakesTheSeatInLine) {
  const auto queue = Make(10);
  Receiver holder, next, last;
  ASSERT_TRUE(Attach(*queue, holder).ok());
  ASSERT_TRUE(Attach(*queue, next, With(AttachMode::kStandby)).ok());
  ASSERT_TRUE(Attach(*queue, last, With(AttachMode::kStandby)).ok());
  EXPECT_EQ(queue->PlaceInLine(holder.consumer), 0u);
  EXPECT_EQ(queue->PlaceInLine(next.consumer), 1u);
  EXPECT_EQ(queue->PlaceInLine(last.consumer), 2u);
  EXPECT_EQ(queue->Describe().standby, 2u);
  Try(*queue, {"1"});
  EXPECT_EQ(Take(*queue, next).messages, 0u);
  EXPECT_EQ(Take(*queue, holder).messages, 1u);

  queue->Detach(holder.consumer, Leaving::kLost);
  EXPECT_EQ(next.told->count, 1);
  const ConsumerNews news = queue->Poll(next.consumer);
  ASSERT_TRUE(news.attached);
  EXPECT_EQ(news.attached->next_position, 1u) << "what the holder had comes first";
  EXPECT_FALSE(queue->Poll(next.consumer).attached) << "told once";
  EXPECT_EQ(queue->PlaceInLine(last.consumer), 1u);
  const Delivery again = Take(*queue, next);
  EXPECT_EQ(Payloads(again), Strings{"1"});
  EXPECT_EQ(again.runs.at(0).attempts, 2u);
  EXPECT_EQ(again.runs.at(0).failures, 1u);

  queue->Detach(last.consumer, Leaving::kFinished);
  EXPECT_EQ(queue->Describe().standby, 0u);
  queue->Detach(next.consumer, Leaving::kFinished);
}

// Clauses: N18
TEST_F(QueueConsume, TakeOverFencesOffTheHolder) {
  const auto queue = Make(10);
  Receiver old_holder, holder;
  ASSERT_TRUE(Attach(*queue, old_holder).ok());
  Try(*queue, {"1", "2", "3"});
  ASSERT_EQ(Take(*queue, old_holder, 6).messages, 2u);
  ASSERT_TRUE(queue->Attach(holder.consumer, With(AttachMode::kTakeOver), holder.told).ok());
  const ConsumerNews attached = queue->Poll(holder.consumer);
  ASSERT_TRUE(attached.attached);
  const ConsumerNews superseded = queue->Poll(old_holder.consumer);
  EXPECT_EQ(superseded.ended, ClosedReason::kSuperseded);
  EXPECT_EQ(superseded.superseded_by, attached.attached->fence);
  EXPECT_EQ(old_holder.told->count, 1);

  const Delivery delivery = Take(*queue, holder);
  EXPECT_EQ(Payloads(delivery), (Strings{"1", "2", "3"}))
      << "what the old one held comes before anything newer";
  EXPECT_EQ(delivery.runs.at(0).attempts, 2u);
  EXPECT_EQ(delivery.runs.at(0).failures, 0u) << "it lost its seat, not its messages";
  const SettleResult stale = Settle(*queue, old_holder.lease, 1, 2);
  EXPECT_EQ(stale.outcome, Outcome::kStale);
  EXPECT_EQ(stale.not_held, 2u);
  EXPECT_EQ(queue->Describe().in_flight, 3u) << "a stale ack changes nothing";
  EXPECT_EQ(Take(*queue, old_holder).messages, 0u);
  queue->Detach(old_holder.consumer, Leaving::kLost);
  EXPECT_EQ(Settle(*queue, attached.attached->lease, 1, 3).outcome, Outcome::kOk);
  queue->Detach(holder.consumer, Leaving::kFinished);
}

// Clauses: N18
TEST_F(QueueConsume, FencesRiseFromTheTimeOfCreation) {
  const std::uint64_t created = clock.UnixMicros();
  const auto queue = Make(1);
  for (std::uint64_t i = 0; i < 3; ++i) {
    Receiver receiver;
    ASSERT_TRUE(queue->Attach(receiver.consumer, {}, nullptr).ok());
    EXPECT_EQ(queue->Poll(receiver.consumer).attached->fence, created + i);
    queue->Detach(receiver.consumer, Leaving::kFinished);
  }
}

// Clauses: N15 N2
TEST_F(QueueConsume, WhatALostConsumerHeldComesBackFirstInOrderAndMarked) {
  const auto queue = Make(3);
  Receiver lost;
  ASSERT_TRUE(Attach(*queue, lost).ok());
  Try(*queue, {"1", "2", "3"});
  ASSERT_EQ(Take(*queue, lost).messages, 3u);
  EXPECT_EQ(TryEach(*queue, {"4", "5", "6"}), Outcomes(3, Outcome::kOk)) << "the slots are free";
  EXPECT_EQ(Settle(*queue, lost.lease, 2, 1).settled, 1u);
  queue->Detach(lost.consumer, Leaving::kLost);
  const QueueStats stats = queue->Describe();
  EXPECT_EQ(stats.depth, 5u) << "what comes back needs no slots";
  EXPECT_EQ(stats.come_back, 2u);
  EXPECT_EQ(stats.failures, 2u);

  Receiver next;
  ASSERT_TRUE(Attach(*queue, next).ok());
  const Delivery delivery = Take(*queue, next);
  EXPECT_EQ(Positions(delivery), (Numbers{1, 3, 4, 5, 6}));
  EXPECT_EQ(delivery.runs.size(), 3u);
  EXPECT_EQ(delivery.runs.at(0).attempts, 2u);
  EXPECT_EQ(delivery.runs.at(0).failures, 1u);
  EXPECT_EQ(delivery.runs.at(2).attempts, 1u);
  EXPECT_EQ(delivery.runs.at(2).failures, 0u);
  queue->Detach(next.consumer, Leaving::kFinished);
}

// Clauses: N15
TEST_F(QueueConsume, HandBacksAfterFinishCountNoFailure) {
  const auto queue = Make(3);
  Try(*queue, {"1", "2"});
  for (const Leaving leaving : {Leaving::kFinished, Leaving::kLost}) {
    Receiver receiver;
    ASSERT_TRUE(Attach(*queue, receiver).ok());
    ASSERT_EQ(Take(*queue, receiver, 6).messages, 2u);
    EXPECT_FALSE(queue->Finish(receiver.consumer));
    EXPECT_EQ(queue->HeldBy(receiver.consumer), 2u);
    Try(*queue, {"new"});
    EXPECT_EQ(Take(*queue, receiver).messages, 0u) << "nothing new after finish";
    queue->Detach(receiver.consumer, leaving);
    EXPECT_EQ(queue->Describe().failures, 0u);
    EXPECT_EQ(queue->Describe().come_back, 2u);
  }
}

TEST_F(QueueConsume, WhoFinishesIsToldWhenNothingIsHeld) {
  const auto queue = Make(3);
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  Try(*queue, {"1", "2"});
  ASSERT_EQ(Take(*queue, receiver).messages, 2u);
  EXPECT_FALSE(queue->Finish(receiver.consumer));
  Settle(*queue, receiver.lease, 1, 1);
  EXPECT_EQ(receiver.told->count, 0);
  Settle(*queue, receiver.lease, 2, 1);
  EXPECT_EQ(receiver.told->count, 1);
  EXPECT_TRUE(queue->HoldsNothing(receiver.consumer));
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N2 N1
TEST_F(QueueConsume, X24_ProducersDoNotNoticeAConsumersEnd) {
  const auto queue = Make(10);
  for (const Leaving leaving : {Leaving::kFinished, Leaving::kLost}) {
    Receiver receiver;
    ASSERT_TRUE(Attach(*queue, receiver).ok());
    queue->Detach(receiver.consumer, leaving);
  }
  EXPECT_EQ(TryEach(*queue, Numbered(1, 10)), Outcomes(10, Outcome::kOk));
  EXPECT_EQ(TryEach(*queue, {"11"}), Outcomes{Outcome::kFull});
  Sending waiting;
  Start(*queue, waiting, {"11"}, {});
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  EXPECT_EQ(Payloads(Take(*queue, receiver)), Numbered(1, 10));
  EXPECT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(Payloads(Take(*queue, receiver)), Strings{"11"});
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

}  // namespace
}  // namespace sluice::broker
