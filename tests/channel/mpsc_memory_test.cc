// SPDX-License-Identifier: Apache-2.0
// What a channel costs in memory, and what it asks of the type it carries.
#include "channel/mpsc.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;

// Clauses: M1 M2 M4 D7
TEST(Mpsc, P44_TheCapacityIsExactAndCostsNothing) {
  EXPECT_THROW(mpsc::Bounded<int>(0), std::invalid_argument);
  EXPECT_THROW(mpsc::Bounded<int>(mpsc::kCapacityMax + 1), std::invalid_argument);
  {
    const std::size_t before = testing::AllocatedBytes();
    auto [tx, rx] = mpsc::Bounded<std::array<char, 64>>(1'000'000);
    EXPECT_LT(testing::AllocatedBytes() - before, 64u * 1024);
    EXPECT_EQ(tx.capacity(), 1'000'000u);
  }
  auto [tx, rx] = mpsc::Bounded<int>(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(tx.TrySend(i).ok());
  EXPECT_EQ(tx.TrySend(3).error().why, Errc::kFull);
  auto [unbounded, sink] = mpsc::Unbounded<int>();
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(unbounded.Send(i).ok());
  EXPECT_EQ(sink.size(), 10'000u);
}

struct Huge {
  std::array<char, 2 << 20> bytes;
};

// Runs `body` in a thread with a stack of `stack_bytes`.
void RunWithStack(std::size_t stack_bytes, std::function<void()> body) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, stack_bytes), 0);
  pthread_t thread;
  const auto run = [](void* function) -> void* {
    (*static_cast<std::function<void()>*>(function))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &body), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  ASSERT_EQ(pthread_attr_destroy(&attributes), 0);
}

// Values of 2 MB, created on the heap, go through the channel by SendMany and RecvMany without ever
// being on the stack.
// Clauses: G12
TEST(Mpsc, P43_ALargeTypeNeverGoesOverTheStack) {
  RunWithStack(256 * 1024, [] {
    auto [tx, rx] = mpsc::Bounded<Huge>(2);
    std::vector<Huge> values(3);
    for (std::size_t i = 0; i < 3; ++i) values[i].bytes[i] = static_cast<char>('a' + i);
    auto sending = tx.SendMany(std::move(values));
    bool is_sent = false;
    sending.Start([&](auto sent) { is_sent = sent.ok(); });
    EXPECT_FALSE(is_sent);
    std::vector<Huge> received;
    while (received.size() < 3) ASSERT_TRUE(rx.RecvMany(received, 3).Wait().ok());
    EXPECT_TRUE(is_sent);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(received[i].bytes[i], static_cast<char>('a' + i));
  });
}

// Box can only be moved and destroyed.
// Clauses: G11
TEST(Mpsc, NothingIsAskedOfTheTypeButMoving) {
  static_assert(!std::is_default_constructible_v<Box> && !std::is_copy_constructible_v<Box> &&
                !std::is_move_assignable_v<Box>);
  auto [tx, rx] = mpsc::Bounded<Box>(1);
  std::vector<Box> boxes;
  boxes.emplace_back(1);
  boxes.emplace_back(2);
  auto rest = tx.TrySendMany(std::move(boxes));
  ASSERT_EQ(rest.error().value.size(), 1u);
  EXPECT_EQ(rest.error().value[0].number(), 2);
  std::vector<Box> received;
  EXPECT_EQ(*rx.RecvMany(received, 5).Wait(), 1u);
  EXPECT_EQ(received[0].number(), 1);
}

}  // namespace
}  // namespace sluice::channel
