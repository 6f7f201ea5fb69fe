// SPDX-License-Identifier: Apache-2.0
#include "base/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(Mutex, OneAtATime) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5'000;
  Mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        MutexLock lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, kThreads * kRounds);
}

TEST(CondVar, HandsOverBackAndForth) {
  Mutex mutex;
  CondVar turned;
  int turn = 0;
  std::thread other([&] {
    for (int i = 0; i < 1'000; ++i) {
      MutexLock lock(mutex);
      while (turn % 2 == 0) turned.Wait(mutex);
      ++turn;
      turned.NotifyOne();
    }
  });
  for (int i = 0; i < 1'000; ++i) {
    MutexLock lock(mutex);
    while (turn % 2 == 1) turned.Wait(mutex);
    ++turn;
    turned.NotifyOne();
  }
  other.join();
  EXPECT_EQ(turn, 2'000);
}

TEST(CondVar, NotifyAllWakesEverybody) {
  Mutex mutex;
  CondVar changed;
  bool is_open = false;
  int waiting = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      MutexLock lock(mutex);
      ++waiting;
      changed.NotifyAll();
      while (!is_open) changed.Wait(mutex);
    });
  }
  {
    MutexLock lock(mutex);
    while (waiting < 4) changed.Wait(mutex);
    is_open = true;
  }
  changed.NotifyAll();
  for (std::thread& thread : threads) thread.join();
}

TEST(CondVar, WaitUntilTellsThatTheDeadlineHasPassed) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(never.WaitUntil(mutex, begin - std::chrono::seconds(1)));
  const auto deadline = begin + std::chrono::milliseconds(10);
  while (never.WaitUntil(mutex, deadline)) {
  }
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

// The mutex is held again after WaitUntil: otherwise the count would race.
TEST(CondVar, WaitUntilTellsThatItWasInTime) {
  Mutex mutex;
  CondVar changed;
  bool is_set = false;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::thread other([&] {
    MutexLock lock(mutex);
    is_set = true;
    changed.NotifyOne();
  });
  {
    MutexLock lock(mutex);
    bool in_time = true;
    while (!is_set && in_time) in_time = changed.WaitUntil(mutex, deadline);
    EXPECT_TRUE(in_time);
  }
  other.join();
}

}  // namespace
}  // namespace sluice
