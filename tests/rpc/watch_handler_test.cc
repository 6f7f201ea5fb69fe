// SPDX-License-Identifier: Apache-2.0
// Watch over a socket.
#include "tests/rpc/config_fixture.h"

namespace sluice::rpc {
namespace {

class WatchTest : public ConfigTest {
 protected:
  static v1::WatchRequest Resuming(v1::WatchRequest request, std::uint64_t service_epoch,
                                   std::uint64_t revision) {
    request.mutable_resume()->set_service_epoch(service_epoch);
    request.mutable_resume()->set_revision(revision);
    return request;
  }
  // More than a transport takes ahead of its reader.
  static constexpr int kLargeKeys = 32;
  void SetLargeKeys() {
    const std::string value(1 << 20, 'v');
    for (int i = 0; i < kLargeKeys; ++i) Set("k" + std::to_string(i), value);
  }
  void EventuallyWatching(std::uint64_t streams) {
    EventuallyTotals([=](const auto& totals) { return totals.watchers == streams; });
  }
};

// Clauses: N34 W1
TEST_F(WatchTest, X50_ASnapshotItsEndAndChanges) {
  Set("k", "a");
  const auto watch = StartWatching(Watching({"k"}));
  const auto snapshot = watch->Read<v1::WatchResponse>();
  ASSERT_TRUE(snapshot.has_value());
  ASSERT_EQ(snapshot->entries_size(), 1);
  EXPECT_EQ(snapshot->entries(0).value(), "a");
  EXPECT_EQ(snapshot->entries(0).version(), 1u);
  EXPECT_FALSE(snapshot->has_reset() || snapshot->has_end_of_snapshot());
  const auto end = watch->Read<v1::WatchResponse>();
  ASSERT_TRUE(end.has_value() && end->has_end_of_snapshot());
  EXPECT_EQ(end->entries_size(), 0) << "alone in its frame";
  EXPECT_EQ(end->end_of_snapshot().service_epoch(), broker_->config()->service_epoch());
  EXPECT_EQ(end->end_of_snapshot().revision(), 1u);
  EXPECT_EQ(Set("k", "b").watchers(), 1u);
  const v1::Entry changed = ReadEntry(*watch);
  EXPECT_EQ(changed.value(), "b");
  EXPECT_EQ(changed.version(), 2u);
  EXPECT_EQ(Streams()[0].state(), "watching");
  EXPECT_EQ(Streams()[0].channel(), "k");
}

// Clauses: N34
TEST_F(WatchTest, PrefixesFollowKeysMadeLater) {
  Set("a.1", "x");
  const auto watch = StartWatching(Watching({"a.1"}, {"a.", "b"}));
  std::vector<v1::Entry> entries;
  ReadSnapshot(*watch, entries);
  EXPECT_EQ(entries.size(), 1u);
  Set("c", "no");
  Set("a.2", "x");
  EXPECT_EQ(ReadEntry(*watch).key(), "a.2");
  Set("b", "x");
  EXPECT_EQ(ReadEntry(*watch).key(), "b");
}

// Clauses: N37
TEST_F(WatchTest, X53_ATombstoneComesAndTheNextLifeIsAnother) {
  const v1::SetKeyResponse first = Set("k", "z");
  const auto watch = StartWatching(Watching({"k"}));
  ReadSnapshot(*watch);
  Delete("k");
  const v1::Entry tombstone = ReadEntry(*watch);
  EXPECT_TRUE(tombstone.deleted());
  EXPECT_EQ(tombstone.version(), 2u);
  EXPECT_EQ(tombstone.value(), "");
  Set("k", "again");
  EXPECT_NE(ReadEntry(*watch).epoch(), first.entry().epoch());
}

// A reader that does not read holds back its own stream and no value but the newest.
// Clauses: N34 N42 W7
TEST_F(WatchTest, AStalledWatcherFindsTheNewest) {
  constexpr int kSets = 100;
  const auto stalled = StartWatching(Watching({"k"}));
  const auto other = StartWatching(Watching({"k"}));
  ReadSnapshot(*stalled);
  ReadSnapshot(*other);
  const std::string filler(100'000, 'v');
  for (int i = 1; i <= kSets; ++i) {
    Set("k", std::to_string(i) + "," + filler);
    EXPECT_EQ(ReadEntry(*other).version(), static_cast<std::uint64_t>(i)) << "nobody else notices";
  }
  int frames = 0;
  std::uint64_t version = 0;
  while (version < kSets) {
    const v1::Entry entry = ReadEntry(*stalled);
    ASSERT_GT(entry.version(), version) << "never back, never twice";
    version = entry.version();
    EXPECT_EQ(entry.value(), std::to_string(version) + "," + filler);
    ++frames;
  }
  EXPECT_LT(frames, kSets / 2) << "what is on its way, and the newest";
  EXPECT_FALSE(stalled->CanRead(std::chrono::milliseconds(50)));
}

// Clauses: N34
TEST_F(WatchTest, ALargeSnapshotGoesInFrames) {
  for (int i = 0; i < 10; ++i) Set("small" + std::to_string(i), std::string(60'000, 'v'));
  Set("large", std::string(1 << 20, 'v'));
  const auto watch = StartWatching(Watching({}, {""}));
  std::size_t entries = 0;
  for (;;) {
    const auto frame = watch->Read<v1::WatchResponse>();
    ASSERT_TRUE(frame.has_value());
    if (frame->has_end_of_snapshot()) break;
    EXPECT_TRUE(frame->entries_size() == 1 || frame->ByteSizeLong() <= 256u << 10);
    entries += static_cast<std::size_t>(frame->entries_size());
  }
  EXPECT_EQ(entries, 11u);
}

// Clauses: N38
TEST_F(WatchTest, X55_WhoComesBackIsToldWhatChanged) {
  Set("a", "0");
  Set("b", "0");
  auto watch = StartWatching(Watching({}, {""}));
  const v1::EndOfSnapshot point = ReadSnapshot(*watch);
  watch.reset();
  EventuallyWatching(0);
  watch = StartWatching(Resuming(Watching({}, {""}), point.service_epoch(), point.revision()));
  std::vector<v1::Entry> entries;
  EXPECT_EQ(ReadSnapshot(*watch, entries).revision(), point.revision());
  EXPECT_TRUE(entries.empty());
  Delete("a");
  Set("b", "1");
  watch = StartWatching(Resuming(Watching({}, {""}), point.service_epoch(), point.revision()));
  const auto frame = watch->Read<v1::WatchResponse>();
  ASSERT_TRUE(frame.has_value());
  EXPECT_FALSE(frame->has_reset());
  ASSERT_EQ(frame->entries_size(), 2);
  EXPECT_TRUE(frame->entries(0).deleted());
  EXPECT_EQ(frame->entries(1).value(), "1");
  EXPECT_EQ(ReadSnapshot(*watch).revision(), 4u);
}

// Clauses: N38 N6
TEST_F(WatchTest, X55_WhatIsNotKnownIsReset) {
  Set("k", "a");
  const std::uint64_t epoch = broker_->config()->service_epoch();
  const auto watch = StartWatching(Resuming(Watching({"k"}), epoch + 1, 1));
  const auto frame = watch->Read<v1::WatchResponse>();
  ASSERT_TRUE(frame.has_value() && frame->has_reset());
  EXPECT_EQ(frame->reset().service_epoch(), epoch);
  EXPECT_EQ(frame->entries_size(), 1);
  EXPECT_EQ(ReadSnapshot(*watch).revision(), 1u);
  const auto empty = StartWatching(Resuming(Watching({"nothing"}), epoch, 2));
  EXPECT_TRUE(empty->Read<v1::WatchResponse>()->has_reset());
  ReadSnapshot(*empty);
}

// Clauses: N41 N20 W6
TEST_F(WatchTest, TheDrainIsToldAtTheEnd) {
  const auto watch = StartWatching(Watching({"k"}));
  ReadSnapshot(*watch);
  const auto silent = client().Start(kWatch);  // has not asked yet
  Eventually([this] { return Streams().size() == 3; });
  StartDrain();
  EXPECT_EQ(ReadClosed<v1::WatchResponse>(*watch), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(silent->EndFault().reason, "DRAINING");
  EventuallyWatching(0);
}

// One who never reads ends when the grace does.
// Clauses: N41
TEST_F(WatchTest, AStalledWatcherIsEndedAfterTheGrace) {
  SetLargeKeys();
  const auto stalled = StartWatching(Watching({}, {"k"}));
  EventuallyWatching(1);
  StartDrain();
  EXPECT_EQ(broker_->totals().watchers, 1u);
  broker_->FinishDrain();
  server_->EndStreams();
  int entries = 0;
  for (;;) {
    const auto frame = stalled->Read<v1::WatchResponse>();
    ASSERT_TRUE(frame.has_value());
    if (frame->has_closed()) break;
    ++entries;
  }
  EXPECT_LT(entries, kLargeKeys) << "what was on its way";
  EXPECT_TRUE(stalled->End().ok());
}

TEST_F(WatchTest, WhoGoesIsForgotten) {
  const auto watch = StartWatching(Watching({"k"}));
  ReadSnapshot(*watch);
  EXPECT_EQ(Get("k").watchers(), 1u);
  watch->Cancel();
  EXPECT_EQ(watch->End().error_code(), grpc::StatusCode::CANCELLED);
  EventuallyWatching(0);
  EXPECT_EQ(Get("k").watchers(), 0u);
  v1::SetKeyRequest request = Setting("k", "a");
  request.set_require_watchers(true);
  EXPECT_EQ(Set(request).outcome(), v1::OUTCOME_NO_SUBSCRIBERS);
}

// Clauses: N38
TEST_F(WatchTest, WhoFallsBehindTheTombstonesIsEndedByTheLimit) {
  SetLargeKeys();
  const auto stalled = StartWatching(Watching({}, {""}));
  ASSERT_TRUE(stalled->Read<v1::WatchResponse>().has_value());
  broker::Config& config = *broker_->config();
  ASSERT_TRUE(config.Delete("k0", std::nullopt).ok());
  for (std::uint32_t i = 0; i < broker::kTombstonesMax; ++i) {
    broker::SetOptions options;
    options.key = "churn";
    options.key += std::to_string(i);
    ASSERT_TRUE(config.Set(options).ok());
    ASSERT_TRUE(config.Delete(options.key, std::nullopt).ok());
  }
  for (;;) {
    const auto frame = stalled->Read<v1::WatchResponse>();
    ASSERT_TRUE(frame.has_value());
    if (!frame->has_closed()) continue;
    EXPECT_EQ(frame->closed().reason(), v1::CLOSED_REASON_LIMIT);
    EXPECT_NE(frame->closed().text(), "");
    break;
  }
  EXPECT_TRUE(stalled->End().ok());
}

TEST_F(WatchTest, SelectorsAreChecked) {
  EXPECT_EQ(RefusalOf(kWatch, v1::WatchRequest()), "INVALID_FIELD keys");
  EXPECT_EQ(RefusalOf(kWatch, Watching({"_a"})), "INVALID_FIELD keys");
  EXPECT_EQ(RefusalOf(kWatch, Watching({}, {"a*"})), "INVALID_FIELD prefixes");
  EXPECT_EQ(RefusalOf(kWatch, Watching(std::vector<std::string>(1'001, "a"))),
            "OUT_OF_BOUNDS keys");
  EventuallyWatching(0);
}

}  // namespace
}  // namespace sluice::rpc
