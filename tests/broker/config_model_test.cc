// SPDX-License-Identifier: Apache-2.0
// Random operations on a few keys, and watchers of every speed: no state goes back, what is told is
// what was there, every point is one to resume from, and in the end everybody knows the newest.
#include <deque>
#include <random>

#include "tests/broker/config_fixture.h"
#include "tests/support/seed.h"

namespace sluice::broker {
namespace {

struct RandomWatcher {
  explicit RandomWatcher(Config& config) : follower(config) {}
  Follower follower;
  WatchOptions options;
  bool was_complete = false;
  int told_before = 0;
  bool asked_in_vain = false;
};

class ConfigModel : public ConfigFixture {
 public:
  void TestBody() override {}
  void Run(std::uint64_t seed);

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }
  std::string PickKey() { return kKeys[Pick(kKeys.size())]; }
  std::string PickSession() {
    return std::string(kSessionIdBytes, static_cast<char>('A' + Pick(2)));
  }

  // One change as it must have happened: the model has the latest of each key.
  void Happened(const KeyAnswer& answer) {
    const KeyEntry& entry = *answer.entry;
    EXPECT_EQ(entry.revision, history_.size() + 1);
    const EntryPtr& before = latest_[entry.key];
    const bool is_new = before == nullptr || before->deleted;
    EXPECT_EQ(entry.version, is_new ? 1 : before->version + 1);
    EXPECT_TRUE(before == nullptr || is_new == (before->epoch != entry.epoch));
    latest_[entry.key] = answer.entry;
    history_.push_back(answer.entry);
  }
  void SetSome() {
    SetOptions options;
    options.key = PickKey();
    options.value = std::to_string(history_.size());
    if (Pick(4) == 0) options.session_id = PickSession();
    const EntryPtr before = latest_[options.key];
    const bool is_there = before != nullptr && !before->deleted;
    const KeyVersion now = is_there ? KeyVersion{before->epoch, before->version} : KeyVersion();
    bool agrees = true;
    if (Pick(3) == 0) {
      options.expect = Pick(2) == 0 ? now : KeyVersion{now.epoch + 1, now.version + 1};
      agrees = *options.expect == now;
    }
    const KeyAnswer answer = Set(options);
    ASSERT_EQ(answer.outcome, agrees ? Outcome::kOk : Outcome::kConflict);
    if (!agrees) {
      EXPECT_EQ(answer.entry, is_there ? before : nullptr);
      return;
    }
    EXPECT_EQ(answer.entry->ephemeral, !options.session_id.empty());
    sessions_[options.key] = options.session_id;
    Happened(answer);
  }
  void DeleteSome() {
    const std::string key = PickKey();
    const EntryPtr before = latest_[key];
    const KeyAnswer answer = Delete(key);
    const bool is_there = before != nullptr && !before->deleted;
    ASSERT_EQ(answer.outcome, is_there ? Outcome::kOk : Outcome::kAbsent);
    if (!is_there) return;
    EXPECT_EQ(answer.entry->epoch, before->epoch);
    HappenedTombstone(answer.entry);
  }
  void HappenedTombstone(const EntryPtr& tombstone) {
    EXPECT_TRUE(tombstone->deleted);
    EXPECT_EQ(tombstone->version, latest_[tombstone->key]->version + 1);
    EXPECT_EQ(tombstone->revision, history_.size() + 1);
    latest_[tombstone->key] = tombstone;
    history_.push_back(tombstone);
    sessions_[tombstone->key].clear();
  }
  // Its tombstones are read back by one who resumes from just before.
  void EndSomeSession() {
    const std::string session = PickSession();
    Follower reader(*config);
    const std::uint64_t before = config->Describe().revision;
    config->SessionEnded(session);
    reader.Watch(Watching({}, {""}, WatchPoint{config->service_epoch(), before}));
    reader.TakeAll();
    std::set<std::string> expected, ended;
    for (const auto& [key, owner] : sessions_) {
      if (owner == session && !latest_[key]->deleted) expected.insert(key);
    }
    for (const EntryPtr& entry : reader.entries) ended.insert(entry->key);
    EXPECT_EQ(ended, expected);
    for (const EntryPtr& entry : reader.entries) HappenedTombstone(entry);
  }

  void Begin(RandomWatcher& one) {
    one.options = WatchOptions();
    const std::size_t count = 1 + Pick(3);
    for (std::size_t i = 0; i < count; ++i) {
      if (Pick(2) == 0) {
        one.options.keys.push_back(PickKey());
      } else {
        one.options.prefixes.push_back(kPrefixes[Pick(kPrefixes.size())]);
      }
    }
    one.follower.Watch(one.options);
    one.was_complete = one.asked_in_vain = false;
  }
  void Resume(RandomWatcher& one) {
    if (!one.follower.point) return Begin(one);
    one.options.resume = one.follower.point;
    const bool is_unknown = Pick(8) == 0;
    if (is_unknown) ++one.options.resume->service_epoch;
    one.follower.was_reset = false;
    one.follower.Watch(one.options);
    one.was_complete = one.asked_in_vain = false;
    if (!is_unknown) return;
    one.follower.TakeFrame(Pick(200));
    EXPECT_TRUE(one.follower.was_reset);
    Check(one);
  }
  void TakeSome(RandomWatcher& one) {
    const bool came = one.follower.TakeFrame(Pick(3) == 0 ? kDeliveryBytesMax : Pick(400));
    one.asked_in_vain = !came;
    one.told_before = one.follower.told->count;
    Check(one);
    if (!came) ExpectNewest(one);
  }

  bool Covers(const RandomWatcher& one, const std::string& name) const {
    for (const std::string& key : one.options.keys) {
      if (key == name) return true;
    }
    for (const std::string& prefix : one.options.prefixes) {
      if (name.starts_with(prefix)) return true;
    }
    return false;
  }
  // At a point: what has not changed since is known exactly; what is there since before it is
  // known, in this life of it (unless it resumed, and the change is still to come).
  void Check(RandomWatcher& one) {
    const Follower& follower = one.follower;
    for (const EntryPtr& entry : follower.entries) {
      ASSERT_TRUE(Covers(one, entry->key)) << entry->key;
      ASSERT_EQ(entry, history_.at(entry->revision - 1)) << "what is told is what was there";
    }
    if (!follower.is_complete || one.was_complete) return;
    one.was_complete = true;
    for (const auto& [key, now] : latest_) {
      if (now == nullptr || !Covers(one, key)) continue;
      const auto known = follower.state.find(key);
      if (now->revision <= follower.point->revision) {
        ASSERT_EQ(known == follower.state.end(), now->deleted) << key;
        if (!now->deleted) {
          ASSERT_EQ(known->second, now);
        }
      }
      const bool is_told_as_it_was = !one.options.resume || follower.was_reset;
      if (now->deleted || !is_told_as_it_was) continue;
      const std::uint64_t born = BornAt(*now);
      if (born > follower.point->revision) continue;
      ASSERT_NE(known, follower.state.end()) << key << " was there all the time";
      ASSERT_EQ(known->second->epoch, now->epoch);
    }
  }
  std::uint64_t BornAt(const KeyEntry& entry) const {
    for (const EntryPtr& past : history_) {
      if (past->epoch == entry.epoch) return past->revision;
    }
    return 0;
  }
  // Nothing is left to tell: the state is that of a full snapshot.
  void ExpectNewest(RandomWatcher& one) {
    Values expected;
    for (const auto& [key, now] : latest_) {
      if (now != nullptr && !now->deleted && Covers(one, key)) expected[key] = now->value;
    }
    ASSERT_EQ(one.follower.values(), expected);
  }
  // G8: who asked in vain was told, if there is something for it now.
  void ExpectNobodyForgotten() {
    for (RandomWatcher& one : watchers_) {
      if (!one.asked_in_vain || one.follower.told->count > one.told_before) continue;
      ExpectNewest(one);
    }
  }
  void Step();

  const std::vector<std::string> kKeys = {"a", "a.1", "a.2", "a.b.1", "b", "b.1", "c", "c.1"};
  const std::vector<std::string> kPrefixes = {"", "a", "a.", "a.b", "b", "c.", "x"};
  std::mt19937_64 random_;
  std::map<std::string, EntryPtr> latest_;
  std::map<std::string, std::string> sessions_;
  std::vector<EntryPtr> history_;  // by revision, from 1
  std::deque<RandomWatcher> watchers_;
};

void ConfigModel::Step() {
  RandomWatcher& one = watchers_[Pick(watchers_.size())];
  const std::size_t choice = Pick(100);
  if (choice < 45) {
    SetSome();
  } else if (choice < 57) {
    DeleteSome();
  } else if (choice < 60) {
    EndSomeSession();
  } else if (choice < 90) {
    TakeSome(one);
  } else if (choice < 96) {
    Resume(one);
  } else {
    Begin(one);
  }
  ExpectNobodyForgotten();
}

void ConfigModel::Run(std::uint64_t seed) {
  random_.seed(seed);
  for (int i = 0; i < 4; ++i) Begin(watchers_.emplace_back(*config));
  for (int step = 0; step < 300 && !HasFailure(); ++step) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " step " + std::to_string(step));
    Step();
  }
  for (RandomWatcher& one : watchers_) {
    one.follower.TakeAll(Pick(200));
    Check(one);
    ExpectNewest(one);
  }
}

// Clauses: N34 N35 N36 N37 N38 N40 W7 G2 G8
TEST(ConfigRandom, WatchersOfEverySpeedEndAtTheNewest) {
#if defined(__SANITIZE_THREAD__)
  constexpr std::uint64_t kRuns = 170;
#else
  constexpr std::uint64_t kRuns = 500;
#endif
  const std::uint64_t seed = testing::Seed("ConfigRandom");
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    ConfigModel one;
    one.Run(seed + run);
    if (::testing::Test::HasFailure()) {
      FAIL() << "SLUICE_SEED=" << seed + run << " begins with the failing run";
    }
  }
}

}  // namespace
}  // namespace sluice::broker
