// SPDX-License-Identifier: Apache-2.0
// What Config is, and one turn at it. Private to its own sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/mutex.h"
#include "broker/after.h"
#include "broker/config.h"
#include "broker/config/interests.h"

namespace sluice::broker {

// Keys looked at under one hold of the lock.
inline constexpr std::size_t kKeysAtOnce = 1'024;

// A key that is there, or is remembered.
struct KeyRecord : ListNode {  // in the list of its session, or in that of the tombstones
  EntryPtr entry;
  std::string session_id;
};

struct Config::Core {
  explicit Core(ChannelSpace& channel_space);
  ~Core();

  using Records = std::map<std::string, KeyRecord, std::less<>>;
  // Nullptr: there is no such key.
  const KeyRecord* Find(std::string_view key) const;
  std::uint32_t Watching(std::string_view key) const;
  TimePoint next_due() const;

  ChannelSpace& space;
  const std::uint64_t service_epoch;

  mutable Mutex mutex;
  // All below is guarded by mutex.
  Records live;
  Records gone;
  IntrusiveList<KeyRecord> tombstones;          // the records of `gone`, by revision
  std::map<std::uint64_t, KeyRecord*> changes;  // all records by the revision of their entry
  std::unordered_map<std::string, IntrusiveList<KeyRecord>> sessions;  // ephemeral keys
  std::size_t ephemeral_keys = 0;
  Interests interests;
  IntrusiveList<Watcher> watchers;
  std::multimap<TimePoint, GetTicket*> dues;  // all that wait
  std::uint64_t revision = 0;                 // the last
  std::uint64_t forgotten = 0;                // of the last tombstone that is not remembered
  std::uint64_t next_epoch;
  RetainedBytes bytes;
  std::uint64_t refused_memory = 0;
  ConfigCounts counts;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  TimePoint scheduled = kNever;  // the timers know of
};

// One operation: holds the lock; then unlocks; then tells, and lets go.
class Config::Turn {
 public:
  explicit Turn(Config& config);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Core& core() noexcept { return core_; }
  After& after() noexcept { return after_; }

  // --- keys (keys.cc) ---
  // False: a new key has no place. `fresh` has everything but its numbers, and may be kFull.
  bool Set(const SetOptions& options, std::shared_ptr<KeyEntry>& fresh, KeyAnswer& answer);
  // Requires: it is there.
  void Delete(KeyRecord& record);

  // --- waiting (wait.cc) ---
  void Answer(GetTicket& ticket, Outcome outcome);
  void Leave(GetTicket& ticket);
  void EndWait(GetTicket& ticket, Outcome outcome);
  void AnswerWaits(const KeyEntry& entry);
  void WaitsTimeOut(TimePoint now);
  void EndAllWaits();

  // --- watching (watch.cc) ---
  // Who is concerned has something to look at. `replaced`: what the key was; nullptr: nothing.
  void Announce(const KeyEntry& entry, const KeyEntry* replaced);
  void Begin(Watcher& watcher, const std::optional<WatchPoint>& resume);
  // True: `news` is complete. False: there may be more, after a pause of the lock.
  bool Advance(Watcher& watcher, std::uint64_t bytes_max, WatchNews& news);

 private:
  // How a walk over keys ended: there was no more, the frame is full, or kKeysAtOnce were seen.
  enum class Walked : std::uint8_t { kAll, kFull, kPause };

  bool HasMemory(const KeyRecord* existing, const KeyEntry& fresh) const;
  KeyRecord* Place(const std::string& key);
  void Store(KeyRecord& record, std::shared_ptr<KeyEntry> fresh);
  void TieTo(KeyRecord& record, const std::string& session_id);
  void ForgetOldest();

  static bool IsOwed(const Watcher& watcher, const KeyEntry& entry);
  static bool IsToldAlready(const Watcher& watcher, const KeyEntry& entry);
  bool Add(const EntryPtr& entry, std::uint64_t bytes_max, WatchNews& news);
  Walked WalkNames(Watcher& watcher, std::uint64_t bytes_max, WatchNews& news);
  Walked WalkChanges(Watcher& watcher, std::uint64_t bytes_max, WatchNews& news);
  void MarkWalked(Watcher& watcher);

  Config& config_;
  Core& core_;
  // Both are done without the lock: declared before it, so destroyed after it.
  After after_;
  std::vector<EntryPtr> replaced_;
  MutexLock lock_;
};

}  // namespace sluice::broker
