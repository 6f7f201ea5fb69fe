// SPDX-License-Identifier: Apache-2.0
// Unary receives: long polls, leases of their own, and the seat that equal names share.
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class QueueReceive : public QueueFixture {
 protected:
  ReceiveOptions As(std::string consumer, std::uint32_t messages = 1) {
    ReceiveOptions options;
    options.consumer = std::move(consumer);
    options.max_messages = messages;
    return options;
  }
  void Start(Queue& queue, Receiving& receiving, ReceiveOptions options) {
    receiving.status = queue.Receive(receiving.ticket, std::move(options), receiving.told);
  }
  bool Look(Queue& queue, Receiving& receiving) {
    return queue.TakeReceived(receiving.ticket, receiving.received);
  }
};

// Clauses: N17 M43
TEST_F(QueueReceive, X16_WhatRanOutConsumedNothing) {
  const auto queue = Make(10);
  Receiving waiting;
  ReceiveOptions options;
  options.deadline = Later(clock.Now(), 100ms);
  Start(*queue, waiting, options);
  EXPECT_FALSE(Look(*queue, waiting));
  EXPECT_EQ(queue->Describe().waiting_receives, 1u);
  Pass(100ms);
  ASSERT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.received.outcome, Outcome::kEmpty);
  EXPECT_EQ(waiting.told->count, 1);
  Try(*queue, {"x"});
  EXPECT_EQ(Pop(*queue), "x") << "not lost to the dead call";
}

// Clauses: N42
TEST_F(QueueReceive, AStreamThatIsBusyWritingKeepsNothingFromOthers) {
  QueueSpec spec;
  spec.shared = true;
  const auto queue = Make(spec);
  Receiver busy;
  ASSERT_TRUE(Attach(*queue, busy).ok());
  Delivery none;
  queue->Take(busy.consumer, kDeliveryBytesMax, none, /*is_writing=*/true);
  Receiving waiting;
  Start(*queue, waiting, As("other"));
  Try(*queue, {"x"});
  ASSERT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.received.outcome, Outcome::kOk);
  Try(*queue, {"y"});
  EXPECT_EQ(Take(*queue, busy).messages, 1u) << "when it has written";
  queue->Detach(busy.consumer, Leaving::kFinished);
}

// Clauses: N17 M43
TEST_F(QueueReceive, ACancelledReceiveConsumedNothing) {
  const auto queue = Make(10);
  Receiving waiting;
  Start(*queue, waiting, {});
  queue->CancelReceive(waiting.ticket);
  EXPECT_EQ(queue->Describe().consumers, 0u);
  Try(*queue, {"x"});

  Receiving served;
  Start(*queue, served, {});
  EXPECT_EQ(queue->Describe().in_flight, 1u);
  queue->CancelReceive(served.ticket);
  const QueueStats stats = queue->Describe();
  EXPECT_EQ(stats.come_back, 1u) << "served in the same instant, and not taken: it goes back";
  EXPECT_EQ(stats.failures, 0u);
  EXPECT_EQ(stats.leases, 0u);
  EXPECT_EQ(Pop(*queue), "x");
}

// Clauses: N17 N15
TEST_F(QueueReceive, WhatCouldNotBeAnsweredGoesBack) {
  const auto queue = Make(10);
  Try(*queue, {"1", "2", "3"});
  const Received received = ReceiveNow(*queue, As("", 2));
  ASSERT_EQ(received.delivery.messages, 2u);
  queue->ReturnLease(received.lease);
  queue->ReturnLease(received.lease);
  EXPECT_EQ(Settle(*queue, received.lease, 1, 2).not_held, 2u);
  const Received again = ReceiveNow(*queue, As("", 5));
  EXPECT_EQ(Positions(again.delivery), (Numbers{1, 2, 3}));
  EXPECT_EQ(again.delivery.runs.at(0).attempts, 2u);
  EXPECT_EQ(again.delivery.runs.at(0).failures, 0u);
}

TEST_F(QueueReceive, WaitsAreServedInOrderAsMessagesCome) {
  const auto queue = Make(10);
  Receiving first, second;
  Start(*queue, first, As("", 2));
  Start(*queue, second, As("", 2));
  Try(*queue, {"1", "2", "3"});
  ASSERT_TRUE(Look(*queue, first));
  ASSERT_TRUE(Look(*queue, second));
  EXPECT_EQ(Payloads(first.received.delivery), (Strings{"1", "2"}));
  EXPECT_EQ(Payloads(second.received.delivery), Strings{"3"});
  EXPECT_NE(first.received.lease, second.received.lease);
  EXPECT_EQ(first.told->count, 1);
}

TEST_F(QueueReceive, MessagesAndBytesAreBounded) {
  const auto queue = Make(10);
  Try(*queue, Strings(4, std::string(8, 'x')));
  EXPECT_EQ(ReceiveNow(*queue, As("", 3)).delivery.messages, 3u);
  ReceiveOptions narrow = As("", 10);
  narrow.max_bytes = 1;
  EXPECT_EQ(ReceiveNow(*queue, narrow).delivery.messages, 1u) << "one message whatever its size";
  EXPECT_EQ(ReceiveNow(*queue, narrow).outcome, Outcome::kEmpty);
}

// Clauses: N15
TEST_F(QueueReceive, ALeaseRunsOutAfterItsTime) {
  const auto queue = Make(10);
  Try(*queue, {"1", "2"});
  ReceiveOptions options = As("", 2);
  options.lease = 5s;
  const Received received = ReceiveNow(*queue, options);
  EXPECT_EQ(timers.next(), clock.Now() + 5s);
  Pass(5s - 1ms);
  EXPECT_EQ(queue->Describe().in_flight, 2u);
  Receiving waiting;
  Start(*queue, waiting, As("", 2));
  Pass(1ms);
  ASSERT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.received.delivery.runs.at(0).failures, 1u);
  const SettleResult late = Settle(*queue, received.lease, 1, 3);
  EXPECT_EQ(late.outcome, Outcome::kStale);
  EXPECT_EQ(late.expired, 2u);
  EXPECT_EQ(late.not_held, 1u);
}

TEST_F(QueueReceive, TheDefaultLeaseIsThirtySecondsTheMostTwelveHours) {
  const auto queue = Make(10);
  Try(*queue, {"1", "2"});
  ReceiveOptions options;
  ReceiveNow(*queue, options);
  EXPECT_EQ(timers.next(), clock.Now() + 30s);
  Pass(30s);
  options.lease = 13h;
  ReceiveNow(*queue, options);
  EXPECT_EQ(timers.next(), clock.Now() + 12h);
}

TEST_F(QueueReceive, ExtendingPartOfALease) {
  const auto queue = Make(10);
  Try(*queue, {"1", "2", "3"});
  ReceiveOptions options = As("", 3);
  options.lease = 5s;
  const Received received = ReceiveNow(*queue, options);
  Pass(3s);
  EXPECT_EQ(Extend(*queue, received.lease, 2, 1, 10s).outcome, Outcome::kOk);
  Pass(2s);
  EXPECT_EQ(queue->Describe().in_flight, 1u);
  EXPECT_EQ(queue->Describe().come_back, 2u);
  const SettleResult mixed = Settle(*queue, received.lease, 1, 3);
  EXPECT_EQ(mixed.settled, 1u);
  EXPECT_EQ(mixed.expired, 2u);
  EXPECT_EQ(queue->Describe().leases, 0u);
  EXPECT_EQ(Extend(*queue, received.lease, 2, 1, 10s).outcome, Outcome::kStale);
}

// Clauses: N18 N17
TEST_F(QueueReceive, EqualNamesShareTheSeat) {
  const auto queue = Make(10);
  Receiving first, second, other;
  Start(*queue, first, As("worker"));
  EXPECT_TRUE(first.status.ok());
  Start(*queue, second, As("worker"));
  EXPECT_TRUE(second.status.ok());
  Start(*queue, other, As("stranger"));
  EXPECT_EQ(other.status.reason(), "CONSUMER_PRESENT");
  Receiver stream;
  EXPECT_EQ(Attach(*queue, stream).reason(), "CONSUMER_PRESENT");
  EXPECT_EQ(queue->Describe().consumers, 1u);

  Try(*queue, {"1"});
  ASSERT_TRUE(Look(*queue, first));
  queue->CancelReceive(second.ticket);
  Start(*queue, other, As("stranger"));
  EXPECT_EQ(other.status.reason(), "CONSUMER_PRESENT") << "a lease is held";
  Settle(*queue, first.received.lease, 1, 1);
  Start(*queue, other, As("stranger"));
  EXPECT_TRUE(other.status.ok()) << "the seat is free again";
  queue->CancelReceive(other.ticket);
}

// Clauses: N18
TEST_F(QueueReceive, AStreamHoldsTheSeatAgainstUnaryReceives) {
  const auto queue = Make(10);
  Receiver stream;
  ASSERT_TRUE(Attach(*queue, stream).ok());
  Receiving refused;
  Start(*queue, refused, {});
  EXPECT_EQ(refused.status.code(), Code::kFailedPrecondition);
  EXPECT_EQ(refused.status.reason(), "CONSUMER_PRESENT");
  queue->Detach(stream.consumer, Leaving::kFinished);
}

// Clauses: N18
TEST_F(QueueReceive, AStreamStandsByForTheSeatOfAGroup) {
  const auto queue = Make(10);
  Try(*queue, {"1"});
  const Received held = ReceiveNow(*queue, As("worker"));
  Receiver stream;
  ConsumerOptions standby;
  standby.mode = AttachMode::kStandby;
  ASSERT_TRUE(Attach(*queue, stream, standby).ok());
  EXPECT_EQ(queue->PlaceInLine(stream.consumer), 1u);
  Settle(*queue, held.lease, 1, 1);
  EXPECT_EQ(stream.told->count, 1);
  EXPECT_TRUE(queue->Poll(stream.consumer).attached);
  queue->Detach(stream.consumer, Leaving::kFinished);
}

// Clauses: N18
TEST_F(QueueReceive, AStreamTakesOverFromAGroup) {
  const auto queue = Make(10);
  Try(*queue, {"1"});
  const Received held = ReceiveNow(*queue, As("worker"));
  Receiving waiting;
  Start(*queue, waiting, As("worker"));
  Receiver behind, stream;
  ConsumerOptions options;
  options.mode = AttachMode::kStandby;
  ASSERT_TRUE(Attach(*queue, behind, options).ok());
  options.mode = AttachMode::kTakeOver;
  ASSERT_TRUE(Attach(*queue, stream, options).ok());
  ASSERT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.received.outcome, Outcome::kClosed);
  EXPECT_EQ(waiting.received.reason, ClosedReason::kSuperseded);
  EXPECT_EQ(Settle(*queue, held.lease, 1, 1).outcome, Outcome::kStale);
  const Delivery delivery = Take(*queue, stream);
  EXPECT_EQ(delivery.runs.at(0).attempts, 2u);
  EXPECT_EQ(delivery.runs.at(0).failures, 0u);
  EXPECT_EQ(queue->PlaceInLine(behind.consumer), 1u) << "who stands by still stands by";
  queue->Detach(stream.consumer, Leaving::kFinished);
  EXPECT_TRUE(queue->Poll(behind.consumer).attached);
  queue->Detach(behind.consumer, Leaving::kFinished);
}

TEST_F(QueueReceive, InASharedQueueReceivesAndStreamsCompete) {
  QueueSpec spec;
  spec.shared = true;
  const auto queue = Make(spec);
  Receiver stream;
  ConsumerOptions one;
  one.credit.messages = 1;
  ASSERT_TRUE(Attach(*queue, stream, one).ok());
  EXPECT_EQ(Take(*queue, stream).messages, 0u);
  Receiving first, second;
  Start(*queue, first, As("a", 5));
  Start(*queue, second, As("b", 5));
  EXPECT_EQ(queue->Describe().consumers, 3u);
  Try(*queue, {"1", "2"});
  ASSERT_TRUE(Look(*queue, first));
  EXPECT_EQ(first.received.delivery.messages, 1u) << "the stream was first in line: one is its";
  EXPECT_EQ(stream.told->count, 1);
  EXPECT_EQ(Take(*queue, stream).messages, 1u);
  EXPECT_FALSE(Look(*queue, second));
  queue->CancelReceive(second.ticket);
  queue->Detach(stream.consumer, Leaving::kFinished);
}

TEST_F(QueueReceive, AnEndedSessionsLeasesGoBackAndItsWaitsAreEmpty) {
  const auto queue = Make(10);
  Try(*queue, {"1"});
  ReceiveOptions tied;
  tied.session_id = "s";
  const Received held = ReceiveNow(*queue, tied);
  Receiving waiting, other;
  Start(*queue, waiting, tied);
  Start(*queue, other, {});
  queue->SessionEnded("s");
  ASSERT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.received.outcome, Outcome::kEmpty);
  ASSERT_TRUE(Look(*queue, other)) << "what the session held goes to who still waits";
  EXPECT_EQ(other.received.delivery.runs.at(0).failures, 0u);
  EXPECT_EQ(Settle(*queue, held.lease, 1, 1).not_held, 1u);
}

}  // namespace
}  // namespace sluice::broker
