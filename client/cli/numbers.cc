// SPDX-License-Identifier: Apache-2.0
#include "numbers.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace sluice::cli {
namespace {

std::string ShortText(double value) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), value);
  return std::string(text, end.ptr);
}

std::string NotWithin(const char* what, const std::string& min, const std::string& max,
                      const std::string& value) {
  return "must be " + std::string(what) + " from " + min + " to " + max + ", and is '" + value +
         "'";
}

// For the help, where a bound that is only the type's says nothing.
std::string RangeText(std::uint64_t min, std::uint64_t max) {
  const std::string least = "[" + std::to_string(min);
  if (max < std::numeric_limits<std::uint32_t>::max())
    return least + " - " + std::to_string(max) + "]";
  return min == 0 ? "" : least + " or more]";
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

CLI::Validator NumberBetween(double min, double max) {
  const std::string least = ShortText(min);
  const std::string most = ShortText(max);
  const auto check = [min, max, least, most](std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool is_whole_text = !text.empty() && end == text.c_str() + text.size();
    // So, and not the other way round: no comparison holds for NaN.
    if (is_whole_text && value >= min && value <= max) return std::string();
    return NotWithin("a number", least, most, text);
  };
  return CLI::Validator(check, "[" + least + " - " + most + "]");
}

CLI::Validator WholeBetween(std::uint64_t min, std::uint64_t max) {
  const auto check = [min, max](std::string& text) {
    errno = 0;
    const unsigned long long value = IsDigits(text) ? std::strtoull(text.c_str(), nullptr, 10) : 0;
    if (IsDigits(text) && errno != ERANGE && value >= min && value <= max) {
      text = std::to_string(value);  // CLI11 reads it again, and 010 as 8.
      return std::string();
    }
    return NotWithin("a whole number", std::to_string(min), std::to_string(max), text);
  };
  return CLI::Validator(check, RangeText(min, max));
}

}  // namespace sluice::cli
