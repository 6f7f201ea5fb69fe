// SPDX-License-Identifier: Apache-2.0
// Settling: ack, nack with delay, release, extend; and what is not held changes nothing.
#include <limits>
#include <set>

#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class QueueSettle : public QueueFixture {
 protected:
  // A queue of ten messages, all held by one stream.
  void SetUp() override {
    queue = Make(10);
    ASSERT_TRUE(Attach(*queue, holder).ok());
    Try(*queue, Numbered(1, 10));
    ASSERT_EQ(Take(*queue, holder).messages, 10u);
  }
  void TearDown() override {
    ExpectConserved(*queue);
    queue->Detach(holder.consumer, Leaving::kFinished);
    ExpectConserved(*queue);
  }
  std::shared_ptr<Queue> queue;
  Receiver holder;
};

TEST_F(QueueSettle, OnlyPositionsThatWereAreCountedAsStale) {
  constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(Settle(*queue, holder.lease, 1, kAll).not_held, kAll - 10);
  EXPECT_EQ(queue->Describe().stale_settlements, 0u) << "all that there was";
  EXPECT_EQ(Settle(*queue, holder.lease, 9, kAll).outcome, Outcome::kStale);
  EXPECT_EQ(queue->Describe().stale_settlements, 2u);
  EXPECT_EQ(Settle(*queue, holder.lease, 1'000, 5).outcome, Outcome::kStale);
  EXPECT_EQ(queue->Describe().stale_settlements, 2u);
}

// Clauses: N15
TEST_F(QueueSettle, WhatComesBackBeforeAllThatIsHeldIsHeldInItsPlace) {
  for (std::uint64_t position = 1; position <= 3; ++position) {
    Settlement settlement;
    settlement.lease = holder.lease;
    settlement.first_position = position;
    settlement.count = 1;
    settlement.action = SettleAction::kRelease;
    EXPECT_EQ(Settle(*queue, settlement).outcome, Outcome::kOk);
    EXPECT_EQ(Positions(Take(*queue, holder)), Numbers{position});
  }
  EXPECT_EQ(Settle(*queue, holder.lease, 1, 10).settled, 10u);
}

TEST_F(QueueSettle, InAnyOrderAndInRanges) {
  EXPECT_EQ(Settle(*queue, holder.lease, 5, 1).outcome, Outcome::kOk);
  EXPECT_EQ(Settle(*queue, holder.lease, 1, 2).outcome, Outcome::kOk);
  const SettleResult mixed = Settle(*queue, holder.lease, 1, 6);
  EXPECT_EQ(mixed.first_position, 1u);
  EXPECT_EQ(mixed.settled, 3u);
  EXPECT_EQ(mixed.not_held, 3u);
  EXPECT_EQ(mixed.outcome, Outcome::kStale);
  EXPECT_EQ(Settle(*queue, holder.lease, 7, 4).settled, 4u);
  EXPECT_EQ(queue->Describe().settled, 10u);
  EXPECT_EQ(queue->Describe().retained_bytes, 0u);
}

TEST_F(QueueSettle, ALeaseThatDoesNotHoldItChangesNothing) {
  for (const SettleAction action :
       {SettleAction::kAck, SettleAction::kNack, SettleAction::kRelease, SettleAction::kExtend}) {
    const SettleResult result = Settle(*queue, holder.lease + 1, 1, 10, action);
    EXPECT_EQ(result.outcome, Outcome::kStale);
    EXPECT_EQ(result.not_held, 10u);
  }
  EXPECT_EQ(Settle(*queue, 0, 1, 1).outcome, Outcome::kStale);
  EXPECT_EQ(queue->Describe().in_flight, 10u);
}

TEST_F(QueueSettle, AStreamsOwnLeaseNeedNotBeNamed) {
  Settlement settlement;
  settlement.first_position = 1;
  settlement.count = 10;
  std::vector<SettleResult> results;
  queue->Settle({&settlement, 1}, holder.lease, results);
  EXPECT_EQ(results.at(0).settled, 10u);
}

TEST_F(QueueSettle, RangesAtTheEdgesOfTheNumbers) {
  const std::uint64_t top = ~std::uint64_t{0};
  EXPECT_EQ(Settle(*queue, holder.lease, top, 4'000'000'000u).not_held, 4'000'000'000u);
  EXPECT_EQ(Settle(*queue, holder.lease, 0, 0).outcome, Outcome::kOk);
  EXPECT_EQ(queue->Describe().in_flight, 10u);
  const SettleResult all = Settle(*queue, holder.lease, 0, 4'000'000'000u);
  EXPECT_EQ(all.settled, 10u);
  EXPECT_EQ(all.not_held, 3'999'999'990u);
}

// Clauses: N15
TEST_F(QueueSettle, ANackComesBackByItsPositionAndCounts) {
  EXPECT_EQ(Nack(*queue, holder.lease, 4, 1, 0ms).settled, 1u);
  EXPECT_EQ(Nack(*queue, holder.lease, 2, 1, 0ms).settled, 1u);
  Try(*queue, {"11"});
  const Delivery delivery = Take(*queue, holder);
  EXPECT_EQ(Positions(delivery), (Numbers{2, 4, 11}));
  EXPECT_EQ(delivery.runs.at(0).attempts, 2u);
  EXPECT_EQ(delivery.runs.at(0).failures, 1u);
  EXPECT_EQ(queue->Describe().redelivered, 2u);
  EXPECT_EQ(queue->Describe().delivered, 13u);
  EXPECT_EQ(Settle(*queue, holder.lease, 1, 11).settled, 11u);
}

TEST_F(QueueSettle, ANackWithDelayWaits) {
  EXPECT_EQ(Nack(*queue, holder.lease, 1, 1, 2s).settled, 1u);
  EXPECT_EQ(Nack(*queue, holder.lease, 2, 1, 1s).settled, 1u);
  EXPECT_EQ(queue->Describe().delayed, 2u);
  EXPECT_EQ(Take(*queue, holder).messages, 0u);
  Pass(999ms);
  EXPECT_EQ(Take(*queue, holder).messages, 0u);
  Pass(1ms);
  EXPECT_EQ(holder.told->count, 1);
  EXPECT_EQ(Positions(Take(*queue, holder)), Numbers{2});
  Try(*queue, {"11"});
  Pass(1s);
  EXPECT_EQ(Positions(Take(*queue, holder)), (Numbers{1, 11})) << "before anything newer";
}

TEST_F(QueueSettle, AReleaseCountsNoFailure) {
  EXPECT_EQ(Settle(*queue, holder.lease, 3, 2, SettleAction::kRelease).settled, 2u);
  const Delivery delivery = Take(*queue, holder);
  EXPECT_EQ(Positions(delivery), (Numbers{3, 4}));
  EXPECT_EQ(delivery.runs.at(0).attempts, 2u);
  EXPECT_EQ(delivery.runs.at(0).failures, 0u);
}

TEST_F(QueueSettle, ExtendingWhatIsBoundToTheStreamIsOkAndChangesNothing) {
  EXPECT_EQ(Extend(*queue, holder.lease, 1, 10, 1s).outcome, Outcome::kOk);
  EXPECT_EQ(timers.next(), kNever);
  Pass(1h);
  EXPECT_EQ(queue->Describe().in_flight, 10u);
}

// Settling out of order leaves gaps; holding again fills them.
TEST_F(QueueSettle, ManyOutOfOrderWithOneThatStays) {
  QueueSpec spec;
  spec.capacity = 1000;
  spec.max_in_flight = 1000;
  const auto large = Make(spec);
  Receiver receiver;
  ConsumerOptions options;
  options.credit.messages = 1000;
  ASSERT_TRUE(Attach(*large, receiver, options).ok());
  for (int round = 0; round < 20; ++round) {
    Try(*large, Numbered(round * 100, 100));
    const Delivery delivery = Take(*large, receiver);
    ASSERT_EQ(delivery.messages, 100u);
    const std::uint64_t first = delivery.runs.at(0).first_position;
    for (std::uint64_t p = first + 99; p > first; --p) {
      ASSERT_EQ(Settle(*large, receiver.lease, p, 1).settled, 1u);
    }
  }
  EXPECT_EQ(large->Describe().in_flight, 20u);
  for (std::uint64_t round = 0; round < 20; ++round) {
    EXPECT_EQ(Nack(*large, receiver.lease, round * 100 + 1, 1, 0ms).settled, 1u);
  }
  const Delivery again = Take(*large, receiver);
  EXPECT_EQ(again.messages, 20u);
  EXPECT_EQ(Settle(*large, receiver.lease, 1, 2000).settled, 20u);
  EXPECT_EQ(large->Describe().retained_bytes, 0u);
  large->Detach(receiver.consumer, Leaving::kFinished);
}

// Clauses: N15
TEST_F(QueueSettle, ALeaseIsNeverDrawnTwice) {
  std::set<std::uint64_t> drawn{holder.lease};
  queue->Detach(holder.consumer, Leaving::kFinished);
  for (int i = 0; i < 10; ++i) {
    const Received received = ReceiveNow(*queue);
    EXPECT_TRUE(drawn.insert(received.lease).second);
    EXPECT_LE(received.lease, kDrawnMax);
    queue->ReturnLease(received.lease);
  }
}

}  // namespace
}  // namespace sluice::broker
