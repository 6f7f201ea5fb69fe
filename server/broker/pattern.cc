// SPDX-License-Identifier: Apache-2.0
#include "broker/pattern.h"

#include <utility>

#include "broker/limits.h"
#include "broker/name.h"

namespace sluice::broker {
namespace {

constexpr std::string_view kOneToken = "*";
constexpr std::string_view kTheRest = ">";

// Takes the first token, and its dot, off `text`.
std::string_view TakeToken(std::string_view& text) {
  const std::size_t end = text.find('.');
  const std::string_view token = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return token;
}

bool IsWildcard(std::string_view token) { return token == kOneToken || token == kTheRest; }

Status CheckToken(std::string_view field, std::string_view token, std::size_t at, bool is_last) {
  const std::string where = " at byte " + std::to_string(at);
  if (token.empty()) return InvalidField(field, "an empty token" + where);
  if (token == kTheRest && !is_last)
    return InvalidField(field, "'>' is not the last token" + where);
  if (IsWildcard(token)) return Status();
  if (token.find_first_of("*>") != std::string_view::npos) {
    return InvalidField(field, "a wildcard within a token" + where);
  }
  return CheckNameBytes(field, token, at);
}

}  // namespace

Result<Pattern> Pattern::Parse(std::string_view field, std::string text) {
  if (text.empty()) return InvalidField(field, "a pattern has 1 to 255 bytes, this one is empty");
  if (text.size() > kNameBytesMax) {
    return OutOfBounds(field, "the most bytes of a pattern", kNameBytesMax, text.size());
  }
  std::size_t at = 0;
  for (bool is_last = false; !is_last;) {
    const std::size_t end = text.find('.', at);
    is_last = end == std::string::npos;
    const std::string_view token = std::string_view(text).substr(at, is_last ? end : end - at);
    if (Status status = CheckToken(field, token, at, is_last); !status.ok()) return status;
    at = end + 1;
  }
  return Pattern(std::move(text));
}

bool Pattern::Matches(std::string_view name) const {
  std::string_view pattern = text_;
  if (name.empty()) return false;
  if (name.front() == '_' && IsWildcard(pattern.substr(0, pattern.find('.')))) return false;
  while (!pattern.empty() && !name.empty()) {
    const std::string_view wanted = TakeToken(pattern);
    if (wanted == kTheRest) return true;
    const std::string_view token = TakeToken(name);
    if (wanted != kOneToken && wanted != token) return false;
  }
  return pattern.empty() && name.empty();
}

}  // namespace sluice::broker
