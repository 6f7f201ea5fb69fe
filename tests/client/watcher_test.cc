// SPDX-License-Identifier: Apache-2.0
#include "sluice/watcher.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "tests/client/config_case.h"
#include "tests/client/relay.h"

namespace sluice::test {
namespace {

class WatcherTest : public ConfigCase {};

// Clauses: N34
TEST_F(WatcherTest, X50_ASnapshotThenEachChange) {
  Set(Key("k"), "a");
  WatcherOptions options;
  options.keys = {Key("k"), Key("never.there")};
  Watcher watcher = Open(client_, options);
  ASSERT_TRUE(watcher.WaitForSnapshot(kBound).ok());
  EXPECT_TRUE(watcher.is_current());
  EXPECT_EQ(watcher.Get(Key("k"))->value, "a");
  EXPECT_EQ(watcher.Get(Key("never.there")), nullptr);
  EXPECT_EQ(Told(watcher), "k=a");
  const ConfigEntry set = Set(Key("k"), "b");
  EXPECT_EQ(Told(watcher), "k=b");
  EXPECT_EQ(watcher.Get(Key("k"))->at, set.at);
  EXPECT_EQ(watcher.Next(kAWhile).status().reason(), "DEADLINE");
  const WatcherStats stats = watcher.stats();
  EXPECT_EQ(stats.snapshots, 1u);
  EXPECT_EQ(stats.entries, 2u);
  EXPECT_EQ(stats.keys, 1u);
}

TEST_F(WatcherTest, APrefixTakesInKeysThatComeLater) {
  Watcher watcher = Follow();
  EXPECT_TRUE(watcher.All().empty());
  Set(Key("b"), "1");
  Set(Key("a"), "2");
  EXPECT_EQ(Told(watcher), "b=1");
  EXPECT_EQ(Told(watcher), "a=2");
  const auto all = watcher.All();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->key, Key("a"));
}

// Clauses: N37
TEST_F(WatcherTest, ADeleteIsToldAsATombstone) {
  Watcher watcher = Follow();
  Set(Key("k"), "z");
  EXPECT_EQ(Told(watcher), "k=z");
  ASSERT_TRUE(writer_.Delete(Key("k"), kBound).ok());
  EXPECT_EQ(Told(watcher), "k gone");
  EXPECT_EQ(watcher.Get(Key("k")), nullptr);
}

TEST_F(WatcherTest, WhoDoesNotLookSeesTheLatestAlone) {
  Watcher watcher = Follow();
  for (int i = 1; i <= 50; ++i) Set(Key("k"), std::to_string(i));
  const auto last = watcher.WaitFor(
      Key("k"), [](const ConfigSnapshot& latest) { return latest && latest->value == "50"; },
      kBound);
  ASSERT_TRUE(last.ok()) << last.status().ToString();
  EXPECT_EQ(Told(watcher), "k=50");
  EXPECT_EQ(watcher.Next(kAWhile).status().reason(), "DEADLINE");
}

TEST_F(WatcherTest, ChangesComeToTheCallbackInstead) {
  std::mutex mutex;
  std::map<std::string, std::string> told;
  WatcherOptions options;
  options.prefixes = {prefix()};
  options.on_change = [&](const ConfigSnapshot& change) {
    std::lock_guard lock(mutex);
    told[change->key] = change->value;
  };
  Set(Key("a"), "1");
  Watcher watcher = Open(client_, std::move(options));
  Set(Key("b"), "2");
  const auto is_there = [](const ConfigSnapshot& latest) { return latest != nullptr; };
  ASSERT_TRUE(watcher.WaitFor(Key("b"), is_there, kBound).ok());
  EXPECT_EQ(watcher.Next(kBound).status().reason(), "BAD_OPTION");
  ASSERT_TRUE(watcher.Close(kBound).ok());
  std::lock_guard lock(mutex);
  EXPECT_EQ(told, (std::map<std::string, std::string>{{Key("a"), "1"}, {Key("b"), "2"}}));
}

TEST_F(WatcherTest, WaitForGivesUpAtItsDeadlineAndAtTheEnd) {
  Watcher watcher = Follow();
  const auto never = [](const ConfigSnapshot&) { return false; };
  EXPECT_EQ(watcher.WaitFor(Key(), never, kAWhile).status().reason(), "DEADLINE");
  std::thread closer([&watcher] { EXPECT_TRUE(watcher.Close(kBound).ok()); });
  const Status ended = watcher.WaitFor(Key(), never, kBound).status();
  closer.join();
  EXPECT_EQ(ended.code(), Code::kCancelled) << ended.ToString();
  EXPECT_FALSE(watcher.Next(kBound).ok());
  EXPECT_FALSE(watcher.is_current());
}

TEST_F(WatcherTest, SelectorsAreCheckedBeforeAnythingIsSent) {
  EXPECT_EQ(client_.OpenWatcher({}, kBound).status().reason(), "BAD_OPTION");
  WatcherOptions options;
  options.keys = {"no spaces"};
  const Status refused = client_.OpenWatcher(options, kBound).status();
  EXPECT_EQ(refused.code(), Code::kInvalidArgument) << refused.ToString();
}

TEST_F(WatcherTest, WatchersHaveAConnectionOfTheirOwnAndShareIt) {
  Client client = Connect(*daemon_);
  WatcherOptions options;
  options.prefixes = {prefix()};
  Watcher first = Open(client, options);
  Watcher second = Open(client, options);
  EXPECT_EQ(client.stats().streams, 2u);
  ASSERT_TRUE(first.WaitForSnapshot(kBound).ok());
  const auto streams = client_.ListStreams(kBound, 1000);
  ASSERT_TRUE(streams.ok());
  std::map<std::string, int> peers;
  for (const StreamDescription& stream : streams->streams) {
    if (stream.method == "/sluice.v1.ConfigService/Watch") ++peers[stream.peer];
  }
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers.begin()->second, 2);
}

class WatcherLossTest : public ConfigCase {
 protected:
  ReconnectOptions Soon() {
    ReconnectOptions reconnect;
    reconnect.cap = std::chrono::milliseconds(200);
    return reconnect;
  }

  std::unique_ptr<Daemon> own_ = std::make_unique<Daemon>();
  Client ours_ = Connect(*own_);
};

// The new daemon has other keys: what it does not name is told as gone, the rest as it is there.
// Clauses: N38 N6
TEST_F(WatcherLossTest, X55_AnotherDaemonReplacesWhatIsKnown) {
  ConfigWriterOptions repeating;
  repeating.retry_safe = true;
  ConfigWriter writer = ours_.MakeConfigWriter(repeating);
  ASSERT_TRUE(writer.Set(Key("stays"), "old", kBound).ok());
  ASSERT_TRUE(writer.Set(Key("goes"), "old", kBound).ok());
  WatcherOptions options;
  options.prefixes = {prefix()};
  options.reconnect = Soon();
  Watcher watcher = Open(ours_, options);
  ASSERT_TRUE(watcher.WaitForSnapshot(kBound).ok());
  // A snapshot is in no order.
  EXPECT_EQ((std::set<std::string>{Told(watcher), Told(watcher)}),
            (std::set<std::string>{"goes=old", "stays=old"}));
  own_->Kill();
  EXPECT_EQ(watcher.Get(Key("goes"))->value, "old") << "what was known stays known meanwhile";
  own_->Restart();
  ASSERT_TRUE(writer.Set(Key("stays"), "new", kBound).ok());
  std::map<std::string, std::string> told;
  const auto is_done = [&told] { return told["goes gone"] == "." && told["stays=new"] == "."; };
  for (int i = 0; i < 4 && !is_done(); ++i) told[Told(watcher)] = ".";
  EXPECT_TRUE(is_done());
  EXPECT_EQ(watcher.Get(Key("goes")), nullptr);
  const WatcherStats stats = watcher.stats();
  EXPECT_EQ(stats.resets, 1u);
  EXPECT_EQ(stats.snapshots, 2u);
  EXPECT_EQ(stats.reconnects, 1u);
}

TEST_F(WatcherLossTest, ALostConnectionGoesOnWhereItWas) {
  Relay relay(daemon_->address());
  ClientOptions through;
  through.address = relay.address();
  auto cut = Client::Connect(through);
  ASSERT_TRUE(cut.ok());
  for (const char* key : {"same", "changes", "goes"}) Set(Key(key), "old");
  WatcherOptions options;
  options.prefixes = {prefix()};
  options.reconnect = Soon();
  Watcher watcher = Open(*cut, options);
  ASSERT_TRUE(watcher.WaitForSnapshot(kBound).ok());
  for (int i = 0; i < 3; ++i) (void)Told(watcher);
  relay.Refuse(true);
  relay.Cut();
  const Deadline deadline(kBound);
  while (watcher.is_current()) ASSERT_FALSE(deadline.has_passed());
  Set(Key("changes"), "new");
  ASSERT_TRUE(writer_.Delete(Key("goes"), kBound).ok());
  relay.Refuse(false);
  EXPECT_EQ(Told(watcher), "changes=new");
  EXPECT_EQ(Told(watcher), "goes gone");
  EXPECT_EQ(watcher.Next(kAWhile).status().reason(), "DEADLINE");
  EXPECT_EQ(watcher.Get(Key("same"))->value, "old");
  const WatcherStats stats = watcher.stats();
  EXPECT_EQ(stats.resumed, 1u);
  EXPECT_EQ(stats.snapshots, 1u);
  EXPECT_EQ(stats.resets, 0u);
}

TEST_F(WatcherLossTest, WithoutReconnectingTheLossIsTheEnd) {
  WatcherOptions options;
  options.prefixes = {prefix()};
  options.reconnect.enabled = false;
  Watcher watcher = Open(ours_, options);
  ASSERT_TRUE(watcher.WaitForSnapshot(kBound).ok());
  own_->Kill();
  EXPECT_EQ(watcher.Next(kBound).status().code(), Code::kUnavailable);
  ASSERT_TRUE(watcher.end().has_value());
  EXPECT_EQ(watcher.end()->kind, StreamEnd::Kind::kLost);
}

}  // namespace
}  // namespace sluice::test
