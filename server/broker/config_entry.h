// SPDX-License-Identifier: Apache-2.0
// Config keys as their callers see them: one key at one moment, and what is asked of it and
// answered.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "broker/outcome.h"

namespace sluice::broker {

// A version in one life of a key. {0, 0}: none.
struct KeyVersion {
  std::uint64_t epoch = 0;
  std::uint64_t version = 0;
  friend bool operator==(const KeyVersion&, const KeyVersion&) = default;
};

// One key at one moment. Immutable once it is stored, and shared by everybody who reads it.
struct KeyEntry {
  std::string key;
  std::string value;  // empty in a tombstone
  std::string content_type;
  std::uint64_t version = 0;   // of this change, in the key's life: the first set has 1
  std::uint64_t epoch = 0;     // the key's life
  std::uint64_t revision = 0;  // of this change, among those of all keys
  std::uint64_t changed_unix_us = 0;
  bool deleted = false;    // a tombstone
  bool ephemeral = false;  // tied to a session
};
using EntryPtr = std::shared_ptr<const KeyEntry>;

// The most that an entry takes in a frame, its tag and length included.
std::uint64_t EntryBytes(const KeyEntry& entry, bool with_value);

struct SetOptions {
  std::string key;
  std::string value;
  std::string content_type;
  std::optional<KeyVersion> expect;  // only if the latest is this; {0, 0}: only if there is none
  bool require_watchers = false;     // only if somebody watches (W11)
  std::string session_id;            // not empty: ephemeral, tied to it (Sessions::Tie)
};

// What a wait is for (N39). An absent key fulfils none.
struct KeyCondition {
  enum class Kind : std::uint8_t { kExists, kVersionAbove, kEquals };
  Kind kind = Kind::kExists;
  KeyVersion above;    // kVersionAbove: a higher version in this life, or another life
  std::string equals;  // kEquals: these bytes

  bool Holds(const KeyEntry& entry) const;
};

struct KeyAnswer {
  Outcome outcome = Outcome::kUnspecified;
  EntryPtr entry;              // absent where there is none to tell of
  std::uint32_t watchers = 0;  // of the key, at that moment, waiting gets included
  ClosedReason reason = ClosedReason::kUnspecified;   // with kClosed
  FullReason full_reason = FullReason::kUnspecified;  // with kFull
};

struct KeyPage {
  std::vector<EntryPtr> entries;
  bool has_more = false;
};

// Where a watcher is: it knows every change up to `revision` of the life `service_epoch`.
struct WatchPoint {
  std::uint64_t service_epoch = 0;
  std::uint64_t revision = 0;
};

// Counted over the life of the daemon.
struct ConfigCounts {
  std::uint64_t sets = 0;           // stored
  std::uint64_t set_conflicts = 0;  // not at `expect`
  std::uint64_t set_unwatched = 0;  // nobody watched
  std::uint64_t deletes = 0;        // calls that deleted
  std::uint64_t delete_conflicts = 0;
  std::uint64_t delete_absent = 0;
  std::uint64_t keys_created = 0;
  std::uint64_t keys_deleted = 0;  // by call, or with their session
  std::uint64_t delivered = 0;     // entries given to watchers
  std::uint64_t coalesced = 0;     // changes that a watcher was owed, and that a later one replaced
  std::uint64_t evicted = 0;       // watchers that fell behind the tombstones
  std::uint64_t waits_ok = 0;      // gets that waited or would have, by how they ended
  std::uint64_t waits_timed_out = 0;
  std::uint64_t waits_closed = 0;
};

struct ConfigStats {
  std::uint64_t keys = 0;
  std::uint64_t ephemeral_keys = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t watchers = 0;      // streams
  std::uint64_t waiting_gets = 0;  // GetKey calls in wait
  std::uint64_t revision = 0;      // the last change
  std::uint64_t retained_bytes = 0;
  std::uint64_t refused_memory = 0;  // sets
  ConfigCounts counts;               // keys_created = keys_deleted + keys
};

// --- checks: INVALID_ARGUMENT, naming the field, and the limit and the value where it is a size
Status CheckSet(const SetOptions& options);
Status CheckDelete(std::string_view key, const std::optional<KeyVersion>& expect);
Status CheckCondition(const KeyCondition& condition);
// What a name may begin with; empty: every name does.
Status CheckPrefix(std::string_view field, std::string_view prefix);

}  // namespace sluice::broker
