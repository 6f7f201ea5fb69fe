// SPDX-License-Identifier: Apache-2.0
// Operations that are completed by one thread while another cancels, ends or destroys them.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "channel/mpsc.h"
#include "channel/operation.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::InPlace;
using testing::Started;

constexpr int kRaces = 3'000;

// Gives the other thread time to go wrong. It does not decide the test: a right one passes without.
void Linger() {
  for (int i = 0; i < 2'000; ++i) std::this_thread::yield();
}

// Clauses: G2
TEST(Operation, TheDestructorWaitsForACompletionThatRuns) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  std::latch has_begun(1);
  std::atomic<bool> has_ended = false;
  std::optional<Operation<mpsc::RecvRequest<int>>> recv;
  recv.emplace(InPlace([&r = rx] { return r.Recv(); }));
  recv->Start([&](const Result<int, Errc>&) {
    has_begun.count_down();
    Linger();
    has_ended = true;
  });
  std::jthread sender([tx = tx] { EXPECT_TRUE(tx.TrySend(1).ok()); });
  has_begun.wait();
  EXPECT_FALSE(recv->Cancel());
  recv.reset();
  EXPECT_TRUE(has_ended);
}

// A blocking wait whose deadline passes at the moment of completion: the value is told, or is left.
// Clauses: G2 M43 M13
TEST(Operation, ADeadlineRacesWithACompletion) {
  for (int race = 0; race < kRaces / 3; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    std::jthread sender([tx = tx] { EXPECT_TRUE(tx.TrySend(1).ok()); });
    const auto limit = std::chrono::microseconds(race % 60);
    const auto value = rx.Recv().WaitUntil(Later(SystemClock().Now(), limit));
    sender.join();
    ASSERT_TRUE(value.ok() || value.error() == Errc::kTimedOut);
    ASSERT_EQ(rx.TryRecv().ok(), !value.ok());
  }
}

// Three ways to end one operation at once: told exactly once, and nothing is lost.
// Clauses: G2 G3 D2
TEST(Operation, AStopRacesWithACompletionAndWithADeadline) {
  for (int race = 0; race < kRaces / 3; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    std::stop_source stop;
    std::atomic<int> told = 0;
    std::atomic<int> delivered = 0;
    std::optional<Operation<mpsc::RecvRequest<int>>> recv;
    recv.emplace(InPlace([&r = rx] { return r.Recv(); }));
    recv->StopOn(stop.get_token()).Start([&](const Result<int, Errc>& value) {
      ++told;
      if (value.ok()) ++delivered;
    });
    std::latch go(3);
    std::jthread sender([&, tx = tx] {
      go.arrive_and_wait();
      EXPECT_TRUE(tx.TrySend(1).ok());
    });
    std::jthread stopper([&] {
      go.arrive_and_wait();
      stop.request_stop();
    });
    go.arrive_and_wait();
    (void)recv->Expire();
    sender.join();
    stopper.join();
    recv.reset();
    ASSERT_EQ(told, 1);
    ASSERT_EQ(rx.TryRecv().ok(), delivered == 0);
  }
}

// Clauses: G2
TEST(Operation, DestructionRacesWithAStop) {
  for (int race = 0; race < kRaces / 3; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    std::stop_source stop;
    std::atomic<bool> is_alive = true;
    std::latch go(2);
    std::optional<Operation<mpsc::RecvRequest<int>>> recv;
    recv.emplace(InPlace([&r = rx] { return r.Recv(); }));
    recv->StopOn(stop.get_token()).Start([&](const Result<int, Errc>&) { EXPECT_TRUE(is_alive); });
    std::jthread stopper([&] {
      go.arrive_and_wait();
      stop.request_stop();
    });
    go.arrive_and_wait();
    recv.reset();
    is_alive = false;
  }
}

// A completion that destroys operations of its own thread while that of another thread runs.
// Clauses: G2 G6
TEST(Operation, CallbacksDestroyOneAnothersQueuedOperations) {
  for (int race = 0; race < kRaces / 10; ++race) {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    std::optional<Started<decltype(tx.Closed())>> closed[3];
    auto first = tx.Closed();
    first.Start([&](const Waited&) { closed[1].reset(); });
    for (auto& operation : closed) operation.emplace([&s = tx] { return s.Closed(); });
    std::latch go(2);
    std::jthread closer([&, &rx = rx] {
      go.arrive_and_wait();
      rx.Close();
    });
    go.arrive_and_wait();
    closed[2].reset();
    closer.join();
    ASSERT_FALSE(closed[0]->pending());
    ASSERT_FALSE(closed[1].has_value());
  }
}

}  // namespace
}  // namespace sluice::channel
