// SPDX-License-Identifier: Apache-2.0
// One thread: many at once, shared values, and a ring bounded in bytes.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "channel/broadcast.h"
#include "tests/channel/broadcast_support.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::Drop;
using testing::Read;
using testing::Rx;
using testing::Send;
using testing::SendAll;
using testing::Show;
using testing::Started;
using testing::Tx;

// Clauses: B4 G15
TEST(Broadcast, ASharedValueIsHandedOnAndHandedBack) {
  const Tx tx(4);
  const auto value = std::make_shared<const int>(5);
  auto refused = tx.SendShared(value);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().value, value);
  Rx rx = tx.Subscribe();
  EXPECT_EQ(*tx.SendShared(value), 1U);
  EXPECT_EQ(*rx.TryRecv(), value);
}

// Clauses: B26
TEST(Broadcast, SendManyIsAsManySends) {
  auto [tx, rx] = broadcast::Channel<int>(4);
  EXPECT_EQ(*tx.SendMany({1, 2, 3}), 1U);
  EXPECT_EQ(tx.next_position(), 3U);
  EXPECT_EQ(Read(rx, 4), "1, 2, 3, empty");
  EXPECT_EQ(*tx.SendMany({4, 5, 6, 7, 8, 9}), 1U);
  EXPECT_EQ(Read(rx, 6), "lagged 2, 6, 7, 8, 9, empty");
  EXPECT_TRUE(tx.SendMany({}).ok());
  Started r([&rx = rx] { return rx.Recv(); });
  EXPECT_TRUE(tx.SendMany({}).ok());
  EXPECT_TRUE(r.pending());
  EXPECT_EQ(*tx.SendMany({10, 11}), 1U);
  EXPECT_EQ(Show(r.outcome()), "10");
  EXPECT_EQ(Read(rx, 2), "11, empty");
  Drop(rx);
  EXPECT_TRUE(tx.SendMany({}).ok());

  const broadcast::Sender<Box> boxes(4);
  std::vector<Box> values;
  values.emplace_back(1);
  values.emplace_back(2);
  auto refused = boxes.SendMany(std::move(values));
  ASSERT_FALSE(refused.ok());
  ASSERT_EQ(refused.error().value.size(), 2U);
  EXPECT_EQ(refused.error().value[0].number(), 1);
  EXPECT_EQ(refused.error().value[1].number(), 2);
}

// Clauses: B26 B25
TEST(Broadcast, RecvManyTellsALagFirstAndAlone) {
  auto [tx, rx] = broadcast::Channel<int>(4);
  std::vector<broadcast::Value<int>> values;
  EXPECT_EQ(*rx.RecvMany(values, 0).Wait(), 0U);
  SendAll(tx, 0, 5);
  EXPECT_EQ(Show(rx.RecvMany(values, 9).Wait().error()), "lagged 2");
  EXPECT_TRUE(values.empty());
  EXPECT_EQ(*rx.RecvMany(values, 3).Wait(), 3U);
  EXPECT_EQ(*rx.RecvMany(values, 3).Wait(), 1U);
  EXPECT_EQ(values.size(), 4U);
  EXPECT_EQ(*values.front(), 2);
  EXPECT_EQ(*values.back(), 5);

  Started waiting([&, &rx = rx] { return rx.RecvMany(values, 9); });
  EXPECT_TRUE(waiting.Cancel());
  Started again([&, &rx = rx] { return rx.RecvMany(values, 9); });
  EXPECT_TRUE(again.pending());
  ASSERT_TRUE(tx.SendMany({6, 7, 8}).ok());
  ASSERT_FALSE(again.pending());
  EXPECT_EQ(*again.outcome(), 3U);
  EXPECT_EQ(*values.back(), 8);
  Drop(tx);
  EXPECT_EQ(Show(rx.RecvMany(values, 9).Wait().error()), "closed");
  EXPECT_EQ(*rx.RecvMany(values, 0).Wait(), 0U);
}

// Values weigh what they are.
std::size_t WeighInt(const int& value) { return static_cast<std::size_t>(value); }

// Clauses: B27 B8
TEST(Broadcast, ABoundInBytesOverwritesTheOldest) {
  auto [tx, rx] = broadcast::Channel<int>(4, 100, WeighInt);
  SendAll(tx, 60, 60);
  ASSERT_TRUE(tx.Send(30).ok());
  ASSERT_TRUE(tx.Send(10).ok());
  EXPECT_EQ(tx.oldest_position(), 0U);  // exactly full
  ASSERT_TRUE(tx.Send(1).ok());
  EXPECT_EQ(tx.oldest_position(), 1U);
  EXPECT_EQ(tx.size(), 3U);
  EXPECT_EQ(Read(rx, 2), "lagged 1, 30");
  // One that alone exceeds the bound is kept, alone.
  ASSERT_TRUE(tx.Send(500).ok());
  EXPECT_EQ(Read(rx, 3), "lagged 2, 500, empty");
  // What was read weighs nothing any more.
  ASSERT_TRUE(tx.SendMany({90, 10}).ok());
  EXPECT_EQ(Read(rx, 1), "90");
  ASSERT_TRUE(tx.Send(90).ok());
  EXPECT_EQ(Read(rx, 3), "10, 90, empty");
  // The count still binds.
  SendAll(tx, 1, 6);
  EXPECT_EQ(Read(rx, 6), "lagged 2, 3, 4, 5, 6, empty");
}

}  // namespace
}  // namespace sluice::channel
