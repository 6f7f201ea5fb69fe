// SPDX-License-Identifier: Apache-2.0
#include "watch_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/support/seed.h"

namespace sluice {
namespace {

ConfigEntry Entry(const std::string& key, std::uint64_t version, std::uint64_t revision,
                  std::uint64_t epoch = 7) {
  ConfigEntry entry;
  entry.key = key;
  entry.value = key + std::to_string(version);
  entry.at = {epoch, version};
  entry.revision = revision;
  return entry;
}

ConfigEntry Tombstone(const std::string& key, std::uint64_t version, std::uint64_t revision) {
  ConfigEntry entry = Entry(key, version, revision);
  entry.value.clear();
  entry.deleted = true;
  return entry;
}

std::string Told(WatchCache& cache) {
  std::string told;
  while (cache.has_change()) {
    const auto change = cache.TakeChange();
    told += change->deleted ? "-" + change->key : "+" + change->value;
  }
  return told;
}

TEST(WatchCache, TheSnapshotIsToldAndGivesThePointToResumeFrom) {
  WatchCache cache;
  EXPECT_FALSE(cache.Begin().has_value());
  EXPECT_TRUE(cache.Put(Entry("a", 1, 5)));
  EXPECT_TRUE(cache.Put(Entry("b", 3, 9)));
  EXPECT_FALSE(cache.is_complete());
  EXPECT_FALSE(cache.resume().has_value()) << "there is none within a snapshot";
  EXPECT_FALSE(cache.EndSnapshot({11, 10}));
  EXPECT_TRUE(cache.is_complete());
  EXPECT_EQ(Told(cache), "+a1+b3");
  EXPECT_TRUE(cache.Put(Entry("a", 2, 12)));
  const auto resume = cache.Begin();
  ASSERT_TRUE(resume.has_value());
  EXPECT_EQ(resume->service_epoch, 11u);
  EXPECT_EQ(resume->revision, 12u);
  EXPECT_EQ(cache.size(), 2u);
}

TEST(WatchCache, WhatIsNotTakenIsReplacedAndMovesToItsNewPlace) {
  WatchCache cache;
  (void)cache.Begin();
  (void)cache.EndSnapshot({1, 0});
  (void)cache.Put(Entry("a", 1, 1));
  (void)cache.Put(Entry("b", 1, 2));
  (void)cache.Put(Entry("a", 2, 3));
  EXPECT_EQ(cache.Find("a")->value, "a2");
  EXPECT_EQ(Told(cache), "+b1+a2");
}

TEST(WatchCache, ADeleteIsToldToThoseWhoKnewTheKey) {
  WatchCache cache;
  (void)cache.Begin();
  (void)cache.EndSnapshot({1, 0});
  (void)cache.Put(Entry("a", 1, 1));
  EXPECT_TRUE(cache.Put(Tombstone("a", 2, 2)));
  EXPECT_EQ(Told(cache), "") << "it came and went untold";
  EXPECT_EQ(cache.Find("a"), nullptr);
  (void)cache.Put(Entry("b", 1, 3));
  EXPECT_EQ(Told(cache), "+b1");
  (void)cache.Put(Tombstone("b", 2, 4));
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_EQ(Told(cache), "-b");
  EXPECT_FALSE(cache.Put(Tombstone("b", 2, 4))) << "known already";
  EXPECT_EQ(cache.size(), 0u);
}

TEST(WatchCache, AResetForgetsWhatTheNewSnapshotDoesNotName) {
  WatchCache cache;
  (void)cache.Begin();
  for (const char* key : {"a", "b", "c"}) (void)cache.Put(Entry(key, 1, 1));
  (void)cache.EndSnapshot({1, 1});
  EXPECT_EQ(Told(cache), "+a1+b1+c1");
  ASSERT_TRUE(cache.Begin().has_value());
  cache.Reset();
  EXPECT_FALSE(cache.Put(Entry("a", 1, 1))) << "the same as before is no change";
  EXPECT_TRUE(cache.Put(Entry("b", 1, 1, 8))) << "another life";
  EXPECT_EQ(cache.Find("c")->value, "c1") << "known until the snapshot is complete";
  EXPECT_TRUE(cache.EndSnapshot({2, 1}));
  EXPECT_EQ(cache.Find("c"), nullptr);
  EXPECT_EQ(Told(cache), "+b1-c");
  EXPECT_EQ(cache.resume()->service_epoch, 2u);
}

TEST(WatchCache, ASnapshotThatBrokeOffBeginsAnew) {
  WatchCache cache;
  (void)cache.Begin();
  (void)cache.Put(Entry("a", 1, 1));
  (void)cache.Put(Entry("b", 1, 2));
  EXPECT_FALSE(cache.Begin().has_value());
  (void)cache.Put(Entry("b", 1, 2));
  (void)cache.EndSnapshot({1, 5});
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(Told(cache), "+b1");
}

// A daemon that sets and deletes, streams that break off and resume, or do not, and a reader that
// looks now and then: what the reader was told, and what the cache holds, end as the daemon's keys.
TEST(WatchCache, WhoIsToldEverythingKnowsEverything) {
  const std::uint64_t seed = testing::Seed("WatchCache.WhoIsToldEverythingKnowsEverything");
  std::mt19937_64 random(seed);
  WatchCache cache;
  std::map<std::string, ConfigEntry> keys;
  std::map<std::string, std::string> told;
  std::uint64_t revision = 0;
  std::uint64_t epoch = 1;
  const auto look = [&] {
    while (cache.has_change()) {
      const auto change = cache.TakeChange();
      if (change->deleted) {
        ASSERT_EQ(told.erase(change->key), 1u) << "seed " << seed;
      } else {
        told[change->key] = change->value;
      }
    }
  };
  const auto attach = [&](bool is_known) {
    if (cache.Begin() && !is_known) cache.Reset();
    if (!cache.resume()) {
      for (const auto& [key, entry] : keys) (void)cache.Put(entry);
    }
    (void)cache.EndSnapshot({1, revision});
  };
  attach(false);
  for (int step = 0; step < 20'000; ++step) {
    const std::string key(1, static_cast<char>('a' + random() % 8));
    const auto at = keys.find(key);
    ++revision;
    ConfigEntry entry;
    if (at == keys.end()) {
      entry = keys[key] = Entry(key, 1, revision, ++epoch);
    } else if (random() % 3 == 0) {
      entry = Tombstone(key, at->second.at.version + 1, revision);
      keys.erase(at);
    } else {
      entry = at->second = Entry(key, at->second.at.version + 1, revision, at->second.at.epoch);
    }
    const bool is_away = random() % 10 == 0;
    if (!is_away) (void)cache.Put(entry);
    if (is_away || random() % 50 == 0) attach(/*is_known=*/!is_away);
    if (random() % 5 == 0) look();
    ASSERT_EQ(cache.size(), keys.size()) << "seed " << seed << " step " << step;
  }
  look();
  ASSERT_EQ(told.size(), keys.size()) << "seed " << seed;
  for (const auto& [key, entry] : keys) {
    EXPECT_EQ(told[key], entry.value) << "seed " << seed;
    EXPECT_EQ(cache.Find(key)->value, entry.value) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sluice
