// SPDX-License-Identifier: Apache-2.0
// A strict reader of protobuf varints: seven bits a byte, lowest first, the top bit says "more
// follows".
//
// Which encodings pass
//   A length may take 5 bytes, a value 10: what the longest canonical encoding of the type needs.
//   Within that, padding (8A 00 for 0A) passes: every parser reads it, and some encoders write it
//   to reserve room for a length. Beyond it parsers part ways (one reads six bytes of length,
//   another refuses, a third drops the upper bits), so what is longer is overlong and refused. So
//   is a tenth byte above 1, which would not fit 64 bits. A five-byte varint may still hold up to
//   35 bits: its caller knows what the number means and refuses it by that. Tags must not be padded
//   at all: that is the reader's to see (field.h).
#pragma once

#include <cstdint>

namespace sluice::wire {

inline constexpr int kTagBytesMax = 5;
inline constexpr int kLengthBytesMax = 5;
inline constexpr int kValueBytesMax = 10;

enum class [[nodiscard]] VarintEnd : std::uint8_t{
    kRead,       // `value` is set and `at` stands behind the varint.
    kTruncated,  // The bytes end inside it.
    kOverlong,   // It takes more bytes than `bytes_max`, or more bits than 64.
};

// Reads one varint of at most `bytes_max` bytes (one of the above) from [at, end). Unless kRead,
// `at` and `value` are unchanged.
inline VarintEnd ReadVarint(const char*& at, const char* end, int bytes_max, std::uint64_t& value) {
  std::uint64_t sum = 0;
  const char* next = at;
  for (int i = 0; i < bytes_max; ++i) {
    if (next == end) return VarintEnd::kTruncated;
    const auto byte = static_cast<std::uint8_t>(*next++);
    if (i == kValueBytesMax - 1 && byte > 1) return VarintEnd::kOverlong;
    sum |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      value = sum;
      at = next;
      return VarintEnd::kRead;
    }
  }
  return VarintEnd::kOverlong;
}

}  // namespace sluice::wire
