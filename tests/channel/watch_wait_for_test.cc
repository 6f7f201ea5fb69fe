// SPDX-License-Identifier: Apache-2.0
// One thread: waiting for a value that a predicate accepts.
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "channel/watch.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Started;

// Accepts what is at least `bound`, and remembers what it was shown.
struct AtLeast {
  AtLeast(int least, std::vector<int>* values) : bound(least), shown(values) {}
  bool operator()(const int& value) const {
    shown->push_back(value);
    return value >= bound;
  }
  int bound;
  std::vector<int>* shown;
};

using Shown = std::vector<int>;

// Clauses: W17 W3
TEST(WatchWaitFor, LooksAtTheCurrentValueFirstThoughItIsSeen) {
  auto [tx, rx] = watch::Channel<int>(5);
  Shown shown;
  Started found([&, &rx = rx] { return rx.WaitFor(AtLeast(5, &shown)); });
  ASSERT_FALSE(found.pending());
  EXPECT_EQ(**found.outcome(), 5);
  EXPECT_EQ(shown, Shown({5}));
  ASSERT_TRUE(tx.Send(6).ok());
  EXPECT_EQ(**rx.WaitFor(AtLeast(5, &shown)).Wait(), 6);
  EXPECT_FALSE(*rx.HasChanged());
}

// Clauses: W17 W18 D1
TEST(WatchWaitFor, IsShownEachChangeUntilItAccepts) {
  auto [tx, rx] = watch::Channel<int>(0);
  Shown shown;
  Started wait([&, &rx = rx] { return rx.WaitFor(AtLeast(3, &shown)); });
  EXPECT_FALSE(*rx.HasChanged());
  for (const int value : {1, 2}) {
    ASSERT_TRUE(tx.Send(value).ok());
    EXPECT_TRUE(wait.pending());
    EXPECT_FALSE(*rx.HasChanged());  // shown, so seen, though rejected
  }
  ASSERT_TRUE(tx.Send(3).ok());
  ASSERT_FALSE(wait.pending());
  ASSERT_TRUE(tx.Send(9).ok());
  EXPECT_EQ(**wait.outcome(), 3);
  EXPECT_EQ(shown, Shown({0, 1, 2, 3}));
  EXPECT_TRUE(*rx.HasChanged());
}

// Clauses: W18 W6
TEST(WatchWaitFor, TheFinalValueIsJudgedOnceBeforeTheEnd) {
  Shown shown;
  {
    auto channel = watch::Channel<int>(0);
    auto& rx = channel.second;
    Started wait([&] { return rx.WaitFor(AtLeast(3, &shown)); });
    ASSERT_TRUE(channel.first.Send(1).ok());
    { const auto last = std::move(channel.first); }
    ASSERT_FALSE(wait.pending());
    EXPECT_EQ(wait.outcome().error(), Errc::kClosed);
    EXPECT_EQ(shown, Shown({0, 1}));  // not again because the channel ended
    EXPECT_EQ(rx.WaitFor(AtLeast(3, &shown)).Wait().error(), Errc::kClosed);
    EXPECT_EQ(shown, Shown({0, 1, 1}));
  }
  shown.clear();
  auto channel = watch::Channel<int>(0);
  ASSERT_TRUE(channel.first.Send(3).ok());
  { const auto last = std::move(channel.first); }
  EXPECT_EQ(**channel.second.WaitFor(AtLeast(3, &shown)).Wait(), 3);  // accepted, though closed
}

// Clauses: W20 W17 G2
TEST(WatchWaitFor, CancelledItHasRejectedWhatItWasShown) {
  auto [tx, rx] = watch::Channel<int>(0);
  Shown shown;
  {
    Started wait([&, &rx = rx] { return rx.WaitFor(AtLeast(3, &shown)); });
    ASSERT_TRUE(tx.Send(1).ok());
    EXPECT_TRUE(wait.Cancel());
    ASSERT_TRUE(tx.Send(2).ok());
    EXPECT_EQ(shown, Shown({0, 1}));
    EXPECT_TRUE(*rx.HasChanged());
    EXPECT_TRUE(wait.pending());
  }
  EXPECT_EQ(rx.WaitFor(AtLeast(3, &shown)).WaitUntil(TimePoint()).error(), Errc::kTimedOut);
  EXPECT_FALSE(*rx.HasChanged());
  std::stop_source stop;
  auto wait = rx.WaitFor(AtLeast(3, &shown));
  std::optional<Errc> why;
  wait.StopOn(stop.get_token());
  wait.Start([&why](const watch::Found<int>& found) { why = found.error(); });
  EXPECT_FALSE(why.has_value());
  stop.request_stop();
  EXPECT_EQ(why, Errc::kCancelled);
}

// Clauses: G6 W17
TEST(WatchWaitFor, ThePredicateMayUseTheChannel) {
  auto [tx, rx] = watch::Channel<int>(0);
  std::size_t receivers = 0;
  const auto found = rx.WaitFor([&, &tx = tx](const int& value) {
                         receivers = tx.receiver_count();
                         return value < 3 ? !tx.Send(value + 1).ok() : true;
                       }).Wait();
  EXPECT_EQ(**found, 3);
  EXPECT_EQ(receivers, 1U);
}

// Clauses: W17 G11
TEST(WatchWaitFor, TheSnapshotOutlivesTheChannel) {
  watch::Snapshot<int> kept;
  {
    auto [tx, rx] = watch::Channel<int>(4);
    Shown shown;
    kept = *rx.WaitFor(AtLeast(0, &shown)).Wait();
  }
  EXPECT_EQ(*kept, 4);
}

}  // namespace
}  // namespace sluice::channel
