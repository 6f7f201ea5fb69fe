// SPDX-License-Identifier: Apache-2.0
// Stored bytes: charged whole, delivered by reference, given back when few live.
#include "broker/batch.h"

#include <deque>
#include <random>

#include "broker/queue/parcel.h"
#include "tests/broker/queue_fixture.h"
#include "tests/support/seed.h"

namespace sluice::broker {
namespace {

constexpr std::uint64_t kOverhead = kMessageOverheadBytes;

// Records of `size` bytes each.
std::vector<std::string> Payloads(std::size_t count, std::size_t size) {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < count; ++i) {
    list.push_back(std::to_string(i));
    list.back().resize(size - 2, '.');
  }
  return list;
}

// Clauses: N14
TEST(Batch, IsChargedWholeWithItsFirstMessageAndFreedWithItsLast) {
  Meter meter;
  Incoming incoming = Messages(Payloads(3, 20));
  EXPECT_EQ(incoming.remaining(), 3u);
  EXPECT_EQ(incoming.next_charge(), 3 * (20 + kOverhead));
  EXPECT_EQ(incoming.total_charge(), incoming.next_charge());
  EXPECT_EQ(meter.bytes, 0u);
  Message first = incoming.Store(meter, 42);
  EXPECT_EQ(meter.bytes, 3 * (20 + kOverhead));
  EXPECT_EQ(incoming.next_charge(), 0u) << "paid for";
  EXPECT_EQ(incoming.total_charge(), 0u);
  Message second = incoming.Store(meter, 43);
  EXPECT_EQ(first.accepted_unix_us(), 42u);
  EXPECT_EQ(second.accepted_unix_us(), 42u) << "once per batch";
  EXPECT_EQ(first.size(), 20u);
  first.Reset();
  Message third = incoming.Store(meter, 44);
  second = Message();
  EXPECT_EQ(meter.bytes, 3 * (20 + kOverhead)) << "whole while one lives";
  third.Reset();
  EXPECT_EQ(meter.bytes, 0u);
}

TEST(Batch, FramesAreCutIntoBatchesOrOneMessage) {
  Meter meter;
  // Two of 36 + 64 bytes are 200.
  Incoming incoming = Messages(Payloads(5, 36), 200);
  EXPECT_EQ(incoming.next_charge(), 200u);
  EXPECT_EQ(incoming.total_charge(), 500u);
  EXPECT_EQ(incoming.largest_charge(), 200u);
  std::vector<Message> stored;
  for (int i = 0; i < 3; ++i) stored.push_back(incoming.Store(meter, 0));
  EXPECT_EQ(meter.bytes, 400u);
  EXPECT_EQ(Messages(Payloads(5, 36), 199).next_charge(), 100u);
  EXPECT_EQ(Messages(Payloads(5, 36), 1).next_charge(), 100u) << "one message whatever its size";
}

TEST(Batch, SplitBeforeAnythingIsStored) {
  Incoming incoming = Messages(Payloads(7, 36));
  EXPECT_EQ(incoming.largest_charge(), 700u);
  incoming.Split(250);
  EXPECT_EQ(incoming.largest_charge(), 200u);
  EXPECT_EQ(incoming.remaining(), 7u);
  Meter meter;
  Delivery delivery;
  std::vector<Message> stored;
  while (incoming.remaining() > 0) {
    stored.push_back(incoming.Store(meter, 0));
    stored.back().AppendTo(delivery);
  }
  EXPECT_EQ(broker::Payloads(delivery), Payloads(7, 36));
  EXPECT_EQ(delivery.slices.size(), 4u);
}

TEST(Batch, NeighboursAreOneSliceAndOneRun) {
  Meter meter;
  Incoming incoming = Messages(Payloads(4, 20));
  std::vector<Message> stored;
  while (incoming.remaining() > 0) stored.push_back(incoming.Store(meter, 9));
  Delivery delivery;
  Append(stored[0], 5, 1, 0, delivery);
  Append(stored[1], 6, 1, 0, delivery);
  EXPECT_EQ(delivery.slices.size(), 1u);
  EXPECT_EQ(delivery.slices[0].size, 40u);
  ASSERT_EQ(delivery.runs.size(), 1u);
  EXPECT_EQ(delivery.runs[0].first_position, 5u);
  EXPECT_EQ(delivery.runs[0].count, 2u);
  EXPECT_EQ(delivery.runs[0].accepted_unix_us, 9u);
  Append(stored[2], 7, 2, 0, delivery);
  EXPECT_EQ(delivery.runs.size(), 2u) << "another history";
  Append(stored[0], 9, 2, 0, delivery);
  EXPECT_EQ(delivery.runs.size(), 3u) << "not the next position";
  EXPECT_EQ(delivery.slices.size(), 2u);
  EXPECT_EQ(delivery.messages, 4u);
  EXPECT_EQ(delivery.bytes, 80u);
}

TEST(Batch, SkippedAndDroppedMessagesAreNotStored) {
  Meter meter;
  Incoming incoming = Messages(Payloads(4, 20));
  incoming.Skip();
  EXPECT_EQ(incoming.next_charge(), 4 * (20 + kOverhead)) << "its bytes are there";
  Message second = incoming.Store(meter, 0);
  incoming.Skip();
  EXPECT_EQ(incoming.remaining(), 1u);
  incoming.Drop();
  EXPECT_EQ(incoming.remaining(), 0u);
  Delivery delivery;
  second.AppendTo(delivery);
  EXPECT_EQ(broker::Payloads(delivery).at(0).substr(0, 1), "1");
  second.Reset();
  EXPECT_EQ(meter.bytes, 0u);
  Incoming unused = Messages(Payloads(4, 20));
  while (unused.remaining() > 0) unused.Skip();
  EXPECT_EQ(meter.bytes, 0u);
}

// Clauses: N14
TEST(Batch, UnderAQuarterTheSurvivorsAreCopiedOut) {
  Meter meter;
  Incoming incoming = Messages(Payloads(8, 20));
  std::vector<Message> stored;
  while (incoming.remaining() > 0) stored.push_back(incoming.Store(meter, 3));
  for (std::size_t i : {0u, 1u, 2u, 4u, 5u, 7u}) stored[i].Reset();
  Compact(meter);
  EXPECT_EQ(meter.bytes, 8 * (20 + kOverhead)) << "exactly a quarter lives";
  Delivery before;
  stored[3].AppendTo(before);
  stored[6].Reset();
  Compact(meter);
  EXPECT_EQ(meter.bytes, 20 + kOverhead);
  Delivery after;
  stored[3].AppendTo(after);
  EXPECT_EQ(broker::Payloads(before), broker::Payloads(after)) << "readers keep the old bytes";
  EXPECT_NE(before.slices[0].bytes, after.slices[0].bytes);
  EXPECT_EQ(after.slices[0].bytes->size(), 20u);
  EXPECT_EQ(stored[3].size(), 20u);
  EXPECT_EQ(stored[3].accepted_unix_us(), 3u);
  stored[3].Reset();
  EXPECT_EQ(meter.bytes, 0u);
}

TEST(Batch, WhatEndsTogetherIsNeverCopied) {
  Meter meter;
  Incoming incoming = Messages(Payloads(8, 20));
  std::vector<Message> stored;
  while (incoming.remaining() > 0) stored.push_back(incoming.Store(meter, 3));
  for (std::size_t i = 0; i < 7; ++i) stored[i].Reset();
  EXPECT_FALSE(meter.sparse.empty());
  stored[7].Reset();
  EXPECT_TRUE(meter.sparse.empty());
  EXPECT_EQ(meter.bytes, 0u);
}

TEST(Batch, ABatchThatIsStillEnteringMayBeCompacted) {
  Meter meter;
  Incoming incoming = Messages(Payloads(20, 20));
  for (int i = 0; i < 17; ++i) incoming.Store(meter, 3).Reset();
  Compact(meter);
  EXPECT_EQ(meter.bytes, 3 * (20 + kOverhead));
  Delivery delivery;
  std::vector<Message> stored;
  while (incoming.remaining() > 0) {
    stored.push_back(incoming.Store(meter, 3));
    stored.back().AppendTo(delivery);
  }
  const auto all = Payloads(20, 20);
  EXPECT_EQ(broker::Payloads(delivery), std::vector<std::string>(all.begin() + 17, all.end()));
}

// Clauses: N14
TEST(Batch, RandomLivesAreMeteredAndReadBack) {
  const std::uint64_t seed = testing::Seed("Batch.RandomLives");
  std::mt19937_64 random(seed);
  Meter meter;
  struct Kept {
    Message message;
    std::string payload;
  };
  std::deque<Kept> kept;
  std::uint64_t live_bytes = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> payloads;
    for (std::uint64_t i = random() % 30; i > 0; --i) {
      payloads.push_back(std::string(random() % 100, static_cast<char>('a' + random() % 26)));
    }
    Incoming incoming = Messages(payloads, static_cast<std::uint32_t>(1 + random() % 3000));
    for (const std::string& payload : payloads) {
      if (random() % 10 == 0) {
        incoming.Skip();
        continue;
      }
      kept.push_back({incoming.Store(meter, 1), payload});
      live_bytes += payload.size() + 2 + kOverhead;
    }
    for (std::uint64_t i = random() % 30; i > 0 && !kept.empty(); --i) {
      std::swap(kept[random() % kept.size()], kept.back());
      live_bytes -= kept.back().payload.size() + 2 + kOverhead;
      kept.pop_back();
    }
    Compact(meter);
    ASSERT_GE(meter.bytes, live_bytes);
    for (const Kept& one : kept) {
      Delivery delivery;
      one.message.AppendTo(delivery);
      ASSERT_EQ(broker::Payloads(delivery).at(0), one.payload);
    }
  }
  kept.clear();
  EXPECT_EQ(meter.bytes, 0u);
}

}  // namespace
}  // namespace sluice::broker
