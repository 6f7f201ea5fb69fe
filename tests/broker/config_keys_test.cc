// SPDX-License-Identifier: Apache-2.0
// Setting, deleting, reading and listing keys.
#include "tests/broker/config_fixture.h"

namespace sluice::broker {
namespace {

class ConfigKeys : public ConfigFixture {};

// Clauses: N35 W12
TEST_F(ConfigKeys, X52_ASetIsStoredWithoutWatchers) {
  SetOptions options;
  options.key = "k";
  options.value = "a";
  options.content_type = "text/plain";
  const std::uint64_t now = clock.UnixMicros();
  const KeyAnswer set = Set(options);
  EXPECT_EQ(set.outcome, Outcome::kOk);
  EXPECT_EQ(set.watchers, 0u);
  const KeyAnswer got = Get("k");
  EXPECT_EQ(got.outcome, Outcome::kOk);
  ASSERT_EQ(got.entry, set.entry);
  EXPECT_EQ(got.entry->value, "a");
  EXPECT_EQ(got.entry->content_type, "text/plain");
  EXPECT_EQ(got.entry->version, 1u);
  EXPECT_EQ(got.entry->revision, 1u);
  EXPECT_EQ(got.entry->changed_unix_us, now);
  EXPECT_GT(got.entry->epoch, 0u);
  EXPECT_LE(got.entry->epoch, kDrawnMax);
  EXPECT_FALSE(got.entry->deleted || got.entry->ephemeral);
}

// Clauses: W11 N35
TEST_F(ConfigKeys, X52_RequiredWatchersThatAreMissingRefuse) {
  Set("k", "old");
  SetOptions options;
  options.key = "k";
  options.value = "new";
  options.require_watchers = true;
  KeyAnswer answer = Set(options);
  EXPECT_EQ(answer.outcome, Outcome::kNoSubscribers);
  EXPECT_EQ(answer.entry, nullptr);
  EXPECT_EQ(ValueOf("k"), "old");
  EXPECT_EQ(Get("k").entry->version, 1u) << "no version is used";
  Follower follower(*config);
  follower.Watch(Watching({"k"}));
  answer = Set(options);
  EXPECT_EQ(answer.outcome, Outcome::kOk);
  EXPECT_EQ(answer.watchers, 1u);
  config->Unwatch(follower.watcher);
  EXPECT_EQ(Set(options).outcome, Outcome::kNoSubscribers);
  follower.Watch(Watching({}, {"x", ""}));
  EXPECT_EQ(Set(options).outcome, Outcome::kOk) << "a prefix watches, too";
}

// Clauses: W2
TEST_F(ConfigKeys, EveryChangeCountsAlsoOfEqualBytes) {
  const KeyAnswer first = Set("k", "a");
  const KeyAnswer second = Set("k", "a");
  EXPECT_EQ(second.entry->version, 2u);
  EXPECT_EQ(second.entry->epoch, first.entry->epoch);
  const KeyAnswer other = Set("other", "a");
  EXPECT_EQ(other.entry->version, 1u);
  EXPECT_NE(other.entry->epoch, first.entry->epoch);
  EXPECT_EQ(second.entry->revision, first.entry->revision + 1);
  EXPECT_EQ(other.entry->revision, first.entry->revision + 2);
}

// Clauses: N36
TEST_F(ConfigKeys, X54_OneOfTwoThatExpectTheSameWins) {
  const KeyVersion before = VersionOf(Set("k", "old"));
  const KeyAnswer winner = Set("k", "one", before);
  const KeyAnswer loser = Set("k", "two", before);
  EXPECT_EQ(winner.outcome, Outcome::kOk);
  EXPECT_EQ(loser.outcome, Outcome::kConflict);
  ASSERT_EQ(loser.entry, winner.entry);
  EXPECT_EQ(loser.entry->version, before.version + 1);
  EXPECT_EQ(ValueOf("k"), "one");
  EXPECT_EQ(config->Describe().revision, 2u);
}

// Clauses: N36
TEST_F(ConfigKeys, ExpectingNothingMakesTheKeyOnce) {
  const KeyAnswer first = Set("k", "1", KeyVersion());
  EXPECT_EQ(first.outcome, Outcome::kOk);
  EXPECT_EQ(Set("k", "2", KeyVersion()).outcome, Outcome::kConflict);
  Delete("k");
  const KeyAnswer gone = Set("k", "2", VersionOf(first));
  EXPECT_EQ(gone.outcome, Outcome::kConflict) << "an absent key is at no version";
  EXPECT_EQ(gone.entry, nullptr);
  EXPECT_EQ(Set("k", "3", KeyVersion()).outcome, Outcome::kOk);
  const KeyVersion same_version_of_another_life = VersionOf(first);
  EXPECT_EQ(Set("k", "4", same_version_of_another_life).outcome, Outcome::kConflict);
}

// Expect is judged before the watchers, and nothing is told of either.
// Clauses: N36 W11
TEST_F(ConfigKeys, AConflictComesBeforeMissingWatchers) {
  Set("k", "a");
  SetOptions options;
  options.key = "k";
  options.expect = KeyVersion();
  options.require_watchers = true;
  EXPECT_EQ(Set(options).outcome, Outcome::kConflict);
  options.expect.reset();
  EXPECT_EQ(Set(options).outcome, Outcome::kNoSubscribers);
}

// Clauses: N37
TEST_F(ConfigKeys, ADeleteEndsALifeAndTheNextHasAnotherEpoch) {
  const KeyAnswer set = Set("k", "a");
  const KeyAnswer deleted = Delete("k");
  EXPECT_EQ(deleted.outcome, Outcome::kOk);
  ASSERT_NE(deleted.entry, nullptr);
  EXPECT_TRUE(deleted.entry->deleted);
  EXPECT_EQ(deleted.entry->value, "");
  EXPECT_EQ(deleted.entry->epoch, set.entry->epoch);
  EXPECT_EQ(deleted.entry->version, 2u);
  EXPECT_EQ(deleted.entry->revision, 2u);
  EXPECT_EQ(Get("k").outcome, Outcome::kAbsent);
  EXPECT_EQ(Get("k").entry, nullptr);
  const KeyAnswer again = Set("k", "b");
  EXPECT_NE(again.entry->epoch, set.entry->epoch);
  EXPECT_EQ(again.entry->version, 1u);
  EXPECT_EQ(again.entry->revision, 3u);
  EXPECT_EQ(config->Describe().tombstones, 0u);
}

// Clauses: N36 N37
TEST_F(ConfigKeys, ADeleteMayExpectAVersion) {
  const KeyVersion first = VersionOf(Set("k", "a"));
  const KeyAnswer second = Set("k", "b");
  const KeyAnswer refused = Delete("k", first);
  EXPECT_EQ(refused.outcome, Outcome::kConflict);
  EXPECT_EQ(refused.entry, second.entry);
  EXPECT_EQ(ValueOf("k"), "b");
  EXPECT_EQ(Delete("k", VersionOf(second)).outcome, Outcome::kOk);
  EXPECT_EQ(Delete("k", first).outcome, Outcome::kAbsent) << "whatever was expected";
  EXPECT_EQ(Delete("k").outcome, Outcome::kAbsent);
  EXPECT_EQ(config->Describe().revision, 3u);
}

TEST_F(ConfigKeys, PagesGoByNameAndSize) {
  for (const char* key : {"b", "a.2", "a.1", "a.10", "c"}) Set(key, std::string(1'000, 'v'));
  Delete("c");
  const auto names = [](const KeyPage& page) {
    Texts list;
    for (const EntryPtr& entry : page.entries) list.push_back(entry->key);
    return list;
  };
  KeyPage page = config->List("", "", 10, kDeliveryBytesMax, true);
  EXPECT_EQ(names(page), (Texts{"a.1", "a.10", "a.2", "b"})) << "by bytes; no tombstones";
  EXPECT_FALSE(page.has_more);
  page = config->List("a.", "", 2, kDeliveryBytesMax, true);
  EXPECT_EQ(names(page), (Texts{"a.1", "a.10"}));
  EXPECT_TRUE(page.has_more);
  page = config->List("a.", "a.10", 2, kDeliveryBytesMax, true);
  EXPECT_EQ(names(page), (Texts{"a.2"}));
  EXPECT_FALSE(page.has_more);
  page = config->List("a.", "a.0", 2, 100, true);
  EXPECT_EQ(names(page), (Texts{"a.1"})) << "one passes whatever its size";
  EXPECT_TRUE(page.has_more);
  page = config->List("a.", "", 2, 200, false);
  EXPECT_EQ(names(page), (Texts{"a.1", "a.10"})) << "values that are not asked for do not count";
}

TEST_F(ConfigKeys, FieldsAreChecked) {
  const auto field_of = [](const Status& status) {
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    return status.reason() + " " + (status.details().empty() ? "" : status.details()[0].second);
  };
  SetOptions options;
  EXPECT_EQ(field_of(CheckSet(options)), "INVALID_FIELD key");
  options.key = "_mine";
  EXPECT_EQ(field_of(config->Set(options).error()), "INVALID_FIELD key");
  options.key = "k";
  options.value.assign(kValueBytesMax + 1, 'v');
  EXPECT_EQ(field_of(config->Set(options).error()), "OUT_OF_BOUNDS value");
  options.value.pop_back();
  options.content_type.assign(kContentTypeBytesMax + 1, 't');
  EXPECT_EQ(field_of(config->Set(options).error()), "OUT_OF_BOUNDS content_type");
  options.content_type.pop_back();
  for (const KeyVersion half : {KeyVersion{0, 1}, KeyVersion{1, 0}}) {
    options.expect = half;
    EXPECT_EQ(field_of(config->Set(options).error()), "INVALID_FIELD expect");
    EXPECT_EQ(field_of(config->Delete("k", half).error()), "INVALID_FIELD expect");
  }
  EXPECT_EQ(field_of(config->Delete("k", KeyVersion()).error()), "INVALID_FIELD expect");
  EXPECT_EQ(field_of(config->Delete("a..b", std::nullopt).error()), "INVALID_FIELD key");
  EXPECT_EQ(field_of(config->Get("").error()), "INVALID_FIELD key");
  options.expect.reset();
  EXPECT_EQ(Set(options).outcome, Outcome::kOk) << "the most is allowed";
  EXPECT_EQ(config->Describe().keys, 1u) << "and nothing else was done";
}

TEST_F(ConfigKeys, APrefixIsWhatANameMayBeginWith) {
  for (const std::string& prefix :
       {std::string(), std::string("a"), std::string("a."), std::string("a./"),
        std::string(255, 'p'), std::string(253, 'p') + "."}) {
    EXPECT_TRUE(CheckPrefix("prefixes", prefix).ok()) << prefix;
  }
  for (const std::string& prefix :
       {std::string("_"), std::string("."), std::string("a.."), std::string("a*"),
        std::string(256, 'p'), std::string(254, 'p') + ".", std::string("..")}) {
    EXPECT_EQ(CheckPrefix("prefixes", prefix).code(), Code::kInvalidArgument) << prefix;
  }
}

// Every key has a place among the channels of all kinds.
TEST_F(ConfigKeys, KeysAreCountedAndBounded) {
  space.channels = limits.channels_max - 2;
  EXPECT_EQ(Set("a", "1").outcome, Outcome::kOk);
  EXPECT_EQ(Set("b", "1").outcome, Outcome::kOk);
  SetOptions options;
  options.key = "c";
  const Result<KeyAnswer> refused = config->Set(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.error().reason(), "TOO_MANY_CHANNELS");
  EXPECT_EQ(refused.error().details()[0].first, "limit");
  EXPECT_EQ(rooms_asked, 1) << "what has ended gives way first";
  EXPECT_EQ(Set("a", "2").outcome, Outcome::kOk) << "a key that is there needs no place";
  EXPECT_EQ(Get("c").outcome, Outcome::kAbsent);
  Delete("a");
  EXPECT_EQ(Set("c", "1").outcome, Outcome::kOk);
  EXPECT_EQ(space.channels, limits.channels_max);
}

TEST_F(ConfigKeys, WhatIsRetainedIsCounted) {
  EXPECT_EQ(config->Describe().retained_bytes, 0u);
  Set("k", std::string(1'000, 'v'));
  const std::uint64_t one = config->Describe().retained_bytes;
  EXPECT_GE(one, 1'001u);
  Set("k", std::string(2'000, 'v'));
  EXPECT_EQ(config->Describe().retained_bytes, one + 1'000);
  Delete("k");
  EXPECT_LT(config->Describe().retained_bytes, 200u);
}

}  // namespace
}  // namespace sluice::broker
