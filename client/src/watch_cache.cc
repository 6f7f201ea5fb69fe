// SPDX-License-Identifier: Apache-2.0
#include "watch_cache.h"

#include <utility>

namespace sluice {
inline namespace abi1 {

std::optional<WatchCache::Resume> WatchCache::Begin() {
  if (!resume_) Reset();
  return resume_;
}

void WatchCache::Reset() {
  resume_.reset();
  is_in_snapshot_ = true;
  ++snapshot_;
}

bool WatchCache::Put(ConfigEntry entry) {
  if (resume_) resume_->revision = entry.revision;
  auto latest = std::make_shared<const ConfigEntry>(std::move(entry));
  if (latest->deleted) {
    const auto at = slots_.find(latest->key);
    if (at == slots_.end() || at->second.latest->deleted) return false;
    Delete(at, std::move(latest));
    return true;
  }
  Slot& slot = slots_[latest->key];
  slot.seen_in = snapshot_;
  const bool was_there = slot.latest != nullptr && !slot.latest->deleted;
  const bool is_same = was_there && slot.latest->at == latest->at;
  if (!was_there) ++present_;
  slot.latest = std::move(latest);
  if (is_same) return false;  // A snapshot names again what was known.
  MoveToEnd(slot.latest->key, slot);
  return true;
}

bool WatchCache::EndSnapshot(Resume at) {
  bool has_deleted = false;
  if (std::exchange(is_in_snapshot_, false)) {
    for (auto next = slots_.begin(); next != slots_.end();) {
      const auto slot = next++;
      const Latest& latest = slot->second.latest;
      if (latest->deleted || slot->second.seen_in == snapshot_) continue;
      ConfigEntry gone;
      gone.key = latest->key;
      gone.at = latest->at;
      gone.deleted = true;
      Delete(slot, std::make_shared<const ConfigEntry>(std::move(gone)));
      has_deleted = true;
    }
  }
  is_complete_ = true;
  resume_ = at;
  return has_deleted;
}

WatchCache::Latest WatchCache::Find(const std::string& key) const {
  const auto at = slots_.find(key);
  return at == slots_.end() || at->second.latest->deleted ? nullptr : at->second.latest;
}

WatchCache::Latest WatchCache::TakeChange() {
  const auto first = untold_.begin();
  const auto at = slots_.find(first->second);
  untold_.erase(first);
  Slot& slot = at->second;
  slot.place = 0;
  slot.is_told = true;
  Latest told = slot.latest;
  if (told->deleted) slots_.erase(at);
  return told;
}

void WatchCache::Delete(Slots::iterator at, Latest tombstone) {
  Slot& slot = at->second;
  --present_;
  if (slot.is_told) {
    slot.latest = std::move(tombstone);
    MoveToEnd(at->first, slot);
  } else {
    untold_.erase(slot.place);
    slots_.erase(at);
  }
}

void WatchCache::MoveToEnd(const std::string& key, Slot& slot) {
  if (slot.place != 0) untold_.erase(slot.place);
  slot.place = ++last_place_;
  untold_.emplace(slot.place, key);
}

}  // namespace abi1
}  // namespace sluice
