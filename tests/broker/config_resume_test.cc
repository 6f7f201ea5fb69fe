// SPDX-License-Identifier: Apache-2.0
// Coming back to a watch, tombstones, and falling behind them.
#include "tests/broker/config_fixture.h"

namespace sluice::broker {
namespace {

class ConfigResume : public ConfigFixture {
 protected:
  // Sets and deletes so many keys of their own.
  void Churn(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string key = "churn" + std::to_string(i);
      Set(key, "");
      Delete(key);
    }
  }
  static void Complete(Follower& follower) {
    while (!follower.is_complete) ASSERT_TRUE(follower.TakeFrame());
  }
};

// Clauses: N38
TEST_F(ConfigResume, X55_NothingNewIsTheEndOfTheSnapshotAndSilence) {
  Set("k", "a");
  Follower follower(*config);
  follower.Watch(Watching({"k"}));
  Complete(follower);
  const WatchPoint point = *follower.point;
  follower.Watch(Watching({"k"}, {}, point));
  ASSERT_TRUE(follower.TakeFrame());
  EXPECT_TRUE(follower.is_complete && follower.entries.empty());
  EXPECT_EQ(follower.point->revision, point.revision);
  EXPECT_FALSE(follower.TakeFrame());
  Set("k", "b");
  ASSERT_TRUE(follower.TakeFrame());
  EXPECT_EQ(follower.texts(), Texts{"k=b"});
  EXPECT_FALSE(follower.was_reset);
}

// Clauses: N38 N37
TEST_F(ConfigResume, X55_WhatChangedSinceComesFirst) {
  for (const char* key : {"a", "b", "c", "d"}) Set(key, "0");
  Follower follower(*config);
  follower.Watch(Watching({}, {""}));
  Complete(follower);
  Set("b", "1");
  Delete("a");
  Set("e", "1");
  Set("b", "2");
  Set("gone", "1");
  Delete("gone");
  follower.Watch(Watching({}, {""}, *follower.point));
  follower.TakeAll(1);
  EXPECT_EQ(follower.texts(), (Texts{"a-", "e=1", "b=2", "gone-"}));
  EXPECT_TRUE(follower.is_complete && !follower.was_reset);
  EXPECT_EQ(follower.point->revision, 10u);
  EXPECT_EQ(follower.values(), AllValues());
}

// Clauses: N38 N6
TEST_F(ConfigResume, X55_WhatIsNotKnownIsResetAndASnapshot) {
  Set("k", "a");
  const std::uint64_t epoch = config->service_epoch();
  for (const WatchPoint point :
       {WatchPoint{epoch + 1, 1}, WatchPoint{0, 0}, WatchPoint{epoch, 2}}) {
    Follower follower(*config);
    follower.Watch(Watching({"k"}, {}, point));
    follower.state["dropped"] = nullptr;
    ASSERT_TRUE(follower.TakeFrame());
    EXPECT_TRUE(follower.was_reset) << "another life, or a revision that never was";
    EXPECT_EQ(follower.texts(), Texts{"k=a"});
    Complete(follower);
    EXPECT_EQ(follower.values(), (Values{{"k", "a"}}));
    EXPECT_EQ(follower.point->service_epoch, epoch);
  }
  Follower empty(*config);
  empty.Watch(Watching({"nothing"}, {}, WatchPoint{epoch + 1, 1}));
  ASSERT_TRUE(empty.TakeFrame());
  EXPECT_TRUE(empty.was_reset && !empty.is_complete) << "a frame of its own";
  Complete(empty);
}

// Clauses: N38
TEST_F(ConfigResume, FromTheVeryBeginningEverythingIsToldByRevision) {
  Set("b", "0");
  Set("a", "0");
  Delete("b");
  Follower follower(*config);
  follower.Watch(Watching({}, {""}, WatchPoint{config->service_epoch(), 0}));
  follower.TakeAll();
  EXPECT_EQ(follower.texts(), (Texts{"a=0", "b-"}));
  EXPECT_FALSE(follower.was_reset);
}

// Catching up ends at what there was when it began, however fast keys change.
// Clauses: N38
TEST_F(ConfigResume, CatchingUpEndsWhileKeysChange) {
  for (const char* key : {"a", "b", "c"}) Set(key, "0");
  Follower follower(*config);
  follower.Watch(Watching({}, {""}, WatchPoint{config->service_epoch(), 0}));
  int round = 0;
  while (!follower.is_complete) {
    ASSERT_TRUE(follower.TakeFrame(1));
    Set("c", std::to_string(++round));  // two changes for each that is told
    Set("b", std::to_string(round));
    ASSERT_LT(round, 10);
  }
  EXPECT_EQ(follower.texts(), Texts{"a=0"});
  EXPECT_EQ(follower.point->revision, 3u) << "the others moved behind it";
  follower.TakeAll();
  EXPECT_EQ(follower.values(), AllValues());
}

// Clauses: N38 N37
TEST_F(ConfigResume, TheLastTombstonesAreRemembered) {
  Set("k", "a");
  Follower first(*config), second(*config);
  for (Follower* follower : {&first, &second}) {
    follower->Watch(Watching({"k"}));
    Complete(*follower);
    config->Unwatch(follower->watcher);
  }
  Delete("k");
  Churn(kTombstonesMax - 1);
  EXPECT_EQ(config->Describe().tombstones, kTombstonesMax);
  first.Watch(Watching({"k"}, {}, *first.point));
  first.TakeAll();
  EXPECT_EQ(first.texts(), Texts{"k-"});
  EXPECT_FALSE(first.was_reset);
  Set("one", "");
  Delete("one");
  EXPECT_EQ(config->Describe().tombstones, kTombstonesMax);
  second.Watch(Watching({"k"}, {}, *second.point));
  second.TakeAll();
  EXPECT_TRUE(second.was_reset) << "its tombstone is forgotten";
  EXPECT_TRUE(second.values().empty());
  EXPECT_FALSE(first.TakeFrame());
  EXPECT_EQ(first.ended, ClosedReason::kUnspecified) << "it knew already";
}

// Who has not been told of a delete that is forgotten cannot be told it any more.
// Clauses: N38
TEST_F(ConfigResume, WhoFallsBehindTheTombstonesEndsAndMayComeBack) {
  Set("k", "a");
  Set("other", "a");
  Follower stalled(*config), elsewhere(*config), waiting(*config);
  stalled.Watch(Watching({"k"}));
  elsewhere.Watch(Watching({"other"}));
  waiting.Watch(Watching({"k"}));
  Complete(stalled);
  Complete(elsewhere);
  waiting.TakeAll();
  Delete("k");
  Set("other", "b");
  Churn(kTombstonesMax);
  EXPECT_FALSE(stalled.TakeFrame());
  EXPECT_EQ(stalled.ended, ClosedReason::kLimit);
  elsewhere.TakeAll();
  EXPECT_EQ(elsewhere.ended, ClosedReason::kUnspecified);
  EXPECT_EQ(elsewhere.values(), (Values{{"other", "b"}}));
  stalled.Watch(Watching({"k"}, {}, *stalled.point));
  stalled.TakeAll();
  EXPECT_TRUE(stalled.was_reset && stalled.is_complete);
  EXPECT_TRUE(stalled.values().empty());
}

// A delete before the snapshot came to the key needs no tombstone.
// Clauses: N34
TEST_F(ConfigResume, ASnapshotDoesNotFallBehindWhatItHasNotTold) {
  Set("a", "0");
  Set("z", "0");
  Follower follower(*config);
  follower.Watch(Watching({}, {""}));
  ASSERT_TRUE(follower.TakeFrame(1));
  Set("a", "1");
  Delete("z");
  Churn(kTombstonesMax);
  follower.TakeAll();
  EXPECT_EQ(follower.ended, ClosedReason::kUnspecified);
  EXPECT_EQ(follower.values(), AllValues());
  Follower passed(*config);
  passed.Watch(Watching({}, {""}));
  ASSERT_TRUE(passed.TakeFrame(1));
  Delete("a");
  Churn(kTombstonesMax);
  EXPECT_FALSE(passed.TakeFrame());
  EXPECT_EQ(passed.ended, ClosedReason::kLimit) << "it told that key as there";
}

// One that waits is told, so that it ends without another change that concerns it.
// Clauses: G8
TEST_F(ConfigResume, WhoIsEndedIsTold) {
  Follower follower(*config);
  follower.Watch(Watching({}, {"churn"}));
  follower.TakeAll();
  EXPECT_EQ(follower.told->count, 0);
  Churn(kTombstonesMax + 1);
  EXPECT_EQ(follower.told->count, 1);
  EXPECT_FALSE(follower.TakeFrame());
  EXPECT_EQ(follower.ended, ClosedReason::kLimit);
}

}  // namespace
}  // namespace sluice::broker
