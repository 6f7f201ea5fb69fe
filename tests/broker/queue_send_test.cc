// SPDX-License-Identifier: Apache-2.0
// Sending: order, room, the one line, and what becomes of what waits.
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class QueueSend : public QueueFixture {
 protected:
  // A waiting frame with a deadline.
  SendOptions WaitUntil(Duration wait) {
    SendOptions options;
    options.deadline = Later(clock.Now(), wait);
    return options;
  }
};

// Clauses: N10 M5 M6
TEST_F(QueueSend, X01_OneStreamComesOutInOrder) {
  const auto queue = Make(1000);
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  Numbers positions;
  for (int first = 1; first <= 1000; first += 50) {
    const auto acks = Try(*queue, Numbered(first, 50));
    ASSERT_EQ(acks.size(), 1u);
    EXPECT_EQ(acks[0].outcome, Outcome::kOk);
    EXPECT_EQ(acks[0].first_position, static_cast<std::uint64_t>(first));
    const Delivery delivery = Take(*queue, receiver);
    EXPECT_EQ(Payloads(delivery), Numbered(first, 50));
    for (std::uint64_t p : Positions(delivery)) positions.push_back(p);
    EXPECT_EQ(Settle(*queue, receiver.lease, static_cast<std::uint64_t>(first), 50).outcome,
              Outcome::kOk);
  }
  ASSERT_EQ(positions.size(), 1000u);
  for (std::uint64_t i = 0; i < positions.size(); ++i) EXPECT_EQ(positions[i], i + 1);
  EXPECT_EQ(queue->Describe().retained_bytes, 0u);
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N7 N8 G15 M12
TEST_F(QueueSend, X06_FullIsTypedPerMessage) {
  const auto two = Make(2);
  EXPECT_EQ(TryEach(*two, {"1"}), Outcomes{Outcome::kOk});
  EXPECT_EQ(TryEach(*two, {"2"}), Outcomes{Outcome::kOk});
  EXPECT_EQ(TryEach(*two, {"3"}), Outcomes{Outcome::kFull});

  const auto queue = Make(2);
  SendOptions options;
  options.first_sequence = 1;
  const auto acks = Try(*queue, Numbered(1, 5), options);
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0].first_sequence, 1u);
  EXPECT_EQ(acks[0].count, 2u);
  EXPECT_EQ(acks[0].outcome, Outcome::kOk);
  EXPECT_EQ(acks[0].first_position, 1u);
  EXPECT_EQ(acks[1].first_sequence, 3u);
  EXPECT_EQ(acks[1].count, 3u);
  EXPECT_EQ(acks[1].outcome, Outcome::kFull);
  EXPECT_EQ(acks[1].first_position, 0u);

  EXPECT_EQ(Pop(*queue), "1");
  options.first_sequence = 6;
  EXPECT_EQ(Try(*queue, {"6"}, options).at(0).outcome, Outcome::kOk);
  EXPECT_EQ(Pop(*queue), "2");
  EXPECT_EQ(Pop(*queue), "6");
  EXPECT_EQ(Pop(*queue), "");
  EXPECT_EQ(queue->Describe().refused_full, 3u);
}

// Clauses: N11 M7 M11
TEST_F(QueueSend, WaitingSendsEnterInOrderOfArrivalWhoeverTheyAre) {
  const auto queue = Make(1);
  ASSERT_EQ(TryEach(*queue, {"0"}), Outcomes{Outcome::kOk});
  Sending first, second, third;
  Start(*queue, first, {"1"}, {});
  Start(*queue, second, {"2", "3"}, {});
  Start(*queue, third, {"4"}, {});
  EXPECT_EQ(queue->Describe().waiting_sends, 3u);
  for (const char* expected : {"0", "1", "2", "3", "4"}) EXPECT_EQ(Pop(*queue), expected);
  EXPECT_TRUE(Look(*queue, first) && Look(*queue, second) && Look(*queue, third));
  EXPECT_EQ(second.outcomes(), (Outcomes{Outcome::kOk, Outcome::kOk}));
  EXPECT_EQ(third.acks.at(0).first_position, 5u);
  EXPECT_GT(first.told->count, 0);
}

// Clauses: N8 M50
TEST_F(QueueSend, AWaitingFrameTellsItsProgress) {
  const auto queue = Make(1);
  Sending sending;
  Start(*queue, sending, Numbered(1, 3), From(1));
  EXPECT_EQ(sending.outcomes(), Outcomes{Outcome::kOk});
  EXPECT_EQ(sending.told->count, 0) << "what is known on return is not told";
  EXPECT_EQ(Pop(*queue), "1");
  EXPECT_EQ(sending.told->count, 1);
  EXPECT_FALSE(Look(*queue, sending));
  EXPECT_EQ(Pop(*queue), "2");
  EXPECT_TRUE(Look(*queue, sending));
  ASSERT_EQ(sending.acks.size(), 3u);
  EXPECT_EQ(sending.acks[2].first_sequence, 3u);
  EXPECT_EQ(sending.acks[2].first_position, 3u);
  EXPECT_EQ(Pop(*queue), "3");
}

// Clauses: M8 M10 M12
TEST_F(QueueSend, NobodyPassesTheLine) {
  const auto queue = Make(1);
  ASSERT_EQ(TryEach(*queue, {"0"}), Outcomes{Outcome::kOk});
  Sending waiting;
  Start(*queue, waiting, {"1"}, {});
  EXPECT_EQ(queue->free_slots(), 0u);
  EXPECT_EQ(Pop(*queue), "0");
  EXPECT_EQ(TryEach(*queue, {"2"}), Outcomes{Outcome::kFull})
      << "the slot was the waiter's at once";
  EXPECT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(Pop(*queue), "1");
}

// Clauses: M9 M17
TEST_F(QueueSend, AnAtomicFrameAtTheHeadHoldsBackWhoIsBehind) {
  const auto queue = Make(3);
  ASSERT_EQ(TryEach(*queue, {"a", "b"}), (Outcomes{Outcome::kOk, Outcome::kOk}));
  Sending atomic, behind;
  Start(*queue, atomic, {"1", "2"}, Atomic());
  Start(*queue, behind, {"3"}, {});
  EXPECT_TRUE(atomic.acks.empty());
  EXPECT_TRUE(behind.acks.empty()) << "one slot is free, and not for the second in line";
  EXPECT_EQ(queue->free_slots(), 0u);
  EXPECT_EQ(Pop(*queue), "a");
  EXPECT_TRUE(Look(*queue, atomic));
  EXPECT_FALSE(Look(*queue, behind));
  EXPECT_EQ(atomic.acks.size(), 1u);
  EXPECT_EQ(Pop(*queue), "b");
  EXPECT_TRUE(Look(*queue, behind));

  Sending large, small;
  Start(*queue, large, {"x", "y", "z"}, Atomic());
  Start(*queue, small, {"s"}, {});
  EXPECT_EQ(Pop(*queue), "1");
  EXPECT_FALSE(Look(*queue, small));
  queue->CancelSend(large.ticket);
  EXPECT_TRUE(Look(*queue, small)) << "the line closes up behind who leaves it (M15)";
  EXPECT_EQ(Pop(*queue), "2");
  EXPECT_EQ(Pop(*queue), "3");
  EXPECT_EQ(Pop(*queue), "s");
}

// Clauses: N8 M12
TEST_F(QueueSend, AnAtomicTryIsAllOrNothing) {
  const auto queue = Make(3);
  EXPECT_EQ(Try(*queue, {"1", "2"}, Atomic()).at(0).outcome, Outcome::kOk);
  const auto refused = Try(*queue, {"3", "4"}, Atomic());
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].outcome, Outcome::kFull);
  EXPECT_EQ(refused[0].count, 2u);
  EXPECT_EQ(queue->Describe().depth, 2u);
}

// Clauses: N14
TEST_F(QueueSend, AnAtomicFrameThatCanNeverEnterIsInvalid) {
  const auto queue = Make(3);
  Sending sending;
  Start(*queue, sending, Numbered(1, 4), Atomic());
  EXPECT_EQ(sending.status.code(), Code::kInvalidArgument);
  EXPECT_NE(sending.status.message().find("capacity is 3"), std::string::npos);
  EXPECT_NE(sending.status.message().find("bytes_max is 67108864"), std::string::npos);
  EXPECT_EQ(queue->Describe().accepted, 0u);
  Start(*queue, sending, Numbered(1, 3), Atomic());
  EXPECT_TRUE(sending.status.ok());
  EXPECT_EQ(queue->Describe().accepted, 3u);

  QueueSpec narrow;
  narrow.bytes_max = kBytesMaxLeast;
  const auto small = Make(narrow);
  Start(*small, sending, Strings(11, std::string(30, 'x')), Atomic());
  EXPECT_EQ(sending.status.code(), Code::kInvalidArgument) << "11 x (32 + 64) is over 1,024";
  Start(*small, sending, Strings(10, std::string(30, 'x')), Atomic());
  EXPECT_TRUE(sending.status.ok());
}

// Clauses: M13 M14 N9
TEST_F(QueueSend, AWaitThatRanOutLeavesNoTrace) {
  const auto queue = Make(1);
  ASSERT_EQ(TryEach(*queue, {"0"}), Outcomes{Outcome::kOk});
  Sending sending, patient;
  Start(*queue, sending, {"1", "2"}, WaitUntil(100ms));
  Start(*queue, patient, {"3"}, WaitUntil(200ms));
  EXPECT_EQ(timers.next(), clock.Now() + 100ms);
  Pass(99ms);
  EXPECT_FALSE(Look(*queue, sending));
  Pass(1ms);
  EXPECT_TRUE(Look(*queue, sending));
  EXPECT_EQ(sending.outcomes(), (Outcomes{Outcome::kTimedOut, Outcome::kTimedOut}));
  EXPECT_GT(sending.told->count, 0);
  EXPECT_EQ(Pop(*queue), "0");
  EXPECT_TRUE(Look(*queue, patient));
  EXPECT_EQ(Pop(*queue), "3");
  EXPECT_EQ(Pop(*queue), "");
  EXPECT_EQ(queue->Describe().timed_out, 2u);
}

// Clauses: M13
TEST_F(QueueSend, WithNoTimeToWaitAFreeSlotIsStillTaken) {
  const auto queue = Make(1);
  Sending sending;
  Start(*queue, sending, {"1", "2"}, WaitUntil(0ms));
  EXPECT_TRUE(Look(*queue, sending));
  EXPECT_EQ(sending.outcomes(), (Outcomes{Outcome::kOk, Outcome::kTimedOut}));
}

// Clauses: N3 N9 M14 M15 M16
TEST_F(QueueSend, ACancelledSendNeverAppears) {
  const auto queue = Make(1);
  Sending sending, behind;
  Start(*queue, sending, {"1", "2", "3"}, {});
  Start(*queue, behind, {"4"}, {});
  queue->CancelSend(sending.ticket);
  EXPECT_TRUE(Look(*queue, sending));
  EXPECT_EQ(sending.outcomes(), Outcomes{Outcome::kOk}) << "what was accepted stays";
  EXPECT_EQ(Pop(*queue), "1");
  EXPECT_TRUE(Look(*queue, behind));
  EXPECT_EQ(Pop(*queue), "4");
  EXPECT_EQ(Pop(*queue), "");
  EXPECT_EQ(queue->Describe().retained_bytes, 0u)
      << "what was never accepted is freed with the rest";
}

// Clauses: N3 N20
TEST_F(QueueSend, X20_WhatWasSentBeforeTheDropArrives) {
  const auto queue = Make(1000);
  Producer producer;
  ASSERT_TRUE(queue->OpenProducer(producer, "", nullptr).ok());
  EXPECT_EQ(Try(*queue, Numbered(1, 100)).at(0).count, 100u);
  queue->CloseProducer(producer);
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(Pop(*queue), std::to_string(i));
}

// Clauses: N14
TEST_F(QueueSend, X19_OverTheByteBudgetIsFull) {
  QueueSpec spec;
  spec.bytes_max = kBytesMaxLeast;
  const auto queue = Make(spec);
  // 36 bytes of record and 64 beside: ten of them, in batches of two, are 1,000 of 1,024.
  const Strings eleven(11, std::string(34, 'x'));
  const auto acks = Try(*queue, eleven);
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0].count, 10u);
  EXPECT_EQ(acks[1].outcome, Outcome::kFull);
  EXPECT_EQ(queue->Describe().retained_bytes, 1000u);

  Sending waiting;
  Start(*queue, waiting, {std::string(34, 'y')}, {});
  Receiver receiver;
  ASSERT_TRUE(Attach(*queue, receiver).ok());
  EXPECT_EQ(Take(*queue, receiver).messages, 10u);
  EXPECT_FALSE(Look(*queue, waiting)) << "slots are free; the bytes are retained until settled";
  EXPECT_EQ(queue->Describe().retained_bytes, 1000u);
  EXPECT_EQ(Settle(*queue, receiver.lease, 1, 1).settled, 1u);
  EXPECT_FALSE(Look(*queue, waiting)) << "a batch is charged whole while one of its messages lives";
  EXPECT_EQ(Settle(*queue, receiver.lease, 2, 1).settled, 1u);
  EXPECT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.outcomes(), Outcomes{Outcome::kOk});
  queue->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N14
TEST_F(QueueSend, AMessageThatTheBudgetCanNeverHoldIsInvalid) {
  QueueSpec spec;
  spec.bytes_max = kBytesMaxLeast;
  const auto queue = Make(spec);
  const auto record_of = [&](std::uint32_t size) {
    const std::string frame(size, 'x');
    const RecordSpan span{0, size};
    return Incoming(frame, {&span, 1}, kStoredBatchBytesMax);
  };
  SendTicket ticket;
  std::vector<Ack> acks;
  EXPECT_EQ(queue->Send(ticket, record_of(1024 - 64 + 1), {}, nullptr).code(),
            Code::kInvalidArgument);
  EXPECT_TRUE(queue->Send(ticket, record_of(1024 - 64), {}, nullptr).ok());
  EXPECT_TRUE(queue->TakeAcks(ticket, acks));
  EXPECT_EQ(acks.at(0).outcome, Outcome::kOk);
}

// Clauses: N14
TEST_F(QueueSend, CapacityAtItsBound) {
  const auto queue = Make(4);
  EXPECT_EQ(TryEach(*queue, Numbered(1, 5)),
            (Outcomes{Outcome::kOk, Outcome::kOk, Outcome::kOk, Outcome::kOk, Outcome::kFull}));
  EXPECT_EQ(queue->free_slots(), 0u);
  EXPECT_EQ(Pop(*queue), "1");
  EXPECT_EQ(queue->free_slots(), 1u);
}

TEST_F(QueueSend, AnEmptyFrameIsDoneAtOnce) {
  const auto queue = Make(1);
  Sending sending;
  Start(*queue, sending, {}, Atomic());
  EXPECT_TRUE(sending.status.ok());
  EXPECT_TRUE(Look(*queue, sending));
  EXPECT_TRUE(sending.acks.empty());
}

// Clauses: N3
TEST_F(QueueSend, AnEndedSessionsWaitingSendsAreAbandoned) {
  const auto queue = Make(1);
  ASSERT_EQ(TryEach(*queue, {"0"}), Outcomes{Outcome::kOk});
  Sending tied, other;
  Start(*queue, tied, {"1"}, InSession("s"));
  Start(*queue, other, {"2"}, {});
  queue->SessionEnded("s");
  EXPECT_TRUE(Look(*queue, tied));
  EXPECT_EQ(tied.outcomes(), Outcomes{Outcome::kUnknown});
  EXPECT_GT(tied.told->count, 0);
  EXPECT_EQ(Pop(*queue), "0");
  EXPECT_EQ(Pop(*queue), "2");
  EXPECT_TRUE(Look(*queue, other));
}

}  // namespace
}  // namespace sluice::broker
