// SPDX-License-Identifier: Apache-2.0
#include "broker/config_entry.h"

#include "broker/limits.h"
#include "broker/name.h"

namespace sluice::broker {
namespace {

// Tags, lengths and numbers of an encoded entry at their longest.
constexpr std::uint64_t kEntryFramingMax = 64;

Status CheckExpected(std::string_view field, const KeyVersion& version, bool may_be_none) {
  if (version.epoch != 0 && version.version != 0) return Status();
  if (may_be_none && version == KeyVersion()) return Status();
  return InvalidField(field, may_be_none ? "epoch and version are both 0, or neither is"
                                         : "neither epoch nor version may be 0");
}

}  // namespace

std::uint64_t EntryBytes(const KeyEntry& entry, bool with_value) {
  return kEntryFramingMax + entry.key.size() + entry.content_type.size() +
         (with_value ? entry.value.size() : 0);
}

bool KeyCondition::Holds(const KeyEntry& entry) const {
  if (entry.deleted) return false;
  switch (kind) {
    case Kind::kExists:
      return true;
    case Kind::kVersionAbove:
      return entry.epoch != above.epoch || entry.version > above.version;
    case Kind::kEquals:
      return entry.value == equals;
  }
  return false;
}

Status CheckSet(const SetOptions& options) {
  if (Status status = CheckName("key", options.key); !status.ok()) return status;
  if (options.value.size() > kValueBytesMax) {
    return OutOfBounds("value", "the most bytes", kValueBytesMax, options.value.size());
  }
  if (options.content_type.size() > kContentTypeBytesMax) {
    return OutOfBounds("content_type", "the most bytes", kContentTypeBytesMax,
                       options.content_type.size());
  }
  return options.expect ? CheckExpected("expect", *options.expect, true) : Status();
}

Status CheckDelete(std::string_view key, const std::optional<KeyVersion>& expect) {
  if (Status status = CheckName("key", key); !status.ok()) return status;
  return expect ? CheckExpected("expect", *expect, false) : Status();
}

Status CheckCondition(const KeyCondition& condition) {
  if (condition.equals.size() > kValueBytesMax) {
    return OutOfBounds("equals", "the most bytes", kValueBytesMax, condition.equals.size());
  }
  return CheckExpected("version_above", condition.above, true);
}

Status CheckPrefix(std::string_view field, std::string_view prefix) {
  if (prefix.empty()) return Status();
  Status whole = CheckName(field, prefix);
  if (whole.ok() || !prefix.ends_with('.') || prefix.size() >= kNameBytesMax) return whole;
  // A token may follow the dot.
  return CheckName(field, prefix.substr(0, prefix.size() - 1)).ok() ? Status() : whole;
}

}  // namespace sluice::broker
