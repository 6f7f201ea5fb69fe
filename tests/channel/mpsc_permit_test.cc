// SPDX-License-Identifier: Apache-2.0
// Slots in the hand: permits, sequences of permits, and requests that collect.
#include "channel/mpsc.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Started;

// Clauses: M19 M7 M46
TEST(Mpsc, P03_SendingDoesNotFreeTheSlot) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  std::optional p1(*tx.TryReserve());
  std::optional p2(*tx.TryReserve());
  Started r3([&s = tx] { return s.Reserve(); });
  Started r4([&s = tx] { return s.Reserve(); });
  EXPECT_TRUE(r3.pending());
  std::move(*p1).Send(1);
  EXPECT_TRUE(r3.pending());
  EXPECT_EQ(*rx.TryRecv(), 1);
  EXPECT_TRUE(r3.outcome().ok());
  EXPECT_TRUE(r4.pending());
  p2.reset();
  EXPECT_TRUE(r4.outcome().ok());
  Started r5([&s = tx] { return s.Reserve(); });
  EXPECT_TRUE(r5.pending());
}

// Clauses: M9 M7
TEST(Mpsc, P09_TheHeadOfTheLineCollects) {
  auto [tx, rx] = mpsc::Bounded<int>(5);
  std::optional held(*tx.TryReserve());
  Started a([&s = tx] { return s.Reserve(5); });
  EXPECT_EQ(tx.capacity(), 0u);
  Started b([&s = tx] { return s.Reserve(3); });
  EXPECT_TRUE(a.pending());
  held.reset();
  ASSERT_TRUE(a.outcome().ok());
  EXPECT_TRUE(b.pending());
  mpsc::Permits<int> five = *std::move(a.outcome());
  ASSERT_EQ(five.size(), 5u);
  for (int dropped = 1; dropped <= 2; ++dropped) {
    five.Next().reset();
    EXPECT_TRUE(b.pending()) << dropped;
  }
  five.Next().reset();
  ASSERT_TRUE(b.outcome().ok());
  EXPECT_EQ((*b.outcome()).size(), 3u);
  EXPECT_EQ(rx.capacity(), 0u);
}

// A small request behind a large one waits although there would be room for it.
// Clauses: M9 M8
TEST(Mpsc, ALargeRequestHoldsBackASmallOne) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  std::optional held(*tx.TryReserve());
  Started large([&s = tx] { return s.Reserve(2); });
  Started small([&s = tx] { return s.Send(1); });
  EXPECT_TRUE(large.pending());
  EXPECT_TRUE(small.pending());
  EXPECT_EQ(tx.TrySend(2).error().why, Errc::kFull);
  EXPECT_TRUE(large.Cancel());
  EXPECT_TRUE(small.outcome().ok());
  EXPECT_EQ(*rx.TryRecv(), 1);
}

// Clauses: M20 M25
TEST(Mpsc, P10_ASequenceReturnsWhatIsLeftInIt) {
  for (std::size_t n = 1; n < 100; ++n) {
    for (std::size_t k = 0; k < n; ++k) {
      auto [tx, rx] = mpsc::Bounded<std::size_t>(n);
      {
        auto permits = tx.TryReserve(n);
        ASSERT_EQ((*permits).size(), n);
        ASSERT_EQ(tx.capacity(), 0u);
        ASSERT_EQ(tx.TryReserve(1).error(), Errc::kFull);
        for (std::size_t i = 0; i < k; ++i) (*permits).Next().reset();
        ASSERT_EQ(tx.capacity(), k);
      }
      auto permits = tx.TryReserve(n);
      for (std::size_t i = 0; i < k; ++i) std::move(*(*permits).Next()).Send(i);
      { auto dropped = *std::move(permits); }
      ASSERT_EQ(tx.capacity(), n - k);
      ASSERT_EQ(tx.TryReserve(n - k + 1).error(), k > 0 ? Errc::kFull : Errc::kTooMany);
      for (std::size_t i = 0; i < k; ++i) ASSERT_EQ(*rx.TryRecv(), i);
      ASSERT_EQ(tx.capacity(), n);
    }
  }
}

// Clauses: M21
TEST(Mpsc, P11_NoneIsAlwaysThere) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  EXPECT_EQ((*tx.TryReserve(0)).size(), 0u);
  EXPECT_EQ((*tx.Reserve(0).Wait()).size(), 0u);
  ASSERT_TRUE(tx.TrySend(1).ok());
  Started waiting([&s = tx] { return s.Send(2); });
  EXPECT_TRUE((*tx.TryReserve(0)).empty());
  EXPECT_TRUE((*tx.Reserve(0).Wait()).empty());
  { auto dropped = std::move(rx); }
  EXPECT_EQ(tx.TryReserve(0).error(), Errc::kClosed);
  EXPECT_EQ(tx.Reserve(0).Wait().error(), Errc::kClosed);
}

// Clauses: M22 D4
TEST(Mpsc, P12_MoreThanTheCapacityIsTooMany) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
  for (const std::size_t n : {std::size_t{2}, kMax / 8 + 1, kMax}) {
    EXPECT_EQ(tx.Reserve(n).Wait().error(), Errc::kTooMany);
    EXPECT_EQ(tx.TryReserve(n).error(), Errc::kTooMany);
    EXPECT_EQ(tx.capacity(), 1u);
  }
  rx.Close();
  EXPECT_EQ(tx.Reserve(2).Wait().error(), Errc::kClosed);
  EXPECT_EQ(tx.TryReserve(2).error(), Errc::kClosed);
}

// Clauses: M25 M29
TEST(Mpsc, P14_CapacityAndSize) {
  auto [tx, rx] = mpsc::Bounded<int>(5);
  const auto expect = [&tx = tx, &rx = rx](std::size_t capacity, std::size_t size) {
    EXPECT_EQ(tx.capacity(), capacity);
    EXPECT_EQ(rx.capacity(), capacity);
    EXPECT_EQ(rx.size(), size);
    EXPECT_EQ(tx.max_capacity(), 5u);
    EXPECT_EQ(rx.max_capacity(), 5u);
  };
  expect(5, 0);
  std::optional permit(*tx.TryReserve());
  expect(4, 0);
  std::move(*permit).Send(1);
  expect(4, 1);
  EXPECT_EQ(*rx.TryRecv(), 1);
  expect(5, 0);
  ASSERT_TRUE(tx.TrySend(2).ok());
  expect(4, 1);
  rx.Close();
  expect(4, 1);
  EXPECT_EQ(*rx.TryRecv(), 2);
  expect(5, 0);
}

// Clauses: M17
TEST(Mpsc, ACancelledReserveReturnsExactlyWhatItCollected) {
  auto [tx, rx] = mpsc::Bounded<int>(10);
  auto four = tx.TryReserve(4);
  EXPECT_EQ(tx.capacity(), 6u);
  Started eight([&s = tx] { return s.Reserve(8); });
  EXPECT_EQ(tx.capacity(), 0u);
  EXPECT_TRUE(eight.Cancel());
  EXPECT_EQ(tx.capacity(), 6u);
}

// Clauses: M6 M5
TEST(Mpsc, TheOrderIsThatOfSendingNotOfReserving) {
  auto [tx, rx] = mpsc::Bounded<char>(2);
  std::optional p1(*tx.TryReserve());
  std::optional p2(*tx.TryReserve());
  std::move(*p2).Send('b');
  std::move(*p1).Send('a');
  EXPECT_EQ(*rx.TryRecv(), 'b');
  EXPECT_EQ(*rx.TryRecv(), 'a');
}

// Clauses: M23 M24 M18
TEST(Mpsc, P45_APermitGivesTheSenderBack) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  std::optional permit(*tx.TryReserve());
  EXPECT_EQ(tx.TryReserve().error(), Errc::kFull);
  EXPECT_EQ(tx.strong_count(), 2u);
  {
    auto sender = std::move(*permit).Release();
    EXPECT_EQ(tx.strong_count(), 2u);
    EXPECT_TRUE(sender.TrySend(1).ok());
  }
  EXPECT_EQ(tx.strong_count(), 1u);
  EXPECT_EQ(*rx.TryRecv(), 1);
  {
    auto sender = (*tx.TryReserve()).Release();
    auto again = sender.TryReserve();
    auto back = (*std::move(again)).Send(2);
    EXPECT_TRUE(back.SameChannel(tx));
    EXPECT_EQ(tx.strong_count(), 3u);
  }
  EXPECT_EQ(*rx.TryRecv(), 2);
  rx.Close();
  EXPECT_EQ(tx.TryReserve().error(), Errc::kClosed);
  EXPECT_EQ(tx.max_capacity(), 1u);
}

}  // namespace
}  // namespace sluice::channel
