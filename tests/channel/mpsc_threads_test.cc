// SPDX-License-Identifier: Apache-2.0
// mpsc between threads. Run under ThreadSanitizer too; the counts are chosen so that each test
// stays within seconds there.
#include "channel/mpsc.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::InPlace;
using testing::Started;

constexpr int kRaces = 3'000;
#if defined(__SANITIZE_THREAD__)
constexpr int kValuesEach = 10'000;
#else
constexpr int kValuesEach = 100'000;
#endif

struct Numbered {
  std::size_t producer;
  int number;
};

template <class Rx>
void ExpectEachInOrder(Rx& rx, std::size_t producers, int values) {
  std::vector<int> next(producers, 0);
  while (auto value = rx.Recv().Wait()) {
    ASSERT_EQ((*value).number, next[(*value).producer]++);
  }
  for (const int received : next) EXPECT_EQ(received, values);
}

// Clauses: M5 M3 G5
TEST(Mpsc, P39_EachProducersValuesStayInOrder) {
  constexpr std::size_t kProducers = 4;
  {
    auto [tx, rx] = mpsc::Bounded<Numbered>(100);
    std::vector<std::jthread> producers;
    for (std::size_t p = 0; p < kProducers; ++p) {
      producers.emplace_back([tx = tx, p] {
        for (int i = 0; i < kValuesEach; ++i) {
          if (!tx.Send(Numbered{p, i}).Wait().ok()) ADD_FAILURE();
        }
      });
    }
    { auto dropped = std::move(tx); }
    ExpectEachInOrder(rx, kProducers, kValuesEach);
  }
  auto [tx, rx] = mpsc::Unbounded<Numbered>();
  std::vector<std::jthread> producers;
  for (std::size_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([tx = tx, p] {
      for (int i = 0; i < kValuesEach; ++i) {
        if (!tx.Send(Numbered{p, i}).ok()) ADD_FAILURE();
      }
    });
  }
  { auto dropped = std::move(tx); }
  ExpectEachInOrder(rx, kProducers, kValuesEach);
}

// All send through one object; batches, singles and permits in one line.
// Clauses: G13 M7 M50 G5
TEST(Mpsc, ManyThreadsShareOneSender) {
  constexpr int kRounds = 1'000;
  auto [tx, rx] = mpsc::Bounded<int>(3);
  std::optional sender(std::move(tx));
  std::vector<std::jthread> threads;
  std::latch done(3);
  threads.emplace_back([&] {
    for (int i = 0; i < kRounds; ++i) (*sender->Reserve().Wait()).Send(1);
    done.count_down();
  });
  threads.emplace_back([&] {
    for (int i = 0; i < kRounds; ++i) EXPECT_TRUE(sender->SendMany({1, 1, 1, 1}).Wait().ok());
    done.count_down();
  });
  threads.emplace_back([&] {
    for (int i = 0; i < kRounds; ++i) {
      auto permits = sender->Reserve(2).Wait();
      std::move(*(*permits).Next()).Send(1);
    }
    done.count_down();
  });
  threads.emplace_back([&] {
    done.wait();
    sender.reset();
  });
  int received = 0;
  std::vector<int> batch;
  while (*rx.RecvMany(batch, 8).Wait() > 0) {
    received += static_cast<int>(batch.size());
    batch.clear();
  }
  EXPECT_EQ(received, 6 * kRounds);
}

// Either the receive gets the value, or its cancel won and the value is still there.
// Clauses: M43 G2 G3
TEST(Mpsc, P34_CancelRacesWithASend) {
  {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    Started recv([&r = rx] { return r.Recv(); });
    EXPECT_TRUE(recv.Cancel());
    ASSERT_TRUE(tx.TrySend(1).ok());
    EXPECT_EQ(*rx.TryRecv(), 1);
  }
  for (int race = 0; race < kRaces; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    std::atomic<int> delivered{0};
    bool has_won;
    {
      auto recv = rx.Recv();
      recv.Start([&](Result<int, Errc> value) { delivered += value.ok() ? 1 : 100; });
      std::jthread sender([tx = tx] { EXPECT_TRUE(tx.TrySend(1).ok()); });
      has_won = recv.Cancel();
    }  // the destructor waits for a completion that is running
    EXPECT_EQ(delivered, has_won ? 0 : 1);
    EXPECT_EQ(rx.TryRecv().ok(), has_won);
  }
}

// A completion never touches an operation that is gone, nor does its callback run afterwards.
// Clauses: G2 M16
TEST(Mpsc, DestructionRacesWithTheCompletion) {
  for (int race = 0; race < kRaces; ++race) {
    auto [tx, rx] = mpsc::Bounded<Box>(1);
    ASSERT_TRUE(tx.TrySend(Box(1)).ok());
    bool is_alive = true;
    std::optional<Operation<mpsc::SendRequest<Box>>> send;
    send.emplace(InPlace([&s = tx] { return s.Send(Box(2)); }));
    send->Start([&](const Sent<Box>&) { EXPECT_TRUE(is_alive); });
    std::jthread receiver([&r = rx] { (void)r.TryRecv(); });
    send.reset();
    is_alive = false;
    receiver.join();
    EXPECT_EQ(tx.capacity() + rx.size(), 1u);
  }
}

// A cancelled reserve's slot is never lost, whenever the cancel comes.
// Clauses: M16 M17 G3
TEST(Mpsc, ConcurrentCancelLosesNoSlot) {
  for (int race = 0; race < kRaces; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    std::optional permit(*tx.TryReserve());
    Started first([&s = tx] { return s.Reserve(); });
    auto second = tx.Reserve();
    std::atomic<int> issued{0};
    second.Start([&](Result<mpsc::Permit<int>, Errc> result) { issued += result.ok() ? 1 : 100; });
    std::jthread dropper([&] { permit.reset(); });
    first.Cancel();
    dropper.join();
    first.Drop();
    EXPECT_EQ(issued, 1);
    EXPECT_EQ(tx.capacity(), 1u);
  }
}

// Accepted means delivered to a receiver that drains to the end; refused means not delivered.
// Clauses: M34 M31 G4
TEST(Mpsc, CloseRacesWithSends) {
  for (int race = 0; race < kRaces / 10; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(4);
    std::atomic<int> accepted{0};
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([tx = tx, &accepted] {
        while (tx.Send(1).Wait().ok()) ++accepted;
      });
    }
    int received = 0;
    for (; received < 20; ++received) ASSERT_TRUE(rx.Recv().Wait().ok());
    rx.Close();
    while (rx.Recv().Wait().ok()) ++received;
    threads.clear();
    EXPECT_EQ(accepted, received);
  }
}

// Clauses: M27 M26
TEST(Mpsc, P42_SizeIsExactWhileTheLastSenderGoes) {
  for (const std::size_t n : {0u, 1u, 31u, 32u, 33u, 64u}) {
    for (int race = 0; race < kRaces / 20; ++race) {
      auto [tx, rx] = mpsc::Unbounded<int>();
      for (std::size_t i = 0; i < n; ++i) ASSERT_TRUE(tx.Send(1).ok());
      std::jthread dropper([tx = std::move(tx)]() mutable { auto last = std::move(tx); });
      for (int look = 0; look < 10; ++look) ASSERT_EQ(rx.size(), n);
    }
  }
}

// My own value is seen, and try_recv never says empty, while others are sending.
// Clauses: M27 M42 D6
TEST(Mpsc, WhatIHaveSentIsThere) {
  auto [tx, rx] = mpsc::Unbounded<int>();
  // The other's values that are there, about: nothing else bounds them. Relaxed, so that it orders
  // nothing that the channel should.
  constexpr int kLeadMax = 1'000;
  std::atomic<int> lead{0};
  std::atomic<bool> is_over{false};
  std::latch has_begun(1);
  std::jthread other([&, tx = tx] {
    for (int i = 0; !is_over; ++i) {
      while (lead.load(std::memory_order_relaxed) >= kLeadMax && !is_over) {
        std::this_thread::yield();
      }
      lead.fetch_add(1, std::memory_order_relaxed);
      EXPECT_TRUE(tx.Send(2).ok());
      if (i == 0) has_begun.count_down();
    }
  });
  has_begun.wait();
  for (int i = 0; i < kRaces; ++i) {
    ASSERT_TRUE(tx.Send(1).ok());
    ASSERT_NE(rx.size(), 0u);
    for (int value = 2; value == 2;) {
      auto received = rx.TryRecv();
      ASSERT_TRUE(received.ok());
      value = *received;
      if (value == 2) lead.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  is_over = true;
}

// What a sender wrote before is seen after receiving, and after its drop, without atomics.
// Clauses: G5
TEST(Mpsc, SendingHappensBeforeReceiving) {
  for (int race = 0; race < kRaces / 10; ++race) {
    auto [tx, rx] = mpsc::Bounded<int*>(1);
    int sent = 0;
    int dropped = 0;
    std::jthread sender([&sent, &dropped, last = std::move(tx)]() mutable {
      const auto tx_here = std::move(last);
      sent = 1;
      EXPECT_TRUE(tx_here.Send(&sent).Wait().ok());
      dropped = 1;
    });
    EXPECT_EQ(**rx.Recv().Wait(), 1);
    EXPECT_FALSE(rx.Recv().Wait().ok());
    EXPECT_EQ(dropped, 1);
  }
}

// Clauses: M40 G5 G13
TEST(Mpsc, ClosedIsToldToAllWhoWait) {
  for (int race = 0; race < kRaces / 20; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    int before_drop = 0;
    std::vector<std::jthread> waiting;
    for (int t = 0; t < 3; ++t) {
      waiting.emplace_back([&before_drop, tx = tx] {
        EXPECT_TRUE(tx.Closed().Wait().ok());
        EXPECT_EQ(before_drop, 1);
      });
    }
    before_drop = 1;
    auto dropped = std::move(rx);
  }
}

// Clauses: M47 M36
TEST(Mpsc, UpgradeRacesWithTheLastDrop) {
  for (int race = 0; race < kRaces; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    const auto weak = tx.Downgrade();
    std::jthread dropper([last = std::move(tx)]() mutable { auto dropped = std::move(last); });
    const auto upgraded = weak.Upgrade();
    if (upgraded) {
      EXPECT_TRUE(upgraded->TrySend(1).ok());
      EXPECT_TRUE(rx.TryRecv().ok());
    } else {
      EXPECT_FALSE(weak.Upgrade().has_value());
    }
  }
}

}  // namespace
}  // namespace sluice::channel
