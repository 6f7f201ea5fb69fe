// SPDX-License-Identifier: Apache-2.0
#include "wire/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice::wire {
namespace {

constexpr std::size_t kWordBytes = 8;
constexpr std::uint64_t kTopBits = 0x8080808080808080;

bool IsWithin(std::uint8_t byte, std::uint8_t low, std::uint8_t high) {
  return byte >= low && byte <= high;
}

bool IsContinuation(std::uint8_t byte) { return IsWithin(byte, 0x80, 0xbf); }

// The length of the well-formed sequence of two to four bytes that begins at `at`, or 0. The ranges
// of the second byte are table 3-7 of the Unicode standard: they keep out overlong forms (after E0
// and F0), surrogates (after ED) and what lies above U+10FFFF (after F4).
std::size_t SequenceBytes(const char* at, const char* end) {
  const auto left = static_cast<std::size_t>(end - at);
  const auto byte = [at](std::size_t i) { return static_cast<std::uint8_t>(at[i]); };
  const std::uint8_t lead = byte(0);
  if (IsWithin(lead, 0xc2, 0xdf)) return left >= 2 && IsContinuation(byte(1)) ? 2 : 0;
  if (IsWithin(lead, 0xe0, 0xef)) {
    const std::uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;
    const std::uint8_t high = lead == 0xed ? 0x9f : 0xbf;
    return left >= 3 && IsWithin(byte(1), low, high) && IsContinuation(byte(2)) ? 3 : 0;
  }
  if (IsWithin(lead, 0xf0, 0xf4)) {
    const std::uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;
    const bool is_whole = left >= 4 && IsWithin(byte(1), low, high);
    return is_whole && IsContinuation(byte(2)) && IsContinuation(byte(3)) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    while (static_cast<std::size_t>(end - at) >= kWordBytes) {
      std::uint64_t word;
      std::memcpy(&word, at, kWordBytes);
      if ((word & kTopBits) != 0) break;
      at += kWordBytes;
    }
    while (at != end && static_cast<std::uint8_t>(*at) < 0x80) ++at;
    if (at == end) return true;
    const std::size_t bytes = SequenceBytes(at, end);
    if (bytes == 0) return false;
    at += bytes;
  }
}

}  // namespace sluice::wire
