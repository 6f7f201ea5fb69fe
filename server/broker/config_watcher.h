// SPDX-License-Identifier: Apache-2.0
// Those who follow config keys, as their callers hold them: a watch stream, and a get that waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "broker/config_entry.h"
#include "broker/notifier.h"
#include "broker/outcome.h"

namespace sluice::broker {

class Watcher;

// One name, or all names that begin so; of one watcher.
struct Selector : ListNode {
  Selector(std::string given, bool prefix, Watcher* owner)
      : text(std::move(given)), is_prefix(prefix), watcher(owner) {}
  bool Covers(std::string_view name) const {
    return is_prefix ? name.starts_with(text) : name == text;
  }

  const std::string text;
  const bool is_prefix;
  Watcher* const watcher;
};

// The selectors of one watcher in order of their texts, each name covered by at most one: what a
// prefix covers anyway is left out.
class Selection {
 public:
  void Fill(const std::vector<std::string>& keys, const std::vector<std::string>& prefixes,
            Watcher* owner);
  bool Covers(std::string_view name) const;  // O(log n)
  std::deque<Selector>& selectors() noexcept { return selectors_; }
  const std::deque<Selector>& selectors() const noexcept { return selectors_; }

 private:
  std::deque<Selector> selectors_;
};

struct WatchOptions {
  std::vector<std::string> keys;
  std::vector<std::string> prefixes;
  std::optional<WatchPoint> resume;
};

// A stream that watches. Pinned; made by its owner, given to Config::Watch, and left by
// Config::Unwatch before it is destroyed. Guarded by the lock of Config.
//
// It holds no entry: only how far it is. In the snapshot that is a name; after it, a revision, and
// everything behind that is found in the keys themselves. A watcher with nothing owed is `clean`,
// and its revision moves with the first change that concerns it, so that what does not concern it
// is not walked.
class Watcher : public ListNode {
 public:
  Watcher() = default;

 private:
  friend class Config;
  // kNew --Watch--> kNames or kCatchUp -> kPoint -> kChanges; any --Unwatch--> kNew.
  enum class Phase : std::uint8_t {
    kNew,
    kNames,    // the snapshot, by name
    kCatchUp,  // resumed: what changed up to target_
    kPoint,    // end of snapshot is to be told
    kChanges,
  };
  // Names before this one (and not before the one of the mark in front) were read at `revision`.
  struct Mark {
    std::string before;
    std::uint64_t revision = 0;
  };

  Selection selection_;
  NotifierPtr notifier_;
  Phase phase_ = Phase::kNew;
  bool is_reset_owed_ = false;
  bool is_clean_ = true;      // every change that concerns it has been told
  bool wants_ = false;        // asked, got nothing: to be told of what comes
  std::uint64_t cursor_ = 0;  // unless clean: every change up to this one has been told
  std::uint64_t target_ = 0;  // kCatchUp
  std::size_t selector_ = 0;  // kNames: the one that is walked
  std::string next_name_;     // kNames: names before it are walked
  std::vector<Mark> marks_;   // of the snapshot, for changes that came while it was walked
  ClosedReason end_ = ClosedReason::kUnspecified;
};

// What a watcher has to tell, one frame: reset and entries, or point, or ended; or nothing.
struct WatchNews {
  bool reset = false;  // what it resumed from is not known; comes before the entries
  std::vector<EntryPtr> entries;
  std::uint64_t bytes = 0;          // of the entries, as EntryBytes has it
  std::optional<WatchPoint> point;  // the snapshot, or the catching up, is complete
  ClosedReason ended = ClosedReason::kUnspecified;

  bool empty() const { return !reset && entries.empty(); }
};

// A get that may wait. Pinned; made by its owner, given to Config::Wait, and not destroyed before
// it is done or cancelled. Guarded by the lock of Config.
class GetTicket : public ListNode {
 public:
  GetTicket() = default;

 private:
  friend class Config;
  std::string key_;
  KeyCondition condition_;
  NotifierPtr notifier_;
  bool is_done_ = true;
  KeyAnswer answer_;
  std::multimap<TimePoint, GetTicket*>::iterator due_;  // while it waits
};

}  // namespace sluice::broker
