// SPDX-License-Identifier: Apache-2.0
// Watching: the snapshot, its end, and the changes after it.
#include "tests/broker/config_fixture.h"

namespace sluice::broker {
namespace {

class ConfigWatch : public ConfigFixture {
 protected:
  Status Refusal(const WatchOptions& options) {
    Watcher watcher;
    return config->Watch(watcher, options, nullptr);
  }
};

// Clauses: W1 N34
TEST_F(ConfigWatch, X50_ASnapshotThenItsEndThenChanges) {
  const KeyAnswer first = Set("k", "a");
  Follower follower(*config);
  follower.Watch(Watching({"k"}));
  ASSERT_TRUE(follower.TakeFrame());
  EXPECT_EQ(follower.texts(), Texts{"k=a"});
  EXPECT_EQ(follower.entries[0]->version, 1u);
  EXPECT_FALSE(follower.is_complete);
  ASSERT_TRUE(follower.TakeFrame());
  EXPECT_TRUE(follower.is_complete);
  EXPECT_EQ(follower.point->service_epoch, config->service_epoch());
  EXPECT_EQ(follower.point->revision, first.entry->revision);
  EXPECT_FALSE(follower.TakeFrame());
  EXPECT_EQ(follower.told->count, 0);
  Set("k", "b");
  EXPECT_EQ(follower.told->count, 1);
  ASSERT_TRUE(follower.TakeFrame());
  EXPECT_EQ(follower.texts(), (Texts{"k=a", "k=b"}));
  EXPECT_EQ(follower.entries[1]->version, 2u);
  EXPECT_FALSE(follower.TakeFrame());
}

// Clauses: N34
TEST_F(ConfigWatch, AnEmptySnapshotHasAnEndToo) {
  Follower follower(*config);
  follower.Watch(Watching({"k"}));
  ASSERT_TRUE(follower.TakeFrame());
  EXPECT_TRUE(follower.is_complete && follower.entries.empty());
  EXPECT_EQ(follower.point->revision, 0u) << "there never was a change";
  Set("other", "a");
  EXPECT_FALSE(follower.TakeFrame());
  Set("k", "a");
  ASSERT_TRUE(follower.TakeFrame());
  EXPECT_EQ(follower.texts(), Texts{"k=a"});
}

// Clauses: N34 W7 W23
TEST_F(ConfigWatch, OnlyTheNewestIsKeptInTheOrderOfItsChange) {
  for (const char* key : {"a", "b", "c"}) Set(key, "0");
  Follower follower(*config);
  follower.Watch(Watching({}, {""}));
  follower.TakeAll();
  follower.entries.clear();
  Set("a", "1");
  Set("b", "1");
  Set("c", "1");
  Set("a", "2");  // moves behind the others
  EXPECT_EQ(follower.told->count, 1) << "told once until it looks";
  follower.TakeAll();
  EXPECT_EQ(follower.texts(), (Texts{"b=1", "c=1", "a=2"}));
  for (int i = 0; i < 1'000; ++i) Set("a", std::to_string(i));
  follower.entries.clear();
  follower.TakeAll();
  EXPECT_EQ(follower.texts(), Texts{"a=999"});
}

// Between the frames of one look, too, a change replaces what waits.
// Clauses: N34 W7
TEST_F(ConfigWatch, WhatWaitsForTheNextFrameIsReplaced) {
  Follower follower(*config);
  follower.Watch(Watching({}, {""}));
  follower.TakeAll();
  for (const char* key : {"a", "b", "c"}) Set(key, "old");
  ASSERT_TRUE(follower.TakeFrame(1));
  EXPECT_EQ(follower.frame_entries, 1u) << "one passes whatever its size";
  Set("b", "new");
  Delete("c");
  follower.TakeAll();
  EXPECT_EQ(follower.texts(), (Texts{"a=old", "b=new", "c-"}));
}

// Clauses: N37 W6
TEST_F(ConfigWatch, X53_ATombstoneComesLast) {
  Set("k", "a");
  Follower seen(*config), stalled(*config);
  seen.Watch(Watching({"k"}));
  seen.TakeAll();
  stalled.Watch(Watching({"k"}));
  stalled.TakeAll();
  Set("k", "z");
  seen.TakeAll();
  EXPECT_EQ(Delete("k").watchers, 2u);
  seen.TakeAll();
  stalled.TakeAll();
  EXPECT_EQ(seen.texts(), (Texts{"k=a", "k=z", "k-"}));
  EXPECT_EQ(stalled.texts(), (Texts{"k=a", "k-"})) << "a delete coalesces like a value";
  EXPECT_EQ(seen.entries[2]->version, 3u);
  Set("k", "again");
  seen.TakeAll();
  EXPECT_NE(seen.state["k"]->epoch, seen.entries[2]->epoch);
  EXPECT_EQ(seen.values(), (Values{{"k", "again"}}));
}

// Clauses: N36 N34
TEST_F(ConfigWatch, X54_WatchersGetOneEntryOfTwoCompareAndSets) {
  const KeyVersion before = VersionOf(Set("k", "old"));
  Follower follower(*config);
  follower.Watch(Watching({"k"}));
  follower.TakeAll();
  Set("k", "one", before);
  follower.TakeAll();
  const int told = follower.told->count;
  Set("k", "two", before);
  Set("k", "two", KeyVersion());
  EXPECT_EQ(Delete("k", before).outcome, Outcome::kConflict);
  EXPECT_FALSE(follower.TakeFrame());
  EXPECT_EQ(follower.told->count, told) << "nobody is told of a conflict";
  EXPECT_EQ(follower.texts(), (Texts{"k=old", "k=one"}));
}

// Clauses: N34
TEST_F(ConfigWatch, AKeyInTwoSelectorsComesOnceAndCountsOnce) {
  for (const char* key : {"a", "a.1", "a.2", "b", "b1"}) Set(key, "0");
  Follower follower(*config);
  follower.Watch(Watching({"a.1", "a.1", "b", "zz"}, {"a.", "a", "a.1"}));
  follower.TakeAll();
  EXPECT_EQ(follower.texts(), (Texts{"a=0", "a.1=0", "a.2=0", "b=0"}));
  EXPECT_EQ(Set("a.1", "1").watchers, 1u);
  EXPECT_EQ(Set("b", "1").watchers, 1u);
  EXPECT_EQ(Set("b1", "1").watchers, 0u);
  EXPECT_EQ(Set("zz", "1").watchers, 1u);
  EXPECT_EQ(Set("a.3", "1").watchers, 1u) << "made later";
  follower.entries.clear();
  follower.TakeAll();
  EXPECT_EQ(follower.texts(), (Texts{"a.1=1", "b=1", "zz=1", "a.3=1"}));
  EXPECT_EQ(config->Describe().watchers, 1u);
  config->Unwatch(follower.watcher);
  EXPECT_EQ(Set("a.1", "2").watchers, 0u);
  EXPECT_EQ(config->Describe().watchers, 0u);
  EXPECT_EQ(follower.told.use_count(), 1);
}

TEST_F(ConfigWatch, WatchersAreCountedByNamePrefixAndWait) {
  Follower by_name(*config), by_prefix(*config), by_all(*config), other(*config);
  by_name.Watch(Watching({"a.b"}));
  by_prefix.Watch(Watching({}, {"a."}));
  by_all.Watch(Watching({}, {""}));
  other.Watch(Watching({"a.bc", "a"}, {"a.b.", "b"}));
  Getting getting;
  Wait(getting, "a.b", KeyCondition(), std::chrono::hours(1));
  EXPECT_EQ(Get("a.b").watchers, 4u);
  EXPECT_EQ(Get("a").watchers, 2u);
  EXPECT_EQ(Get("a.b.c").watchers, 3u);
  EXPECT_EQ(Get("c").watchers, 1u);
  config->CancelWait(getting.ticket);
  EXPECT_EQ(Get("a.b").watchers, 3u);
}

// Clauses: N34
TEST_F(ConfigWatch, ASnapshotGoesInFramesAndSeesEachKeyOnce) {
  for (int i = 0; i < 3'000; ++i) Set("k" + std::to_string(i), std::string(300, 'v'));
  Follower follower(*config);
  follower.Watch(Watching({}, {"k"}));
  int frames = 0;
  while (!follower.is_complete) {
    ASSERT_TRUE(follower.TakeFrame());
    ++frames;
  }
  EXPECT_GE(frames, 4);
  EXPECT_EQ(follower.values(), AllValues());
}

// What changes while a snapshot is given: neither twice nor not at all.
// Clauses: N34
TEST_F(ConfigWatch, ASnapshotHoldsWhatChangesMeanwhile) {
  for (const char* key : {"a", "b", "c", "d", "e"}) Set(key, "0");
  Follower follower(*config);
  follower.Watch(Watching({}, {""}));
  ASSERT_TRUE(follower.TakeFrame(1));  // a
  ASSERT_TRUE(follower.TakeFrame(1));  // b
  Set("d", "1");                       // before the walk: told there
  Set("a", "1");                       // behind it: told after it
  Delete("e");
  Delete("b");
  Set("aa", "new");
  ASSERT_TRUE(follower.TakeFrame(1));  // c
  Set("c", "1");
  Set("f", "new");
  while (!follower.is_complete) ASSERT_TRUE(follower.TakeFrame(1));
  EXPECT_EQ(follower.texts(), (Texts{"a=0", "b=0", "c=0", "d=1", "f=new"}));
  EXPECT_EQ(follower.point->revision, 6u) << "up to the first change behind the walk";
  follower.TakeAll(1);
  EXPECT_EQ(follower.texts(), (Texts{"a=0", "b=0", "c=0", "d=1", "f=new",  //
                                     "a=1", "b-", "aa=new", "c=1"}));
  EXPECT_EQ(follower.values(), AllValues());
  EXPECT_FALSE(follower.TakeFrame());
}

// A selector that was walked stays walked, up to names that come behind its last key.
// Clauses: N34
TEST_F(ConfigWatch, KeysMadeBehindAWalkedSelectorAreTold) {
  Set("a/1", "0");
  Set("c/1", "0");
  Follower follower(*config);
  follower.Watch(Watching({"b"}, {"a/", "c/"}));
  ASSERT_TRUE(follower.TakeFrame(1));
  ASSERT_EQ(follower.texts(), (Texts{"a/1=0"}));
  Set("a/9", "new");
  Set("b", "new");
  follower.TakeAll(1);
  EXPECT_EQ(follower.values(), AllValues());
}

TEST_F(ConfigWatch, SelectorsAreChecked) {
  const auto refusal = [this](const WatchOptions& options) {
    const Status status = Refusal(options);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    std::string text = status.reason();
    for (const auto& [name, value] : status.details()) text += " " + name + "=" + value;
    return text;
  };
  EXPECT_EQ(refusal(Watching({})), "INVALID_FIELD field=keys");
  EXPECT_EQ(refusal(Watching({"a", "_b"})), "INVALID_FIELD field=keys index=1");
  EXPECT_EQ(refusal(Watching({"a"}, {"b", "", "*"})), "INVALID_FIELD field=prefixes index=2");
  const std::vector<std::string> many(kWatchSelectorsMax, "a");
  EXPECT_EQ(refusal(Watching(many, {"b"})), "OUT_OF_BOUNDS field=keys limit=1000 value=1001");
  Follower follower(*config);
  follower.Watch(Watching(many));
  EXPECT_EQ(config->Describe().watchers, 1u);
  EXPECT_EQ(Get("a").watchers, 1u);
}

// Clauses: N41 W6
TEST_F(ConfigWatch, TheEndComesAfterWhatIsUnseen) {
  Set("k", "a");
  Follower waiting(*config), behind(*config), fresh(*config);
  waiting.Watch(Watching({"k"}));
  waiting.TakeAll();
  EXPECT_EQ(waiting.ended, ClosedReason::kUnspecified);
  behind.Watch(Watching({"k"}));
  behind.TakeAll();
  Set("k", "final");
  config->Close(ClosedReason::kShuttingDown);
  EXPECT_GE(waiting.told->count, 1);
  behind.TakeAll();
  EXPECT_EQ(behind.texts(), (Texts{"k=a", "k=final"}));
  EXPECT_EQ(behind.ended, ClosedReason::kShuttingDown);
  waiting.TakeAll();
  EXPECT_EQ(waiting.ended, ClosedReason::kShuttingDown);
  fresh.Watch(Watching({"k"}));
  fresh.TakeAll();
  EXPECT_EQ(fresh.texts(), Texts{"k=final"});
  EXPECT_EQ(fresh.ended, ClosedReason::kShuttingDown);
  config->Close(ClosedReason::kRequested);
  EXPECT_FALSE(fresh.TakeFrame());
  EXPECT_EQ(fresh.ended, ClosedReason::kShuttingDown);
}

}  // namespace
}  // namespace sluice::broker
