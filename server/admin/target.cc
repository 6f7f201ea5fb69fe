// SPDX-License-Identifier: Apache-2.0
#include "admin/target.h"

#include <charconv>

namespace sluice::admin {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Status BadTarget(std::string message) { return InvalidField("target", std::move(message)); }

Result<std::string> Decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : HexDigit(text[i + 2]);
    if (low < 0) return BadTarget("a % is followed by two hex digits");
    const char byte = static_cast<char>(high * 16 + low);
    if (byte == '\0') return BadTarget("it has a NUL");
    decoded += byte;
    i += 2;
  }
  return decoded;
}

}  // namespace

Result<Target> Target::Parse(std::string_view text) {
  if (!text.starts_with('/')) return BadTarget("it does not begin with /");
  if (text.find('#') != std::string_view::npos) return BadTarget("it has a fragment");
  Target target;
  const std::size_t question = text.find('?');
  Result<std::string> path = Decode(text.substr(0, question));
  if (!path) return path.error();
  target.path_ = *std::move(path);
  if (question == std::string_view::npos) return target;
  std::string_view rest = text.substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    Result<std::string> key = Decode(pair.substr(0, equals));
    if (!key) return key.error();
    Result<std::string> value = equals == std::string_view::npos
                                    ? Result<std::string>(std::string())
                                    : Decode(pair.substr(equals + 1));
    if (!value) return value.error();
    if (!target.parameters_.emplace(*key, *std::move(value)).second) {
      return InvalidField(*key, "it is given twice");
    }
  }
  return target;
}

std::string Target::Text(const std::string& key) const {
  const auto it = parameters_.find(key);
  return it == parameters_.end() ? std::string() : it->second;
}

Result<std::uint64_t> Target::Number(const std::string& key, std::uint64_t otherwise,
                                     std::uint64_t least, std::uint64_t most) const {
  const std::string text = Text(key);
  if (text.empty()) return otherwise;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    return InvalidField(key, "it is no whole number");
  }
  if (error != std::errc()) return InvalidField(key, "it is no number of 64 bits");
  if (number < least) return OutOfBounds(key, "the least", least, number);
  if (number > most) return OutOfBounds(key, "the most", most, number);
  return number;
}

}  // namespace sluice::admin
