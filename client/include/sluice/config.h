// SPDX-License-Identifier: Apache-2.0
/// Config keys in plain values: an entry, and what is asked of keys and answered.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/outcome.h"

namespace sluice {
inline namespace abi1 {

/// A version in one life of a key. A key that was deleted and set again has another epoch (N37).
struct KeyVersion {
  std::uint64_t epoch = 0;
  std::uint64_t version = 0;  ///< From 1 in each life.

  bool operator==(const KeyVersion&) const = default;
  /// {0, 0}: there is no such key.
  static KeyVersion Absent() { return {}; }
};

/// One key at one moment.
struct ConfigEntry {
  ConfigEntry() = default;

  std::string key;
  std::string value;  ///< Empty in a tombstone, and where no values were asked for.
  std::string content_type;
  KeyVersion at;
  std::uint64_t revision = 0;  ///< Of this change, among those of all keys.
  bool deleted = false;        ///< A tombstone: the key is gone.
  bool ephemeral = false;      ///< It ends with its session (N40).
  std::uint64_t changed_unix_us = 0;
};

struct SetKeyRequest {
  std::string key;
  std::string value;         ///< At most 1 MiB.
  std::string content_type;  ///< At most 255 bytes.
  /// Only if the latest is this one (N36); Absent(): only if there is no such key.
  std::optional<KeyVersion> expect;
  bool require_watchers = false;  ///< NO_SUBSCRIBERS, and nothing stored, if nobody watches.
  std::string session_id;         ///< The key is ephemeral from now on; empty: it stands by itself.
};

struct SetKeyReply {
  SetKeyReply() = default;

  bool ok() const { return outcome == Outcome::kOk; }

  Outcome outcome = Outcome::kUnspecified;  ///< OK, CONFLICT, NO_SUBSCRIBERS, FULL.
  /// OK: as stored, without the value. CONFLICT: what there is; nothing if there is no such key.
  std::optional<ConfigEntry> entry;
  std::uint32_t watchers = 0;
  FullReason full_reason = FullReason::kUnspecified;  ///< With FULL.
};

/// What GetKey waits for.
enum class KeyWait : std::uint8_t {
  kNone,          ///< Nothing: the latest, or ABSENT, at once.
  kExists,        ///< The key is there.
  kVersionAbove,  ///< It is there with a higher version, or in another life.
  kEquals,        ///< Its value has these bytes.
};

struct GetKeyRequest {
  std::string key;
  KeyWait wait_for = KeyWait::kNone;
  KeyVersion version_above;
  std::string equals;
  std::chrono::milliseconds wait{0};  ///< Then TIMED_OUT. 0: judged at once.
};

struct GetKeyReply {
  GetKeyReply() = default;

  bool ok() const { return outcome == Outcome::kOk; }

  Outcome outcome = Outcome::kUnspecified;  ///< OK, ABSENT, TIMED_OUT, CLOSED.
  std::optional<ConfigEntry> entry;         ///< Never a tombstone.
  std::uint32_t watchers = 0;
  ClosedReason reason = ClosedReason::kUnspecified;
};

struct DeleteKeyReply {
  DeleteKeyReply() = default;

  bool ok() const { return outcome == Outcome::kOk; }

  Outcome outcome = Outcome::kUnspecified;  ///< OK, ABSENT, CONFLICT.
  std::optional<ConfigEntry> entry;         ///< OK: the tombstone. CONFLICT: what there is.
  std::uint32_t watchers = 0;
};

struct ListKeysReply {
  std::vector<ConfigEntry> entries;
  std::string next_page_token;  ///< Empty: there are no more.
};

}  // namespace abi1
}  // namespace sluice
