// SPDX-License-Identifier: Apache-2.0
// Senders and receivers on threads of their own.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "channel/watch.h"
#include "tests/channel/race.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::InPlace;
using testing::Race;
using Tx = watch::Sender<int>;
using Rx = watch::Receiver<int>;

// Clauses: W19 W17
TEST(WatchThreads, P100_WaitForReturnsWhatThePredicateWasShown) {
  std::optional<Tx> tx;
  std::optional<Rx> rx;
  int wanted = 0;
  int returned = 0;
  int recorded = 0;
  Race(
      10'000,
      [&] {
        auto channel = watch::Channel<int>(0);
        tx.emplace(std::move(channel.first));
        rx.emplace(std::move(channel.second));
        wanted = wanted % 3 + 1;
      },
      [&] {
        for (const int value : {1, 2, 3}) {
          ASSERT_TRUE(tx->Send(value).ok());
        }
      },
      [&] {
        const auto found = rx->WaitFor([&](const int& value) {
                               recorded = value;
                               return value >= wanted;
                             }).Wait();
        ASSERT_TRUE(found.ok());
        returned = **found;
      },
      [&] {
        ASSERT_EQ(returned, recorded);
        ASSERT_GE(returned, wanted);
      });
}

// Clauses: W22 G8
TEST(WatchThreads, P101_OneUpdateWakesAllThatWait) {
  constexpr int kReceivers = 64;
  for (int round = 0; round < 50; ++round) {
    auto [tx, rx] = watch::Channel<int>(0);
    std::latch ready(kReceivers);
    std::atomic<int> woken{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < kReceivers / 2; ++i) {
      threads.emplace_back([&ready, &woken, first = rx, second = rx]() mutable {
        auto waiting = second.Changed();
        waiting.Start([&second, &woken](Result<watch::Version, Errc> changed) {
          ASSERT_TRUE(changed.ok());
          ASSERT_EQ(*second.Borrow(), 1);
          ++woken;
        });
        ready.count_down(2);
        ASSERT_TRUE(first.Changed().Wait().ok());
        ASSERT_EQ(*first.Borrow(), 1);
        ++woken;
      });
    }
    ready.wait();
    ASSERT_TRUE(tx.Send(1).ok());
    threads.clear();
    ASSERT_EQ(woken.load(), kReceivers);
  }
}

// Clauses: W10 W23 W6
TEST(WatchThreads, P102_SeveralSendersAnnounceAndEndTogether) {
  std::optional<Tx> tx1;
  std::optional<Tx> tx2;
  std::optional<Rx> rx;
  const auto renew = [&] {
    auto channel = watch::Channel<int>(0);
    tx1.emplace(std::move(channel.first));
    tx2.emplace(*tx1);
    rx.emplace(std::move(channel.second));
  };
  renew();
  for (const int value : {1, 2}) {
    ASSERT_TRUE((value == 1 ? tx1 : tx2)->Send(value).ok());
    ASSERT_TRUE(rx->Changed().Wait().ok());
    ASSERT_EQ(*rx->Borrow(), value);
  }
  auto waiting = rx->Changed();
  std::atomic<bool> is_closed{false};
  waiting.Start([&](Result<watch::Version, Errc> changed) { is_closed = !changed.ok(); });
  tx1.reset();
  EXPECT_FALSE(is_closed.load());
  tx2.reset();
  EXPECT_TRUE(is_closed.load());
  Race(
      5'000, renew, [&] { tx1.reset(); }, [&] { tx2.reset(); },
      [&] { ASSERT_EQ(rx->HasChanged().error(), Errc::kClosed); });
}

// Both updates are made, in one order; a receiver never goes back.
// Clauses: W23 W2 W7
TEST(WatchThreads, VersionsOnlyRise) {
  constexpr int kUpdates = 5'000;
  auto [tx, rx] = watch::Channel<int>(0);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([tx = Tx(tx)] {
      // A lost or doubled change would show in the sum.
      for (int k = 0; k < kUpdates; ++k) tx.Modify([](int& value) { ++value; });
    });
  }
  { const Tx last(std::move(tx)); }
  int before = 0;
  while (rx.Changed().Wait().ok()) {
    const auto now = rx.BorrowAndUpdate();
    ASSERT_GE(*now, before);
    ASSERT_EQ(static_cast<watch::Version>(*now), now.version());
    before = *now;
  }
  EXPECT_EQ(before, 2 * kUpdates);
}

// Clauses: W26 G2 G3
TEST(WatchThreads, ACancelledChangedMarksNothing) {
  auto [tx, rx] = watch::Channel<int>(0);
  std::optional<Operation<watch::ChangedRequest<int>>> changed;
  std::atomic<int> calls{0};
  bool is_cancelled = false;
  Race(
      5'000,
      [&, &rx = rx] {
        rx.MarkUnchanged();
        calls = 0;
        changed.emplace(InPlace([&] { return rx.Changed(); }));
        changed->Start([&calls](Result<watch::Version, Errc>) { ++calls; });
      },
      [&tx = tx] { ASSERT_TRUE(tx.Send(1).ok()); }, [&] { is_cancelled = changed->Cancel(); },
      [&, &rx = rx] {
        ASSERT_EQ(calls.load(), is_cancelled ? 0 : 1);
        ASSERT_EQ(*rx.HasChanged(), is_cancelled);
        changed.reset();
      });
}

// Clauses: W20 G2
TEST(WatchThreads, AWaitForIsCancelledWhileItsPredicateRunsElsewhere) {
  auto [tx, rx] = watch::Channel<int>(0);
  // Owned by the wait: after it is gone nobody may look.
  std::optional<std::shared_ptr<int>> owned;
  Race(
      3'000, [&] { owned.emplace(std::make_shared<int>(0)); },
      [&tx = tx] { ASSERT_TRUE(tx.Send(1).ok()); },
      [&, &rx = rx] {
        auto wait = rx.WaitFor([raw = owned->get()](const int&) { return ++*raw < 0; });
        wait.Start([](const watch::Found<int>&) { FAIL() << "nothing is accepted"; });
        EXPECT_TRUE(wait.Cancel());
        owned.reset();
      },
      [] {});
}

// Clauses: W21 D11
TEST(WatchThreads, ClosedCompletesWhenTheLastReceiverGoes) {
  const Tx tx(0);
  std::optional<Rx> rx;
  Race(
      5'000, [&] { rx.emplace(tx.Subscribe()); }, [&] { ASSERT_TRUE(tx.Closed().Wait().ok()); },
      [&] { rx.reset(); }, [&] { ASSERT_TRUE(tx.is_closed()); });
}

}  // namespace
}  // namespace sluice::channel
