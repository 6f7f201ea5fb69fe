// SPDX-License-Identifier: Apache-2.0
// Keys that end with their session.
#include "broker/broker.h"
#include "tests/broker/config_fixture.h"

namespace sluice::broker {
namespace {

class ConfigSession : public ConfigFixture {
 protected:
  // Ties a session as SetKey does it.
  std::string Keep() {
    const auto kept = sessions->Keep("", nullptr);
    EXPECT_TRUE(kept.ok());
    EXPECT_TRUE(sessions->Tie(kept->id, config).ok());
    fences[kept->id] = kept->fence;
    return kept->id;
  }
  void End(const std::string& id) { sessions->End(id, fences[id]); }

  std::shared_ptr<Sessions> sessions = std::make_shared<Sessions>(clock, timers, space.limits);
  std::map<std::string, std::uint64_t> fences;
};

// Clauses: N40 N3
TEST_F(ConfigSession, X56_EphemeralKeysEndWithTheirSession) {
  Set("stays", "a");
  Follower follower(*config);
  follower.Watch(Watching({}, {""}));
  follower.TakeAll();
  const std::string mine = Keep(), other = Keep();
  EXPECT_TRUE(SetFor(mine, "e1").entry->ephemeral);
  SetFor(mine, "e2");
  SetFor(other, "e3");
  EXPECT_EQ(config->Describe().ephemeral_keys, 3u);
  follower.TakeAll();
  follower.entries.clear();
  End(mine);
  EXPECT_GE(follower.told->count, 1);
  follower.TakeAll();
  EXPECT_EQ(follower.texts(), (Texts{"e1-", "e2-"}));
  EXPECT_EQ(follower.values(), (Values{{"stays", "a"}, {"e3", ""}}));
  EXPECT_EQ(follower.entries[0]->version, 2u);
  config->SessionEnded(mine);
  EXPECT_FALSE(follower.TakeFrame()) << "idempotent";
  EXPECT_EQ(config->Describe().ephemeral_keys, 1u);
}

// Clauses: N40
TEST_F(ConfigSession, TheLastSetSaysWhoseItIs) {
  const std::string first = Keep(), second = Keep();
  SetFor(first, "taken");
  SetFor(second, "taken");
  SetFor(first, "standing");
  EXPECT_FALSE(Set("standing", "now").entry->ephemeral) << "set without a session";
  Set("tied", "before");
  SetFor(first, "tied");
  SetFor(first, "gone");
  Delete("gone");
  Set("gone", "by itself");
  End(first);
  EXPECT_EQ(AllValues(), (Values{{"taken", ""}, {"standing", "now"}, {"gone", "by itself"}}));
  End(second);
  EXPECT_EQ(ValueOf("taken"), "(absent)");
  EXPECT_EQ(config->Describe().ephemeral_keys, 0u);
}

// Clauses: N36 N40
TEST_F(ConfigSession, AConflictTiesNothing) {
  const std::string session = Keep();
  Set("k", "a");
  SetOptions options;
  options.key = "k";
  options.session_id = session;
  options.expect = KeyVersion();
  EXPECT_EQ(Set(options).outcome, Outcome::kConflict);
  End(session);
  EXPECT_EQ(ValueOf("k"), "a");
}

// More than are deleted at a time; their places are given back.
// Clauses: N40
TEST_F(ConfigSession, ManyKeysEndToo) {
  const std::string session = Keep();
  Follower follower(*config);
  follower.Watch(Watching({}, {"e"}));
  for (int i = 0; i < 3'000; ++i) SetFor(session, "e" + std::to_string(i));
  follower.TakeAll();
  EXPECT_EQ(follower.values().size(), 3'000u);
  EXPECT_EQ(space.channels, 3'000u);
  End(session);
  follower.TakeAll();
  EXPECT_TRUE(follower.values().empty());
  EXPECT_EQ(config->Describe().keys, 0u);
  EXPECT_EQ(space.channels, 0u);
}

// Clauses: N41
TEST_F(ConfigSession, GoingDownEndsWatchesAndTheBrokerCounts) {
  Broker broker(BrokerOptions(), clock);
  Config& keys = *broker.config();
  Watcher watcher;
  GetTicket ticket;
  ASSERT_TRUE(keys.Watch(watcher, Watching({"k"}), nullptr).ok());
  ASSERT_TRUE(keys.Wait(ticket, "k", KeyCondition(), kNever, nullptr).ok());
  SetOptions options;
  options.key = "other";
  options.value = "v";
  ASSERT_TRUE(keys.Set(options).ok());
  const Broker::Totals totals = broker.totals();
  EXPECT_EQ(totals.keys, 1u);
  EXPECT_EQ(totals.watchers, 1u);
  EXPECT_EQ(totals.waiting_gets, 1u);
  EXPECT_GT(totals.retained_bytes, 0u);
  broker.StartDrain();
  EXPECT_TRUE(broker.is_drained()) << "keys keep nobody waiting";
  KeyAnswer answer;
  ASSERT_TRUE(keys.TakeAnswer(ticket, answer));
  EXPECT_EQ(answer.outcome, Outcome::kClosed);
  EXPECT_TRUE(keys.Take(watcher, kDeliveryBytesMax).point.has_value());
  EXPECT_EQ(keys.Take(watcher, kDeliveryBytesMax).ended, ClosedReason::kShuttingDown);
  broker.FinishDrain();
  keys.Unwatch(watcher);
}

}  // namespace
}  // namespace sluice::broker
