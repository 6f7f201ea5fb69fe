// SPDX-License-Identifier: Apache-2.0
// What a watcher knows: the latest of every selected key, which of it nobody was told yet, and the
// point to resume from. Pure memory; its owner's lock guards it.
//
// Changes    One for each key at most, the latest, in the order in which the keys changed last. A
//            key that came and went between two looks is not told at all, so that what waits is
//            bounded by the keys that are there and those that were told.
// Snapshots  A stream without a point to resume from begins with one, and so does a reset. What it
//            does not name is gone when it is complete, and told as deleted, with the last version
//            known and revision 0: when it went, and under which version, nobody says any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sluice/config.h"

namespace sluice {
inline namespace abi1 {

class WatchCache {
 public:
  using Latest = std::shared_ptr<const ConfigEntry>;

  // Of Watch: from where a new stream goes on.
  struct Resume {
    std::uint64_t service_epoch = 0;
    std::uint64_t revision = 0;
  };

  // A stream begins: with a snapshot, unless it can resume.
  std::optional<Resume> Begin();
  void Reset();
  // Whether the latest of its key is another now.
  bool Put(ConfigEntry entry);
  // Whether any key went.
  bool EndSnapshot(Resume at);

  // Null: there is no such key, as far as is known.
  Latest Find(const std::string& key) const;
  std::size_t size() const { return present_; }
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const auto& [key, slot] : slots_) {
      if (!slot.latest->deleted) visit(slot.latest);
    }
  }

  bool has_change() const { return !untold_.empty(); }
  // The oldest change, told. Requires: has_change().
  Latest TakeChange();

  // Once complete, what there was at some moment is never forgotten again, only replaced.
  bool is_complete() const { return is_complete_; }
  const std::optional<Resume>& resume() const { return resume_; }

 private:
  struct Slot {
    Latest latest;              // A tombstone only while it is untold.
    bool is_told = false;       // Somebody was told that the key is there.
    std::uint64_t place = 0;    // In untold_; 0: not there.
    std::uint64_t seen_in = 0;  // The snapshot that named it last.
  };
  using Slots = std::map<std::string, Slot, std::less<>>;

  void Delete(Slots::iterator at, Latest tombstone);
  void MoveToEnd(const std::string& key, Slot& slot);

  Slots slots_;
  std::map<std::uint64_t, std::string> untold_;
  std::uint64_t last_place_ = 0;
  std::uint64_t snapshot_ = 0;  // Its number.
  std::size_t present_ = 0;
  bool is_in_snapshot_ = false;
  bool is_complete_ = false;
  std::optional<Resume> resume_;
};

}  // namespace abi1
}  // namespace sluice
