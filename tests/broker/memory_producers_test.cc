// SPDX-License-Identifier: Apache-2.0
// What is remembered of producers is charged: who is accepted asks for it first.
#include <algorithm>

#include "tests/broker/memory_fixture.h"

namespace sluice::broker {
namespace {

class MemoryOfProducers : public MemoryFixture {
 protected:
  static constexpr std::uint64_t kMany = 1'000;

  static std::string Id(std::uint64_t n) {
    std::string id = std::to_string(n);
    id.resize(kProducerIdBytes, '.');
    return id;
  }
  static SendOptions TryFrom(std::uint64_t first_sequence, std::uint64_t producer) {
    SendOptions options = From(first_sequence, Id(producer));
    options.mode = SendMode::kTry;
    return options;
  }
  Ack TrySmall(Queue& queue, std::uint64_t sequence, std::uint64_t producer) {
    return Try(queue, {Small()}, TryFrom(sequence, producer)).at(0);
  }
  std::uint64_t used() const { return sixteen.snapshot().used; }
};

// Clauses: N9
TEST_F(MemoryOfProducers, WhoIsRememberedIsRefusedAgainThoughThereIsRoomSince) {
  const auto queue = MakeQueue("q");
  EXPECT_EQ(TrySmall(*queue, 1, 0).outcome, Outcome::kOk);
  while (TryEach(*queue, {Small()}) == Outcomes{Outcome::kOk}) {
  }
  EXPECT_EQ(TrySmall(*queue, 2, 0).outcome, Outcome::kFull);
  queue->Purge();
  const Ack again = TrySmall(*queue, 2, 0);
  EXPECT_EQ(again.outcome, Outcome::kFull);
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(TrySmall(*queue, 3, 0).outcome, Outcome::kOk);
}

// Clauses: N11 N14
TEST_F(MemoryOfProducers, WhoWaitsEntersWhenThereIsMemoryForItsMessageAndItself) {
  const auto full = MakeQueue("full");
  const auto queue = MakeQueue("q");
  Fill(*full, 16);
  Sending waits, repeat;
  SendSmall(*queue, waits, 1, From(1, Id(0)));
  SendSmall(*queue, repeat, 1, From(1, Id(0)));
  EXPECT_EQ(sixteen.snapshot().waiting, 2 * (kCharge + kProducerBytes));
  for (int i = 1; i <= 7; ++i) {
    EXPECT_FALSE(Look(*queue, waits)) << i;
    Pop(*full);
    Serve();
  }
  ASSERT_TRUE(Look(*queue, waits));
  EXPECT_EQ(waits.outcomes(), Outcomes{Outcome::kOk});
  ASSERT_TRUE(Look(*queue, repeat));
  EXPECT_TRUE(repeat.acks.at(0).duplicate);
  EXPECT_EQ(used(), 10 * kCharge + kProducerBytes);
  EXPECT_EQ(sixteen.snapshot().waiting, 0u);
  EXPECT_EQ(sixteen.snapshot().waiting_channels, 0u);
}

// It overwrites for the producer, too; at last what it has is too little for that.
// Clauses: N14
TEST_F(MemoryOfProducers, NewPublishersDoNotTakeATopicPastTheBound) {
  const auto topic = MakeSmallTopic();
  Reader reader;
  Subscribe(*topic, reader);
  for (int i = 0; i < 16; ++i) Publish(*topic, {Small()});
  std::uint64_t accepted = 0;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    SendOptions options = TryFrom(1, i);
    options.is_atomic = i % 2 == 0;
    const Ack ack = Publish(*topic, {Small()}, options).at(0);
    if (ack.outcome != Outcome::kOk) {
      EXPECT_EQ(ack.full_reason, FullReason::kServerMemory);
      break;  // a refusal is remembered, too, whether there is room or not (N9)
    }
    ++accepted;
    EXPECT_LE(used(), kSixteen);
  }
  EXPECT_GT(accepted, 0u);
  EXPECT_LT(accepted, kMany);
  EXPECT_EQ(used(), topic->Describe().retained_bytes + (accepted + 1) * kProducerBytes);
  topic->Unsubscribe(reader.subscriber);
}

// Clauses: N14
TEST_F(MemoryOfProducers, RangesAreChargedAsTheyGrowAndGivenBack) {
  const auto queue = Make(200);
  constexpr std::uint64_t kMost =
      kProducerBytes + (kOutcomeRangesMax - kProducerRanges) * kOutcomeRangeBytes;
  static_assert(kMost == 1'856, "the table's header says so");
  std::uint64_t before = 0;
  for (std::uint64_t i = 1; i <= kOutcomeRangesMax + 10; ++i) {
    Try(*queue, {Small()}, From(2 * i, Id(0)));  // the gap makes a range of its own
    const std::uint64_t charged = memory.snapshot().used - i * kCharge;
    const std::uint64_t ranges = std::min<std::uint64_t>(i, kOutcomeRangesMax);
    EXPECT_GE(charged, kProducerBytes +
                           (std::max<std::uint64_t>(ranges, kProducerRanges) - kProducerRanges) *
                               kOutcomeRangeBytes);
    EXPECT_GE(charged, before);
    before = charged;
    if (i == kProducerRanges) {
      EXPECT_EQ(charged, kProducerBytes);
    }
  }
  EXPECT_EQ(before, kMost);
  queue->Purge();
  EXPECT_EQ(memory.snapshot().used, kMost);
  Pass(kProducerMemory);
  EXPECT_EQ(memory.snapshot().used, 0u);
}

}  // namespace
}  // namespace sluice::broker
