// SPDX-License-Identifier: Apache-2.0
#include "key_json.h"

#include <charconv>

namespace sluice::cli {
namespace {

bool Parse(std::string_view text, std::uint64_t& number) {
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace

std::string ToText(const KeyVersion& version) {
  return std::to_string(version.epoch) + ":" + std::to_string(version.version);
}

Result<KeyVersion> ParseVersion(const std::string& text, const std::string& option) {
  KeyVersion version;
  const std::string_view whole = text;
  const std::size_t colon = whole.find(':');
  if (colon == std::string_view::npos || !Parse(whole.substr(0, colon), version.epoch) ||
      !Parse(whole.substr(colon + 1), version.version)) {
    return BadOption("a version is written epoch:version, as get --json shows it in \"at\"",
                     {{"field", option}, {"value", text}});
  }
  return version;
}

Json ToJson(const ConfigEntry& entry) {
  Json json = {{"key", entry.key}};
  if (!entry.deleted) PutBytes(json, "value", entry.value);
  if (!entry.content_type.empty()) json["content_type"] = entry.content_type;
  json["at"] = ToText(entry.at);
  json["version"] = entry.at.version;
  json["revision"] = entry.revision;
  if (entry.deleted) json["deleted"] = true;
  if (entry.ephemeral) json["ephemeral"] = true;
  json["changed_unix_us"] = entry.changed_unix_us;
  return json;
}

int SayOutcome(const Invocation& invocation, const std::string& key, Outcome outcome,
               ClosedReason reason, const std::optional<ConfigEntry>& entry, std::uint32_t watchers,
               FullReason full_reason) {
  if (invocation.json) {
    Json json = {{"outcome", ToString(outcome)}, {"key", key}};
    if (outcome == Outcome::kClosed) json["reason"] = ToString(reason);
    if (entry) json.update(ToJson(*entry));
    json["watchers"] = watchers;
    if (full_reason != FullReason::kUnspecified) json["full_reason"] = ToString(full_reason);
    PrintJson(json);
  }
  if (outcome == Outcome::kOk) return FlushOutput() ? kDone : FailOutput();
  std::string text = Describe(outcome, reason, full_reason) + ": " + key;
  if (outcome == Outcome::kConflict)
    text += entry ? " is at " + ToText(entry->at) : " is not there";
  if (outcome == Outcome::kAbsent) text += " is not there";
  if (outcome == Outcome::kNoSubscribers) text += " is watched by nobody";
  return FailRefused(text);
}

}  // namespace sluice::cli
