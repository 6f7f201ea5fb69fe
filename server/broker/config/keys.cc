// SPDX-License-Identifier: Apache-2.0
// Setting, deleting and reading keys.
#include <utility>

#include "broker/config/core.h"
#include "broker/limits.h"
#include "broker/name.h"
#include "broker/refusals.h"

namespace sluice::broker {
namespace {

KeyVersion VersionOf(const KeyRecord* record) {
  if (record == nullptr) return KeyVersion();
  return {record->entry->epoch, record->entry->version};
}

}  // namespace

Result<KeyAnswer> Config::Set(SetOptions options) {
  if (Status status = CheckSet(options); !status.ok()) return status;
  auto fresh = std::make_shared<KeyEntry>();
  fresh->key = options.key;
  fresh->value = std::move(options.value);
  fresh->content_type = std::move(options.content_type);
  fresh->ephemeral = !options.session_id.empty();
  ChannelSpace& space = core_->space;
  for (const bool may_make_room : {true, false}) {
    KeyAnswer answer;
    if (Turn(*this).Set(options, fresh, answer)) return answer;
    if (may_make_room) space.make_room();
  }
  return TooManyChannels(space.limits.channels_max);
}

bool Config::Turn::Set(const SetOptions& options, std::shared_ptr<KeyEntry>& fresh,
                       KeyAnswer& answer) {
  const KeyRecord* existing = core_.Find(options.key);
  answer.watchers = core_.Watching(options.key);
  if (options.expect.has_value() && *options.expect != VersionOf(existing)) {
    ++core_.counts.set_conflicts;
    answer.outcome = Outcome::kConflict;
    if (existing != nullptr) answer.entry = existing->entry;
    return true;
  }
  if (options.require_watchers && answer.watchers == 0) {
    ++core_.counts.set_unwatched;
    answer.outcome = Outcome::kNoSubscribers;
    return true;
  }
  if (!HasMemory(existing, *fresh)) {
    ++core_.refused_memory;
    core_.space.memory.CountRefused(1);
    answer.outcome = Outcome::kFull;
    answer.full_reason = FullReason::kServerMemory;
    return true;
  }
  fresh->epoch = existing != nullptr ? existing->entry->epoch : core_.next_epoch;
  fresh->version = existing != nullptr ? existing->entry->version + 1 : 1;
  KeyRecord* record = Place(options.key);
  if (record == nullptr) return false;
  if (existing == nullptr) {
    ++core_.next_epoch;
    ++core_.counts.keys_created;
  }
  ++core_.counts.sets;
  TieTo(*record, options.session_id);
  Store(*record, fresh);
  answer.outcome = Outcome::kOk;
  answer.entry = std::move(fresh);
  return true;
}

// What replaces as much as it takes is always stored.
bool Config::Turn::HasMemory(const KeyRecord* existing, const KeyEntry& fresh) const {
  const std::uint64_t before = existing == nullptr ? 0 : EntryBytes(*existing->entry, true);
  const std::uint64_t after = EntryBytes(fresh, true);
  return after <= before || after - before <= core_.space.memory.free_to_all();
}

// The record of a key that is to be there; one that is remembered comes back. Nullptr: no place.
KeyRecord* Config::Turn::Place(const std::string& key) {
  if (const auto it = core_.live.find(key); it != core_.live.end()) return &it->second;
  if (!core_.space.TakePlace()) return nullptr;
  const auto tombstone = core_.gone.find(key);
  if (tombstone == core_.gone.end()) return &core_.live.try_emplace(key).first->second;
  core_.tombstones.Erase(tombstone->second);
  return &core_.live.insert(core_.gone.extract(tombstone)).position->second;
}

void Config::Turn::TieTo(KeyRecord& record, const std::string& session_id) {
  if (record.session_id == session_id) return;
  if (!record.session_id.empty()) {
    const auto former = core_.sessions.find(record.session_id);
    former->second.Erase(record);
    if (former->second.empty()) core_.sessions.erase(former);
    --core_.ephemeral_keys;
  }
  record.session_id = session_id;
  if (session_id.empty()) return;
  core_.sessions[session_id].PushBack(record);
  ++core_.ephemeral_keys;
}

// The record moves to the end of all changes, and who is concerned is told.
void Config::Turn::Store(KeyRecord& record, std::shared_ptr<KeyEntry> fresh) {
  fresh->revision = ++core_.revision;
  const KeyEntry* replaced = nullptr;
  fresh->changed_unix_us = core_.space.clock.UnixMicros();
  core_.bytes += EntryBytes(*fresh, true);
  if (record.entry != nullptr) {
    auto place = core_.changes.extract(record.entry->revision);
    place.key() = fresh->revision;
    core_.changes.insert(core_.changes.end(), std::move(place));
    core_.bytes -= EntryBytes(*record.entry, true);
    replaced = record.entry.get();
    replaced_.push_back(std::move(record.entry));
  } else {
    core_.changes.emplace_hint(core_.changes.end(), fresh->revision, &record);
  }
  record.entry = std::move(fresh);
  AnswerWaits(*record.entry);
  Announce(*record.entry, replaced);
}

Result<KeyAnswer> Config::Delete(const std::string& key, const std::optional<KeyVersion>& expect) {
  if (Status status = CheckDelete(key, expect); !status.ok()) return status;
  Turn turn(*this);
  Core& core = turn.core();
  KeyAnswer answer;
  answer.watchers = core.Watching(key);
  const auto it = core.live.find(key);
  if (it == core.live.end()) {
    ++core.counts.delete_absent;
    answer.outcome = Outcome::kAbsent;
    return answer;
  }
  KeyRecord& record = it->second;
  answer.outcome = Outcome::kConflict;
  if (!expect.has_value() || *expect == VersionOf(&record)) {
    answer.outcome = Outcome::kOk;
    turn.Delete(record);
    ++core.counts.deletes;
  } else {
    ++core.counts.delete_conflicts;
  }
  answer.entry = record.entry;
  return answer;
}

// N37: its place in the keys becomes one in the tombstones.
void Config::Turn::Delete(KeyRecord& record) {
  auto tombstone = std::make_shared<KeyEntry>();
  tombstone->key = record.entry->key;
  tombstone->version = record.entry->version + 1;
  tombstone->epoch = record.entry->epoch;
  tombstone->deleted = true;
  TieTo(record, std::string());
  ++core_.counts.keys_deleted;
  core_.gone.insert(core_.live.extract(tombstone->key));
  core_.space.GivePlaces(1);
  core_.tombstones.PushBack(record);
  Store(record, std::move(tombstone));
  if (core_.tombstones.size() > kTombstonesMax) ForgetOldest();
}

void Config::Turn::ForgetOldest() {
  KeyRecord& oldest = *core_.tombstones.PopFront();
  const EntryPtr entry = oldest.entry;
  replaced_.push_back(entry);
  core_.forgotten = entry->revision;
  core_.interests.VisitWatchers(entry->key, [&](Watcher& watcher) {
    const bool is_told = watcher.is_clean_ || watcher.cursor_ >= entry->revision;
    // (Who has something to be told has been called already.)
    if (is_told || !IsOwed(watcher, *entry)) return;
    if (watcher.end_ == ClosedReason::kUnspecified) ++core_.counts.evicted;
    watcher.end_ = ClosedReason::kLimit;
  });
  core_.bytes -= EntryBytes(*entry, true);
  core_.changes.erase(entry->revision);
  core_.gone.erase(entry->key);
}

Result<KeyAnswer> Config::Get(const std::string& key) const {
  if (Status status = CheckName("key", key); !status.ok()) return status;
  const Core& core = *core_;
  MutexLock lock(core.mutex);
  const KeyRecord* record = core.Find(key);
  KeyAnswer answer;
  answer.outcome = record != nullptr ? Outcome::kOk : Outcome::kAbsent;
  if (record != nullptr) answer.entry = record->entry;
  answer.watchers = core.Watching(key);
  return answer;
}

KeyPage Config::List(const std::string& prefix, const std::string& after, std::size_t count,
                     std::uint64_t bytes_max, bool with_values) const {
  const Core& core = *core_;
  KeyPage page;
  std::uint64_t bytes = 0;
  MutexLock lock(core.mutex);
  auto it = after < prefix ? core.live.lower_bound(prefix) : core.live.upper_bound(after);
  for (; it != core.live.end() && it->first.starts_with(prefix); ++it) {
    bytes += EntryBytes(*it->second.entry, with_values);
    page.has_more = page.entries.size() == count || (bytes > bytes_max && !page.entries.empty());
    if (page.has_more) return page;
    page.entries.push_back(it->second.entry);
  }
  return page;
}

}  // namespace sluice::broker
