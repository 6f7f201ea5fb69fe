// SPDX-License-Identifier: Apache-2.0
// Watchers: a snapshot by name, then what stands behind the watcher's revision (N34, N38).
#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "broker/config/core.h"
#include "broker/limits.h"
#include "broker/name.h"

namespace sluice::broker {
namespace {

// Behind every name.
constexpr const char* kBehindNames = "\x7F";

Status CheckSelectors(const WatchOptions& options) {
  const std::size_t count = options.keys.size() + options.prefixes.size();
  if (count == 0) return InvalidField("keys", "neither a key nor a prefix is named");
  if (count > kWatchSelectorsMax) {
    return OutOfBounds("keys", "the most keys and prefixes together", kWatchSelectorsMax, count);
  }
  for (std::size_t i = 0; i < options.keys.size(); ++i) {
    if (Status status = CheckName("keys", options.keys[i]); !status.ok()) {
      return std::move(status).With("index", std::to_string(i));
    }
  }
  for (std::size_t i = 0; i < options.prefixes.size(); ++i) {
    if (Status status = CheckPrefix("prefixes", options.prefixes[i]); !status.ok()) {
      return std::move(status).With("index", std::to_string(i));
    }
  }
  return Status();
}

}  // namespace

Status Config::Watch(Watcher& watcher, const WatchOptions& options, NotifierPtr notifier) {
  if (Status status = CheckSelectors(options); !status.ok()) return status;
  SLUICE_CHECK(watcher.phase_ == Watcher::Phase::kNew);
  watcher.selection_.Fill(options.keys, options.prefixes, &watcher);
  watcher.notifier_ = std::move(notifier);
  Turn(*this).Begin(watcher, options.resume);
  return Status();
}

void Config::Turn::Begin(Watcher& watcher, const std::optional<WatchPoint>& resume) {
  core_.watchers.PushBack(watcher);
  for (Selector& selector : watcher.selection_.selectors()) core_.interests.Add(selector);
  watcher.is_clean_ = true;
  watcher.wants_ = false;
  watcher.end_ = ClosedReason::kUnspecified;
  const bool is_known = resume.has_value() && resume->service_epoch == core_.service_epoch &&
                        resume->revision >= core_.forgotten && resume->revision <= core_.revision;
  watcher.is_reset_owed_ = resume.has_value() && !is_known;
  if (is_known) {
    watcher.phase_ = Watcher::Phase::kCatchUp;
    watcher.is_clean_ = false;
    watcher.cursor_ = resume->revision;
    watcher.target_ = core_.revision;
    return;
  }
  watcher.phase_ = Watcher::Phase::kNames;
  watcher.selector_ = 0;
  watcher.next_name_ = watcher.selection_.selectors().front().text;
}

void Config::Unwatch(Watcher& watcher) {
  Turn turn(*this);
  if (watcher.phase_ == Watcher::Phase::kNew) return;
  watcher.phase_ = Watcher::Phase::kNew;
  turn.core().watchers.Erase(watcher);
  for (Selector& selector : watcher.selection_.selectors()) {
    turn.core().interests.Remove(selector);
  }
  watcher.marks_.clear();
  turn.after().LetGo(std::move(watcher.notifier_));
}

WatchNews Config::Take(Watcher& watcher, std::uint64_t bytes_max) {
  WatchNews news;
  while (!Turn(*this).Advance(watcher, bytes_max, news)) {
  }
  return news;
}

bool Config::Turn::Advance(Watcher& watcher, std::uint64_t bytes_max, WatchNews& news) {
  using Phase = Watcher::Phase;
  watcher.wants_ = false;
  if (watcher.end_ != ClosedReason::kUnspecified) {
    if (news.empty()) news.ended = watcher.end_;
    return true;
  }
  if (std::exchange(watcher.is_reset_owed_, false)) news.reset = true;
  if (watcher.phase_ != Phase::kPoint) {
    const Walked walked = watcher.phase_ == Phase::kNames ? WalkNames(watcher, bytes_max, news)
                                                          : WalkChanges(watcher, bytes_max, news);
    if (walked == Walked::kPause) return false;
    if (walked == Walked::kAll && watcher.phase_ != Phase::kChanges) watcher.phase_ = Phase::kPoint;
    if (!news.empty()) return true;
  }
  if (watcher.phase_ == Phase::kPoint) {
    watcher.phase_ = Phase::kChanges;
    news.point = {core_.service_epoch, watcher.is_clean_ ? core_.revision : watcher.cursor_};
    return true;
  }
  news.ended = core_.closed_reason;
  watcher.wants_ = true;
  return true;
}

bool Config::Turn::Add(const EntryPtr& entry, std::uint64_t bytes_max, WatchNews& news) {
  const std::uint64_t bytes = EntryBytes(*entry, true);
  if (!news.entries.empty() && news.bytes + bytes > bytes_max) return false;
  news.bytes += bytes;
  news.entries.push_back(entry);
  ++core_.counts.delivered;
  return true;
}

// Each key as it is when it is met. What changes behind the walk is told after it, and what was met
// after its change is not told again: the marks tell.
Config::Turn::Walked Config::Turn::WalkNames(Watcher& watcher, std::uint64_t bytes_max,
                                             WatchNews& news) {
  const auto& selectors = watcher.selection_.selectors();
  std::size_t seen = 0;
  Walked walked = Walked::kAll;
  while (walked == Walked::kAll && watcher.selector_ < selectors.size()) {
    const Selector& selector = selectors[watcher.selector_];
    auto it = core_.live.lower_bound(watcher.next_name_);
    for (; it != core_.live.end() && selector.Covers(it->first); ++it) {
      if (++seen > kKeysAtOnce)
        walked = Walked::kPause;
      else if (!Add(it->second.entry, bytes_max, news))
        walked = Walked::kFull;
      if (walked != Walked::kAll) break;
    }
    if (walked != Walked::kAll) {
      watcher.next_name_ = it->first;
      break;
    }
    ++seen;
    ++watcher.selector_;
    watcher.next_name_ =
        watcher.selector_ < selectors.size() ? selectors[watcher.selector_].text : kBehindNames;
  }
  MarkWalked(watcher);
  return walked;
}

// A clean watcher needs one mark: whatever changes behind its walk from now on is newer than it.
void Config::Turn::MarkWalked(Watcher& watcher) {
  if (watcher.is_clean_) watcher.marks_.clear();
  if (!watcher.marks_.empty() && watcher.marks_.back().revision == core_.revision) {
    watcher.marks_.back().before = watcher.next_name_;
  } else {
    watcher.marks_.push_back({watcher.next_name_, core_.revision});
  }
}

bool Config::Turn::IsToldAlready(const Watcher& watcher, const KeyEntry& entry) {
  const auto mark = std::upper_bound(
      watcher.marks_.begin(), watcher.marks_.end(), entry.key,
      [](const std::string& key, const Watcher::Mark& other) { return key < other.before; });
  return mark != watcher.marks_.end() && entry.revision <= mark->revision;
}

// Whether the change is to be told in its order. What the snapshot has not come to is told there.
bool Config::Turn::IsOwed(const Watcher& watcher, const KeyEntry& entry) {
  if (watcher.phase_ == Watcher::Phase::kNames && entry.key >= watcher.next_name_) return false;
  return !IsToldAlready(watcher, entry);
}

Config::Turn::Walked Config::Turn::WalkChanges(Watcher& watcher, std::uint64_t bytes_max,
                                               WatchNews& news) {
  if (watcher.is_clean_) return Walked::kAll;
  const bool is_catching_up = watcher.phase_ == Watcher::Phase::kCatchUp;
  auto it = core_.changes.upper_bound(watcher.cursor_);
  for (std::size_t seen = 0; it != core_.changes.end(); ++it, ++seen) {
    if (is_catching_up && it->first > watcher.target_) {
      watcher.cursor_ = std::max(watcher.cursor_, watcher.target_);
      return Walked::kAll;
    }
    if (seen == kKeysAtOnce) return Walked::kPause;
    const EntryPtr& entry = it->second->entry;
    if (watcher.selection_.Covers(entry->key) && IsOwed(watcher, *entry) &&
        !Add(entry, bytes_max, news)) {
      return Walked::kFull;
    }
    watcher.cursor_ = it->first;
  }
  watcher.is_clean_ = true;
  watcher.marks_.clear();
  return Walked::kAll;
}

void Config::Turn::Announce(const KeyEntry& entry, const KeyEntry* replaced) {
  core_.interests.VisitWatchers(entry.key, [&](Watcher& watcher) {
    const bool is_skipped = !watcher.is_clean_ && replaced != nullptr &&
                            replaced->revision > watcher.cursor_ && IsOwed(watcher, *replaced);
    if (is_skipped) ++core_.counts.coalesced;
    if (!IsOwed(watcher, entry)) return;
    if (std::exchange(watcher.is_clean_, false)) watcher.cursor_ = entry.revision - 1;
    if (std::exchange(watcher.wants_, false)) after_.Tell(watcher.notifier_);
  });
}

}  // namespace sluice::broker
