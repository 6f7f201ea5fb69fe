// SPDX-License-Identifier: Apache-2.0
// Several senders and receivers on threads of their own: what each is told adds up.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "channel/broadcast.h"
#include "tests/channel/race.h"
#include "tests/channel/support.h"
#include "tests/support/seed.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::InPlace;
using testing::Race;

struct Numbered {
  int sender;
  int number;
};
using Rx = broadcast::Receiver<Numbered>;
using Tx = broadcast::Sender<Numbered>;

// Reads until the end; returns values + missed. `dawdle()` runs before each receive.
template <class Dawdle>
std::uint64_t Account(Rx& rx, Dawdle dawdle) {
  std::uint64_t accounted = 0;
  std::array<int, 2> last{-1, -1};
  for (;;) {
    dawdle();
    const auto item = rx.Recv().Wait();
    if (item.ok()) {
      int& before = last.at(static_cast<std::size_t>((*item)->sender));
      EXPECT_GT((*item)->number, before);
      before = (*item)->number;
      ++accounted;
    } else if (const auto* lagged = std::get_if<Lagged>(&item.error())) {
      EXPECT_GT(lagged->missed, 0U);
      accounted += lagged->missed;
    } else {
      EXPECT_EQ(std::get<Errc>(item.error()), Errc::kClosed);
      return accounted;
    }
  }
}

// Clauses: B3 B5 B10 B12 G13
TEST(BroadcastThreads, P85_ValuesAndMissedAddUpForEveryReceiver) {
  constexpr int kSends = 10'000;
  auto [tx, first] = broadcast::Channel<Numbered>(2);
  std::vector<Rx> receivers;
  receivers.push_back(std::move(first));
  receivers.push_back(tx.Subscribe());
  receivers.push_back(tx.Subscribe());
  std::array<std::uint64_t, 3> accounted{};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < receivers.size(); ++i) {
    threads.emplace_back([&rx = receivers[i], &sum = accounted.at(i), i] {
      int turn = 0;
      sum = Account(rx, [&turn, i] {  // each at its own speed
        if (i > 0 && ++turn % static_cast<int>(3 * i) == 0) std::this_thread::yield();
      });
    });
  }
  for (int sender = 0; sender < 2; ++sender) {
    threads.emplace_back([sender, tx = Tx(tx)] {
      for (int i = 0; i < kSends; ++i) {
        ASSERT_TRUE(tx.Send(Numbered{sender, i}).ok());
      }
    });
  }
  { const Tx last(std::move(tx)); }
  threads.clear();  // joins
  for (const std::uint64_t sum : accounted) EXPECT_EQ(sum, 2U * kSends);
}

// Clauses: B20 B16
TEST(BroadcastThreads, P86_ReceiversGoAtAnyMomentWithoutALeak) {
  std::mt19937_64 random(sluice::testing::Seed("P86"));
  for (int round = 0; round < 100; ++round) {
    auto [tx, stays] = broadcast::Channel<Box>(1);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([rx = tx.Subscribe(), reads = random() % 60]() mutable {
        for (std::uint64_t k = 0; k < reads; ++k) static_cast<void>(rx.TryRecv());
      });
    }
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([tx = broadcast::Sender<Box>(tx)] {
        for (int k = 0; k < 100; ++k) {
          ASSERT_TRUE(tx.Send(Box(k)).ok());
        }
      });
    }
    { const auto last = std::move(tx); }
    std::uint64_t accounted = 0;
    for (;;) {
      const auto item = stays.Recv().Wait();
      if (item.ok()) {
        ++accounted;
      } else if (const auto* lagged = std::get_if<Lagged>(&item.error())) {
        accounted += lagged->missed;
      } else {
        break;
      }
    }
    threads.clear();
    ASSERT_EQ(accounted, 200U);
    ASSERT_EQ(Box::live(), 0);
  }
}

// Clauses: B12 B25
TEST(BroadcastThreads, P89_ASingleSlotNeverLagsByNothing) {
  auto [tx, rx] = broadcast::Channel<Numbered>(1);
  std::jthread sender([tx = std::move(tx)]() mutable {
    for (int i = 0; i < 20'000; ++i) {
      ASSERT_TRUE(tx.Send(Numbered{0, i}).ok());
    }
    const Tx last(std::move(tx));
  });
  EXPECT_EQ(Account(rx, [] {}), 20'000U);
}

// Clauses: B25 G2 G3
TEST(BroadcastThreads, ACancelWinsOrTheValueComes) {
  auto [tx, rx] = broadcast::Channel<Numbered>(4);
  std::optional<Operation<broadcast::RecvRequest<Numbered>>> recv;
  std::atomic<int> calls{0};
  bool is_cancelled = false;
  Race(
      5'000,
      [&, &rx = rx] {
        calls = 0;
        recv.emplace(InPlace([&] { return rx.Recv(); }));
        recv->Start([&calls](const broadcast::Item<Numbered>& item) {
          ASSERT_TRUE(item.ok());
          ++calls;
        });
      },
      [&tx = tx] {
        ASSERT_TRUE(tx.Send(Numbered{0, 1}).ok());
      },
      [&] { is_cancelled = recv->Cancel(); },
      [&, &rx = rx] {
        ASSERT_EQ(calls.load(), is_cancelled ? 0 : 1);
        ASSERT_EQ(rx.TryRecv().ok(), is_cancelled);
        recv.reset();
      });
}

// Clauses: B18 D11 B22
TEST(BroadcastThreads, ClosedIsNeverMissedBetweenDropAndReopening) {
  const Tx tx(1);
  std::optional<Rx> rx;
  std::optional<Rx> reopened;
  Race(
      5'000,
      [&] {
        reopened.reset();
        rx.emplace(tx.Subscribe());
      },
      [&] { ASSERT_TRUE(tx.Closed().Wait().ok()); }, [&] { rx.reset(); },
      [&] {
        ASSERT_EQ(tx.receiver_count(), 0U);
        reopened.emplace(tx.Subscribe());
        ASSERT_EQ(tx.receiver_count(), 1U);
      });
}

}  // namespace
}  // namespace sluice::channel
