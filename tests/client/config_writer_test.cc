// SPDX-License-Identifier: Apache-2.0
#include "sluice/config_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/client/config_case.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

class ConfigWriterTest : public ConfigCase {};

// Clauses: N35
TEST_F(ConfigWriterTest, WhatIsSetIsThereWithItsVersionAndItsType) {
  ConfigWriterOptions options;
  options.content_type = "text/plain";
  ConfigWriter writer = client_.MakeConfigWriter(options);
  const auto first = writer.Set(Key(), "a", kBound);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  ASSERT_TRUE(first->ok());
  EXPECT_EQ(first->entry->at.version, 1u);
  EXPECT_EQ(first->watchers, 0u);
  const auto second = writer.Set(Key(), "b", kBound);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->entry->at, (KeyVersion{first->entry->at.epoch, 2}));
  EXPECT_GT(second->entry->revision, first->entry->revision);
  const auto got = client_.GetKey({Key(), {}, {}, {}, {}}, kBound);
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  ASSERT_TRUE(got->ok());
  EXPECT_EQ(got->entry->value, "b");
  EXPECT_EQ(got->entry->content_type, "text/plain");
  EXPECT_FALSE(got->entry->ephemeral);
  EXPECT_GT(got->entry->changed_unix_us, 0u);
}

TEST_F(ConfigWriterTest, AnAbsentKeyIsAnAnswer) {
  const auto got = client_.GetKey({Key(), {}, {}, {}, {}}, kBound);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->outcome, Outcome::kAbsent);
  EXPECT_FALSE(got->entry.has_value());
  const auto gone = writer_.Delete(Key(), kBound);
  ASSERT_TRUE(gone.ok());
  EXPECT_EQ(gone->outcome, Outcome::kAbsent);
}

// Clauses: N36
TEST_F(ConfigWriterTest, X54_CompareAndSetIsWonByOneAndTellsTheOtherWhatThereIs) {
  const auto made = writer_.CompareAndSet(Key(), KeyVersion::Absent(), "first", kBound);
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  ASSERT_TRUE(made->ok());
  const auto again = writer_.CompareAndSet(Key(), KeyVersion::Absent(), "x", kBound);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->outcome, Outcome::kConflict);
  const auto won = writer_.CompareAndSet(Key(), made->entry->at, "second", kBound);
  ASSERT_TRUE(won.ok());
  ASSERT_TRUE(won->ok());
  const auto lost = writer_.CompareAndSet(Key(), made->entry->at, "third", kBound);
  ASSERT_TRUE(lost.ok());
  EXPECT_EQ(lost->outcome, Outcome::kConflict);
  EXPECT_EQ(lost->entry->value, "second");
  EXPECT_EQ(lost->entry->at, won->entry->at);
}

// Clauses: N37
TEST_F(ConfigWriterTest, ADeletedKeyComesBackInAnotherLife) {
  const ConfigEntry first = Set(Key(), "a");
  const auto refused = writer_.CompareAndDelete(Key(), {first.at.epoch, 9}, kBound);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->outcome, Outcome::kConflict);
  EXPECT_EQ(refused->entry->value, "a");
  const auto gone = writer_.CompareAndDelete(Key(), first.at, kBound);
  ASSERT_TRUE(gone.ok());
  ASSERT_TRUE(gone->ok());
  EXPECT_TRUE(gone->entry->deleted);
  EXPECT_EQ(gone->entry->at, (KeyVersion{first.at.epoch, 2}));
  const ConfigEntry second = Set(Key(), "b");
  EXPECT_NE(second.at.epoch, first.at.epoch);
  EXPECT_EQ(second.at.version, 1u);
  ASSERT_TRUE(writer_.Delete(Key(), kBound).ok());
}

TEST_F(ConfigWriterTest, RequiringWatchersStoresNothingWithoutThem) {
  SetKeyRequest request;
  request.key = Key();
  request.value = "a";
  request.require_watchers = true;
  const auto alone = client_.SetKey(request, kBound);
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(alone->outcome, Outcome::kNoSubscribers);
  Watcher watcher = Follow();
  const auto watched = client_.SetKey(request, kBound);
  ASSERT_TRUE(watched.ok());
  EXPECT_EQ(watched->outcome, Outcome::kOk);
  EXPECT_EQ(watched->watchers, 1u);
}

// Clauses: N39
TEST_F(ConfigWriterTest, X57_WaitsForAValueAreAnsweredOrRunOut) {
  GetKeyRequest request;
  request.key = Key();
  request.wait_for = KeyWait::kExists;
  const auto judged = client_.GetKey(request, kBound);
  ASSERT_TRUE(judged.ok());
  EXPECT_EQ(judged->outcome, Outcome::kTimedOut) << "judged at once";
  request.wait = std::chrono::minutes(5);
  std::thread setter([this] { Set(Key(), "a"); });
  const auto exists = client_.GetKey(request, kBound);
  setter.join();
  ASSERT_TRUE(exists.ok());
  ASSERT_TRUE(exists->ok());
  request.wait_for = KeyWait::kVersionAbove;
  request.version_above = exists->entry->at;
  request.wait = milliseconds(20);
  const auto same = client_.GetKey(request, kBound);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->outcome, Outcome::kTimedOut);
  EXPECT_EQ(same->entry->value, "a");
  EXPECT_EQ(same->watchers, 0u) << "a wait that ended leaves nothing behind";
  request.wait_for = KeyWait::kEquals;
  request.equals = "b";
  request.wait = std::chrono::minutes(5);
  std::thread other([this] { Set(Key(), "b"); });
  const auto equal = client_.GetKey(request, kBound);
  other.join();
  ASSERT_TRUE(equal.ok());
  EXPECT_TRUE(equal->ok());
  EXPECT_EQ(equal->entry->value, "b");
}

TEST_F(ConfigWriterTest, KeysAreListedInPagesWithOrWithoutValues) {
  for (const char* end : {"a", "b", "c"}) Set(Key(end), end);
  const auto first = client_.ListKeys(prefix(), kBound, 2);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  ASSERT_EQ(first->entries.size(), 2u);
  EXPECT_EQ(first->entries[1].value, "b");
  const auto rest = client_.ListKeys(prefix(), kBound, 2, first->next_page_token, true);
  ASSERT_TRUE(rest.ok());
  ASSERT_EQ(rest->entries.size(), 1u);
  EXPECT_EQ(rest->entries[0].key, Key("c"));
  EXPECT_EQ(rest->entries[0].value, "");
  EXPECT_TRUE(rest->next_page_token.empty());
}

TEST_F(ConfigWriterTest, UpdatesOfManyLoseNothing) {
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int k = 0; k < kEach; ++k) {
        const auto reply = writer_.Update(
            Key(),
            [](const ConfigEntry* latest) -> std::optional<std::string> {
              return std::to_string(latest == nullptr ? 1 : std::stoi(latest->value) + 1);
            },
            kBound);
        ASSERT_TRUE(reply.ok()) << reply.status().ToString();
        ASSERT_EQ(reply->outcome, Outcome::kOk);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto got = client_.GetKey({Key(), {}, {}, {}, {}}, kBound);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->entry->value, std::to_string(kThreads * kEach));
  EXPECT_EQ(got->entry->at.version, static_cast<std::uint64_t>(kThreads * kEach));
}

TEST_F(ConfigWriterTest, AnUpdateMayLeaveItAndIsBounded) {
  Set(Key(), "a");
  const auto left = writer_.Update(
      Key(), [](const ConfigEntry*) { return std::optional<std::string>(); }, kBound);
  ASSERT_TRUE(left.ok());
  EXPECT_EQ(left->outcome, Outcome::kOk);
  EXPECT_EQ(left->entry->at.version, 1u);
  ConfigWriterOptions options;
  options.update_attempts_max = 3;
  int runs = 0;
  const auto beaten = client_.MakeConfigWriter(options).Update(
      Key(),
      [this, &runs](const ConfigEntry*) -> std::optional<std::string> {
        ++runs;
        Set(Key(), "faster");
        return "slower";
      },
      kBound);
  ASSERT_TRUE(beaten.ok());
  EXPECT_EQ(beaten->outcome, Outcome::kConflict);
  EXPECT_EQ(runs, 3);
}

TEST_F(ConfigWriterTest, FaultsNameTheirField) {
  const Status bad = writer_.Set("no spaces", "a", kBound).status();
  EXPECT_EQ(bad.code(), Code::kInvalidArgument);
  EXPECT_EQ(bad.details().at("field"), "key");
  ConfigWriterOptions options;
  options.session_id = std::string(16, 'x');
  const auto gone = client_.MakeConfigWriter(options).Set(Key(), "a", kBound);
  EXPECT_EQ(gone.status().reason(), "SESSION_GONE");
}

// Clauses: N9
TEST(ConfigWriterLossTest, WithoutAnAnswerItIsUnknownUnlessItMayBeRepeated) {
  Daemon daemon;
  ClientOptions connection;
  connection.address = daemon.address();
  auto client = Client::Connect(connection);
  ASSERT_TRUE(client.ok());
  ConfigWriter once = client->MakeConfigWriter();
  ConfigWriterOptions options;
  options.retry_safe = true;
  ConfigWriter again = client->MakeConfigWriter(options);
  daemon.Kill();
  const auto lost = once.Set("key", "a", kBound);
  ASSERT_TRUE(lost.ok()) << lost.status().ToString();
  EXPECT_EQ(lost->outcome, Outcome::kUnknown);
  const auto compared = again.CompareAndSet("key", KeyVersion::Absent(), "a", kBound);
  ASSERT_TRUE(compared.ok()) << compared.status().ToString();
  EXPECT_EQ(compared->outcome, Outcome::kUnknown) << "it is never repeated";
  const auto out_of_time = again.Set("key", "a", kAWhile);
  ASSERT_TRUE(out_of_time.ok()) << out_of_time.status().ToString();
  EXPECT_EQ(out_of_time->outcome, Outcome::kUnknown);
  std::thread starter([&daemon] { daemon.Restart(); });
  const auto stored = again.Set("key", "a", kBound);
  starter.join();
  ASSERT_TRUE(stored.ok()) << stored.status().ToString();
  EXPECT_EQ(stored->outcome, Outcome::kOk);
}

}  // namespace
}  // namespace sluice::test
