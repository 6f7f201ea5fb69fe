// SPDX-License-Identifier: Apache-2.0
// Config keys under a clock that stands still, and a watcher that does what a client does and
// checks what every client may rely on (N34).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/config.h"
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {

inline WatchOptions Watching(std::vector<std::string> keys, std::vector<std::string> prefixes = {},
                             std::optional<WatchPoint> resume = std::nullopt) {
  return {.keys = std::move(keys), .prefixes = std::move(prefixes), .resume = resume};
}

// One watch stream after the other of one client, which keeps its state between them.
struct Follower {
  explicit Follower(Config& the_config) : config(the_config) {}
  ~Follower() { config.Unwatch(watcher); }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Begins a stream. With a point in the options the state before goes on.
  void Watch(const WatchOptions& options) {
    config.Unwatch(watcher);
    if (!options.resume) state.clear();
    point = options.resume;
    may_reset = options.resume.has_value();
    is_rising = may_reset;
    is_complete = false;
    last = point ? point->revision : 0;
    told_now.clear();
    entries.clear();
    ended = ClosedReason::kUnspecified;
    ASSERT_TRUE(config.Watch(watcher, options, told).ok());
  }

  // True: something came.
  bool TakeFrame(std::uint64_t bytes_max = kDeliveryBytesMax) {
    const WatchNews news = config.Take(watcher, bytes_max);
    frame_entries = news.entries.size();
    EXPECT_TRUE(news.bytes <= bytes_max || news.entries.size() == 1);
    const bool has_end = news.ended != ClosedReason::kUnspecified;
    EXPECT_LE((news.empty() ? 0 : 1) + (news.point ? 1 : 0) + (has_end ? 1 : 0), 1)
        << "the end of the snapshot and the end stand alone";
    if (news.reset) {
      EXPECT_TRUE(may_reset) << "only on a resumed stream, in its first frame";
      was_reset = true;
      is_rising = false;
      state.clear();
      point.reset();
    }
    if (!news.empty() || news.point) may_reset = false;
    for (const EntryPtr& entry : news.entries) Learn(entry);
    if (news.point) {
      EXPECT_FALSE(is_complete) << "once";
      EXPECT_TRUE(!is_rising || news.point->revision >= last);
      is_complete = is_rising = true;
      point = news.point;
      last = point->revision;
    }
    if (has_end) ended = news.ended;
    return !news.empty() || news.point.has_value();
  }
  void TakeAll(std::uint64_t bytes_max = kDeliveryBytesMax) {
    while (TakeFrame(bytes_max)) {
    }
  }

  void Learn(const EntryPtr& entry) {
    EXPECT_TRUE(told_now.insert(entry->revision).second) << "twice on a stream: " << entry->key;
    if (is_rising) {
      EXPECT_GT(entry->revision, last) << entry->key;
      last = entry->revision;
      if (point) point->revision = entry->revision;
    }
    if (const auto known = state.find(entry->key); known != state.end()) {
      EXPECT_GE(entry->revision, known->second->revision) << "goes back: " << entry->key;
    }
    entries.push_back(entry);
    state.erase(entry->key);
    if (!entry->deleted) state.emplace(entry->key, entry);
  }

  // "key=value", or "key-" for a tombstone, in the order told.
  std::vector<std::string> texts() const {
    std::vector<std::string> list;
    for (const EntryPtr& entry : entries) {
      list.push_back(entry->key + (entry->deleted ? "-" : "=" + entry->value));
    }
    return list;
  }
  std::map<std::string, std::string> values() const {
    std::map<std::string, std::string> map;
    for (const auto& [key, entry] : state) map[key] = entry->value;
    return map;
  }

  Config& config;
  Watcher watcher;
  std::shared_ptr<CountingNotifier> told = std::make_shared<CountingNotifier>();
  std::map<std::string, EntryPtr> state;
  std::optional<WatchPoint> point;
  std::vector<EntryPtr> entries;  // of this stream, as they came
  std::set<std::uint64_t> told_now;
  std::uint64_t last = 0;
  std::size_t frame_entries = 0;
  bool may_reset = false;
  bool was_reset = false;
  bool is_rising = false;
  bool is_complete = false;
  ClosedReason ended = ClosedReason::kUnspecified;
};

// A get that may wait.
struct Getting {
  GetTicket ticket;
  std::shared_ptr<CountingNotifier> told = std::make_shared<CountingNotifier>();
  KeyAnswer answer;
};

class ConfigFixture : public ::testing::Test {
 protected:
  using Texts = std::vector<std::string>;
  using Values = std::map<std::string, std::string>;

  KeyAnswer Set(SetOptions options) {
    Result<KeyAnswer> answer = config->Set(std::move(options));
    EXPECT_TRUE(answer.ok()) << (answer.ok() ? "" : answer.error().message());
    return answer.ok() ? *answer : KeyAnswer();
  }
  KeyAnswer Set(const std::string& key, const std::string& value,
                std::optional<KeyVersion> expect = std::nullopt) {
    SetOptions options;
    options.key = key;
    options.value = value;
    options.expect = expect;
    return Set(options);
  }
  KeyAnswer SetFor(const std::string& session_id, const std::string& key) {
    SetOptions options;
    options.key = key;
    options.session_id = session_id;
    return Set(options);
  }
  KeyAnswer Delete(const std::string& key, std::optional<KeyVersion> expect = std::nullopt) {
    Result<KeyAnswer> answer = config->Delete(key, expect);
    EXPECT_TRUE(answer.ok());
    return answer.ok() ? *answer : KeyAnswer();
  }
  KeyAnswer Get(const std::string& key) {
    Result<KeyAnswer> answer = config->Get(key);
    EXPECT_TRUE(answer.ok());
    return answer.ok() ? *answer : KeyAnswer();
  }
  std::string ValueOf(const std::string& key) {
    const KeyAnswer answer = Get(key);
    return answer.entry == nullptr ? "(absent)" : answer.entry->value;
  }
  static KeyVersion VersionOf(const KeyAnswer& answer) {
    return {answer.entry->epoch, answer.entry->version};
  }
  // What a new watcher's snapshot would be.
  Values AllValues(const std::string& prefix = "") {
    Values values;
    for (const EntryPtr& entry : config->List(prefix, "", 1'000'000, ~0ull, true).entries) {
      values[entry->key] = entry->value;
    }
    return values;
  }

  void Wait(Getting& getting, const std::string& key, KeyCondition condition, Duration wait) {
    const TimePoint deadline = Later(clock.Now(), wait);
    ASSERT_TRUE(config->Wait(getting.ticket, key, condition, deadline, getting.told).ok());
  }
  bool Look(Getting& getting) { return config->TakeAnswer(getting.ticket, getting.answer); }

  void Pass(Duration duration) {
    clock.Advance(duration);
    timers.RunDue(clock.Now());
  }

  testing::ManualClock clock;
  Timers timers{nullptr};
  MemoryBudget memory{kNoMemoryLimit, timers};
  Limits limits;
  ChannelSpace space{.limits = limits,
                     .clock = clock,
                     .timers = timers,
                     .memory = memory,
                     .auto_declare = false,
                     .make_room = [this] { ++rooms_asked; }};
  int rooms_asked = 0;
  std::shared_ptr<Config> config = Config::Create(space);
};

}  // namespace sluice::broker
