// SPDX-License-Identifier: Apache-2.0
// What happens when the daemon's memory is used up: who is told, who waits, who is served first.
#include "tests/broker/memory_fixture.h"

namespace sluice::broker {
namespace {

using Memory = MemoryFixture;

constexpr Outcome kOk = Outcome::kOk;
constexpr Outcome kFull = Outcome::kFull;

TEST_F(Memory, N14_FullForWantOfMemorySaysSo) {
  const auto a = MakeQueue("a");
  const auto b = MakeQueue("b", {.capacity = 1});
  Fill(*b, 1);
  EXPECT_EQ(Try(*b, {Small()}).at(0).full_reason, FullReason::kUnspecified);  // its own capacity
  Fill(*a, 15);
  EXPECT_EQ(sixteen.free(), 0u);
  const Ack ack = Try(*a, {Small()}).at(0);
  EXPECT_EQ(ack.outcome, kFull);
  EXPECT_EQ(ack.full_reason, FullReason::kServerMemory);
  EXPECT_EQ(Try(*b, {Small()}).at(0).full_reason, FullReason::kUnspecified);
  EXPECT_EQ(a->Describe().refused_memory, 1u);
  EXPECT_EQ(sixteen.snapshot().refused, 1u);
}

TEST_F(Memory, N10_ThePrefixThatFitsEnters) {
  const auto queue = MakeQueue("q");
  Fill(*queue, 14);
  Sending sending;
  sending.status = queue->Send(sending.ticket, Messages(Many(4), kCharge), Trying(), sending.told);
  EXPECT_TRUE(Look(*queue, sending));
  EXPECT_EQ(sending.outcomes(), (Outcomes{kOk, kOk, kFull, kFull}));
}

// Clauses: N11 N42
TEST_F(Memory, ChannelsThatWaitAreServedInTurn) {
  const auto full = MakeQueue("full");
  const auto a = MakeQueue("a");
  const auto b = MakeQueue("b");
  Fill(*full, 16);
  Sending a1, a2, b1, b2;
  SendSmall(*a, a1);
  SendSmall(*a, a2);
  SendSmall(*b, b1);
  SendSmall(*b, b2);
  EXPECT_EQ(sixteen.snapshot().waiting_channels, 2u);
  EXPECT_EQ(sixteen.snapshot().waiting, 4 * kCharge);
  for (Sending* next : {&a1, &b1, &a2, &b2}) {
    Queue& its = next == &a1 || next == &a2 ? *a : *b;
    EXPECT_FALSE(Look(its, *next));
    const int told = next->told->count;
    Pop(*full);
    Serve();
    EXPECT_GT(next->told->count, told);
    EXPECT_TRUE(Look(its, *next));
    EXPECT_EQ(next->outcomes(), Outcomes{kOk});
  }
  EXPECT_EQ(sixteen.snapshot().waiting_channels, 0u);
  EXPECT_EQ(sixteen.snapshot().waiting, 0u);
}

TEST_F(Memory, N11_NobodyTakesWhatIsMeantForWhoWaits) {
  const auto full = MakeQueue("full");
  const auto a = MakeQueue("a");
  const auto late = MakeQueue("late");
  Fill(*full, 16);
  Sending waits;
  SendSmall(*a, waits);
  Pop(*full);
  EXPECT_EQ(TryEach(*late, {Small()}), Outcomes{kFull});
  EXPECT_EQ(TryEach(*full, {Small()}), Outcomes{kFull});
  Serve();
  EXPECT_TRUE(Look(*a, waits));
  Pop(*full);
  EXPECT_EQ(TryEach(*late, {Small()}), Outcomes{kOk});
}

TEST_F(Memory, N12_ALargeFrameThatWaitsHoldsUpNobody) {
  const auto full = MakeQueue("full");
  const auto a = MakeQueue("a");
  const auto b = MakeQueue("b");
  Fill(*full, 16);
  Sending large, small;
  SendSmall(*a, large, 3, Atomic());
  SendSmall(*b, small);
  Pop(*full);
  Serve();
  EXPECT_TRUE(Look(*b, small));
  Pop(*full);
  Pop(*full);
  Serve();
  EXPECT_FALSE(Look(*a, large));
  Pop(*full);
  Serve();
  EXPECT_TRUE(Look(*a, large));
  EXPECT_EQ(large.outcomes(), (Outcomes{kOk, kOk, kOk}));
}

TEST_F(Memory, N9_WhoLeavesHoldsUpNobody) {
  const auto full = MakeQueue("full");
  const auto a = MakeQueue("a");
  const auto b = MakeQueue("b");
  Fill(*full, 16);
  Sending gone, timed_out, stays;
  SendSmall(*a, gone);
  SendSmall(*b, timed_out, 1, Until(clock.Now() + std::chrono::seconds(1)));
  SendSmall(*b, stays);
  a->CancelSend(gone.ticket);
  Pass(std::chrono::seconds(1));
  EXPECT_TRUE(Look(*b, timed_out));
  EXPECT_EQ(timed_out.acks.at(0).outcome, Outcome::kTimedOut);
  EXPECT_EQ(timed_out.acks.at(0).full_reason, FullReason::kServerMemory);
  Pop(*full);
  Serve();
  EXPECT_TRUE(Look(*b, stays));
  EXPECT_EQ(sixteen.snapshot().waiting_channels, 0u);
}

// Nothing is freed: it is enough that who may not be passed has gone.
TEST_F(Memory, N9_WhoStoodBehindOneThatLeavesIsServed) {
  const auto full = MakeQueue("full");
  const auto a = MakeQueue("a");
  const auto b = MakeQueue("b");
  Fill(*full, 14);
  EXPECT_EQ(TryEach(*full, {std::string(54, 'x')}), Outcomes{kOk});
  ASSERT_EQ(sixteen.free(), 80u);
  Sending first, second;
  SendSmall(*a, first);
  Start(*b, second, {"tiny"}, {});
  Serve();
  EXPECT_FALSE(Look(*b, second));
  a->CancelSend(first.ticket);
  Serve();
  EXPECT_TRUE(Look(*b, second));
  EXPECT_EQ(second.outcomes(), Outcomes{kOk});
}

// Deleting, and the end of a channel that still held something, free memory, too.
TEST_F(Memory, N4_WhatIsDeletedIsFree) {
  auto full = MakeQueue("full");
  const auto topic = MakeSmallTopic();
  const auto a = MakeQueue("a");
  Reader reader;
  Subscribe(*topic, reader);
  Publish(*topic, Many(2));
  Fill(*full, 14);
  Sending first, second;
  SendSmall(*a, first);
  full->Delete(ClosedReason::kDeleted);
  Serve();
  EXPECT_TRUE(Look(*a, first));
  Fill(*a, 13);
  SendSmall(*a, second);
  EXPECT_FALSE(Look(*a, second));
  topic->Unsubscribe(reader.subscriber);
  topic->Delete(ClosedReason::kDeleted);
  Serve();
  EXPECT_TRUE(Look(*a, second));
}

// Clauses: N14 N15
TEST_F(Memory, DrainingNeedsNoMemory) {
  const auto queue = MakeQueue("q");
  Fill(*queue, 16);
  sixteen.Add(kSixteen);  // far over it
  Receiver receiver;
  EXPECT_TRUE(Attach(*queue, receiver).ok());
  EXPECT_EQ(Take(*queue, receiver).messages, 16u);
  EXPECT_EQ(Settle(*queue, receiver.lease, 1, 8).settled, 8u);
  EXPECT_EQ(Settle(*queue, receiver.lease, 9, 8, SettleAction::kNack).settled, 8u);
  EXPECT_EQ(Take(*queue, receiver).messages, 8u);
  EXPECT_EQ(Settle(*queue, receiver.lease, 9, 8).settled, 8u);
  queue->Detach(receiver.consumer, Leaving::kFinished);
  sixteen.Release(kSixteen);
  EXPECT_EQ(sixteen.free(), kSixteen);
}

// Clauses: N14 B27
TEST_F(Memory, ATopicStoresAsMuchAsItOverwrites) {
  const auto full = MakeQueue("full");
  const auto topic = MakeSmallTopic();
  Reader reader;
  Subscribe(*topic, reader);
  for (int i = 0; i < 4; ++i) Publish(*topic, {Small()});
  Fill(*full, 12);
  EXPECT_EQ(Publish(*topic, {Small()}, Trying()).at(0).outcome, kOk);
  EXPECT_EQ(topic->Describe().depth, 4u);
  EXPECT_EQ(Read(*topic, reader).at(0), "lagged 1");
  // Not more than that: it keeps what it has.
  SendOptions atomic = Trying();
  atomic.is_atomic = true;
  const Ack ack = Publish(*topic, Many(5), atomic).at(0);
  EXPECT_EQ(ack.outcome, kFull);
  EXPECT_EQ(ack.full_reason, FullReason::kServerMemory);
  EXPECT_EQ(topic->Describe().depth, 4u);
  EXPECT_EQ(topic->Describe().refused_memory, 5u);
  // Also while somebody waits for memory: it takes none.
  const auto other = MakeQueue("other");
  Sending waits;
  SendSmall(*other, waits);
  EXPECT_EQ(Publish(*topic, {Small()}, Trying()).at(0).outcome, kOk);
  topic->Unsubscribe(reader.subscriber);
  other->CancelSend(waits.ticket);
}

// It moves with every turn, for as long as others free what it takes.
class Restless final : public MemoryWaiter {
 public:
  Turn TakeMemory() override { return {.needs = --left, .is_progress = true}; }
  std::uint64_t left = 10'000;
};

// Clauses: N14
TEST_F(Memory, WhoeverRunsTheTimersIsNotKeptInTheLine) {
  for (const std::uint64_t limit : {std::uint64_t{1} << 30, std::uint64_t{1}}) {  // first, apart
    MemoryBudget budget(limit, timers);
    const auto waiter = std::make_shared<Restless>();
    budget.Join(waiter, waiter->left);
    EXPECT_LE(timers.RunDue(clock.Now()), clock.Now()) << "there is more to do";
    EXPECT_GT(waiter->left, 9'000u);
    while (timers.RunDue(clock.Now()) != kNever) {
    }
    EXPECT_EQ(waiter->left, 0u);
    EXPECT_EQ(budget.snapshot().waiting_channels, 0u);
  }
}

// Clauses: N30
TEST_F(Memory, ATopicThatBlocksWaitsForMemoryAndDoesNotSpin) {
  const auto full = MakeQueue("full");
  const auto topic = MakeSmallTopic(SlowPolicy::kBlock);
  Reader reader;
  Subscribe(*topic, reader);
  Fill(*full, 16);
  Sending waits;
  Start(*topic, waits, {Small()});
  EXPECT_FALSE(Look(*topic, waits));
  Pass(std::chrono::seconds(6));  // nothing of its own to overwrite when block_ms is over
  EXPECT_FALSE(Look(*topic, waits));
  EXPECT_GT(timers.next(), clock.Now());
  Pop(*full);
  Serve();
  EXPECT_TRUE(Look(*topic, waits));
  EXPECT_EQ(waits.outcomes(), Outcomes{kOk});
  topic->Unsubscribe(reader.subscriber);
}

// What stands in line is in memory, too.
TEST_F(Memory, N14_WhatWaitsIsBounded) {
  const auto queue = MakeQueue("q", {.capacity = 1});
  Fill(*queue, 1);
  ASSERT_TRUE(sixteen.Hold(kWaitingBytesLeast - kCharge));
  Sending last, refused;
  SendSmall(*queue, last);
  EXPECT_FALSE(Look(*queue, last));
  SendSmall(*queue, refused);
  EXPECT_TRUE(Look(*queue, refused));
  EXPECT_EQ(refused.acks.at(0).outcome, kFull);
  EXPECT_EQ(refused.acks.at(0).full_reason, FullReason::kServerMemory);
  sixteen.Unhold(kWaitingBytesLeast - kCharge);
  Pop(*queue);
  EXPECT_TRUE(Look(*queue, last));
  EXPECT_EQ(sixteen.snapshot().waiting, 0u);
}

TEST_F(Memory, N8_AnAtomicFrameAboveAllMemoryIsRefused) {
  const auto queue = MakeQueue("q");
  Sending sending;
  Start(*queue, sending, Many(17), Atomic());
  EXPECT_EQ(sending.status.code(), Code::kInvalidArgument);
  EXPECT_EQ(sending.status.reason(), "OUT_OF_BOUNDS");
  EXPECT_NE(sending.status.message().find("memory_bytes_max"), std::string::npos);
  EXPECT_EQ(queue->Describe().accepted, 0u);
}

}  // namespace
}  // namespace sluice::broker
