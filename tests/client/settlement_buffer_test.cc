// SPDX-License-Identifier: Apache-2.0
#include "settlement_buffer.h"

#include <gtest/gtest.h>

#include "sluice/v1/queue.pb.h"

namespace sluice {
namespace {

v1::ReceiveStreamRequest Take(SettlementBuffer& buffer) {
  std::string frame;
  buffer.TakeInto(frame);
  v1::ReceiveStreamRequest request;
  EXPECT_TRUE(request.ParseFromString(frame));
  return request;
}

TEST(SettlementBuffer, NeighbouringAcksAreOneSettlement) {
  SettlementBuffer buffer;
  EXPECT_TRUE(buffer.Add({{1, 2}, SettleAction::kAck, {}, {}, 0}));
  EXPECT_FALSE(buffer.Add({{3, 1}, SettleAction::kAck, {}, {}, 0}));
  EXPECT_TRUE(buffer.Add({{5, 1}, SettleAction::kAck, {}, {}, 0})) << "4 is not acked";
  const auto request = Take(buffer);
  ASSERT_EQ(request.settlements_size(), 2);
  EXPECT_EQ(request.settlements(0).first_position(), 1u);
  EXPECT_EQ(request.settlements(0).count(), 3u);
  EXPECT_EQ(request.settlements(1).first_position(), 5u);
  EXPECT_TRUE(buffer.empty());
}

TEST(SettlementBuffer, OnlyAcksAreJoinedAndTheOrderIsKept) {
  SettlementBuffer buffer;
  EXPECT_TRUE(buffer.Add({{1, 1}, SettleAction::kAck, {}, {}, 0}));
  EXPECT_TRUE(buffer.Add({{2, 1}, SettleAction::kNack, std::chrono::milliseconds(50), {}, 0}));
  EXPECT_TRUE(buffer.Add({{3, 1}, SettleAction::kNack, std::chrono::milliseconds(50), {}, 0}));
  EXPECT_TRUE(buffer.Add({{4, 1}, SettleAction::kExtend, {}, std::chrono::seconds(2), 0}));
  const auto request = Take(buffer);
  ASSERT_EQ(request.settlements_size(), 4);
  EXPECT_EQ(request.settlements(1).action(), v1::SETTLE_ACTION_NACK);
  EXPECT_EQ(request.settlements(1).delay_ms(), 50u);
  EXPECT_EQ(request.settlements(3).lease_ms(), 2000u);
}

TEST(SettlementBuffer, AFrameHasNoMoreThanTheDaemonTakes) {
  SettlementBuffer buffer;
  constexpr std::size_t kCount = SettlementBuffer::kFrameSettlementsMax + 1;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(buffer.Add({{i * 2 + 1, 1}, SettleAction::kAck, {}, {}, 0}));
  }
  EXPECT_EQ(static_cast<std::size_t>(Take(buffer).settlements_size()), kCount - 1);
  const auto rest = Take(buffer);
  ASSERT_EQ(rest.settlements_size(), 1);
  EXPECT_EQ(rest.settlements(0).first_position(), kCount * 2 - 1);
}

}  // namespace
}  // namespace sluice
