// SPDX-License-Identifier: Apache-2.0
// Setters, watchers and waits on threads of their own.
#include <atomic>
#include <thread>

#include "tests/broker/config_fixture.h"

namespace sluice::broker {
namespace {

constexpr int kSetters = 3;
constexpr int kIncrements = 1'000;

class ConfigThreads : public ConfigFixture {
 protected:
  // Adds one to the number in the key, by compare-and-set.
  void Increment(const std::string& key) {
    for (;;) {
      const KeyAnswer now = Get(key);
      const KeyVersion expect =
          now.entry ? KeyVersion{now.entry->epoch, now.entry->version} : KeyVersion();
      const int number = now.entry ? std::stoi(now.entry->value) : 0;
      const KeyAnswer set = Set(key, std::to_string(number + 1), expect);
      if (set.outcome == Outcome::kConflict) continue;
      ASSERT_EQ(set.entry->version, expect.version + 1) << "it saw exactly what it expected";
      return;
    }
  }
};

// Clauses: N36 G13 W23
TEST_F(ConfigThreads, X54_NoIncrementIsLostAndNoWatcherGoesBack) {
  std::atomic<bool> is_over = false;
  std::vector<std::thread> setters, watchers;
  for (int i = 0; i < 2; ++i) {
    watchers.emplace_back([&, i] {
      Follower follower(*config);
      follower.Watch(i == 0 ? Watching({"n"}) : Watching({}, {""}));
      for (int round = 0;; ++round) {
        const bool was_over = is_over;
        if (follower.TakeFrame()) continue;
        if (was_over) break;
        if (round % 7 == 6 && follower.point) {
          follower.Watch(Watching({"n"}, {}, follower.point));
        }
        std::this_thread::yield();
      }
      EXPECT_EQ(follower.values().at("n"), std::to_string(kSetters * kIncrements));
    });
  }
  for (int i = 0; i < kSetters; ++i) {
    setters.emplace_back([&] {
      for (int n = 0; n < kIncrements; ++n) Increment("n");
    });
  }
  for (std::thread& thread : setters) thread.join();
  is_over = true;
  for (std::thread& thread : watchers) thread.join();
  EXPECT_EQ(ValueOf("n"), std::to_string(kSetters * kIncrements));
  EXPECT_EQ(Get("n").entry->version, static_cast<std::uint64_t>(kSetters * kIncrements));
}

// Clauses: N39 N40 G2
TEST_F(ConfigThreads, WaitsSessionsAndDeletesRace) {
  constexpr int kRounds = 500;
  const std::string session(kSessionIdBytes, 's');
  std::atomic<bool> is_over = false;
  std::thread setter([&] {
    for (int n = 0; n < kRounds; ++n) {
      SetFor(session, "e");
      Set("k", std::to_string(n));
      if (n % 3 == 0) Delete("k");
    }
    Set("k", "last");
    is_over = true;
  });
  std::thread ender([&] {
    while (!is_over) {
      config->SessionEnded(session);
      timers.RunDue(clock.Now());
    }
  });
  KeyVersion seen;
  std::string value;
  for (int round = 0; value != "last"; ++round) {
    Getting getting;
    Wait(getting, "k", {.kind = KeyCondition::Kind::kVersionAbove, .above = seen, .equals = ""},
         std::chrono::hours(1));
    if (round % 5 == 4) {
      config->CancelWait(getting.ticket);
      continue;
    }
    while (!Look(getting)) std::this_thread::yield();
    ASSERT_EQ(getting.answer.outcome, Outcome::kOk);
    ASSERT_NE(VersionOf(getting.answer), seen);
    seen = VersionOf(getting.answer);
    value = getting.answer.entry->value;
  }
  setter.join();
  ender.join();
  config->SessionEnded(session);
  EXPECT_EQ(AllValues(), (Values{{"k", "last"}}));
  EXPECT_EQ(config->Describe().waiting_gets, 0u);
}

}  // namespace
}  // namespace sluice::broker
