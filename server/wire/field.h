// SPDX-License-Identifier: Apache-2.0
// One field of the protobuf encoding, read in place and strictly: the common ground of the scanner
// and the reader. Nothing is copied; `bytes` points into the frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/varint.h"

namespace sluice::wire {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

inline constexpr std::uint64_t kFieldNumberMax = (std::uint64_t{1} << 29) - 1;

enum class FieldFault : std::uint8_t {
  kTruncated,       // The bytes end inside the field. A length of 2^31 and more always does.
  kOverlongVarint,  // A varint longer than its type allows (varint.h), or a padded tag.
  kFieldNumber,     // 0, or above 2^29 - 1.
  kGroup,           // The start or the end of a group.
  kWireType,        // 6 or 7, which do not exist.
};

struct Field {
  // Where its tag is. Its end is where the reader stands afterwards.
  const char* begin = nullptr;
  // Set as soon as the tag is read, also when the rest is at fault; 0 if the tag is.
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  // Of kVarint, kFixed32 and kFixed64.
  std::uint64_t value = 0;
  // Of kBytes.
  std::string_view bytes;
  // What was wrong, when ReadField returned false.
  FieldFault fault = FieldFault::kTruncated;
};

inline bool Fail(Field& field, FieldFault fault) {
  field.fault = fault;
  return false;
}

inline bool ReadFieldVarint(const char*& at, const char* end, int bytes_max, Field& field,
                            std::uint64_t& value) {
  const VarintEnd read = ReadVarint(at, end, bytes_max, value);
  if (read == VarintEnd::kRead) return true;
  return Fail(field,
              read == VarintEnd::kTruncated ? FieldFault::kTruncated : FieldFault::kOverlongVarint);
}

// `bytes` bytes, lowest first.
inline bool ReadFieldFixed(const char*& at, const char* end, int bytes, Field& field) {
  if (end - at < bytes) return Fail(field, FieldFault::kTruncated);
  field.value = 0;
  for (int i = 0; i < bytes; ++i) {
    field.value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at[i])) << (8 * i);
  }
  at += bytes;
  return true;
}

// Reads the field that begins at `at`, and moves `at` behind it. Requires: at != end. False:
// `fault` says why; `at` stands somewhere inside the field, and `type`, `value` and `bytes` mean
// nothing.
[[nodiscard]] inline bool ReadField(const char*& at, const char* end, Field& field) {
  field.begin = at;
  field.number = 0;
  std::uint64_t tag = 0;
  if (!ReadFieldVarint(at, end, kTagBytesMax, field, tag)) return false;
  // Python's own parser looks fields up by the bytes of their tags: a padded one it takes for an
  // unknown field, and drops what the others read. No encoder writes it.
  if (at - field.begin > 1 && at[-1] == 0) return Fail(field, FieldFault::kOverlongVarint);
  const std::uint64_t number = tag >> 3;
  if (number == 0 || number > kFieldNumberMax) return Fail(field, FieldFault::kFieldNumber);
  field.number = static_cast<std::uint32_t>(number);
  field.type = static_cast<WireType>(tag & 7);
  switch (tag & 7) {
    case 2: {
      std::uint64_t length = 0;
      if (!ReadFieldVarint(at, end, kLengthBytesMax, field, length)) return false;
      if (length > static_cast<std::uint64_t>(end - at)) return Fail(field, FieldFault::kTruncated);
      field.bytes = std::string_view(at, static_cast<std::size_t>(length));
      at += length;
      return true;
    }
    case 0:
      return ReadFieldVarint(at, end, kValueBytesMax, field, field.value);
    case 1:
      return ReadFieldFixed(at, end, 8, field);
    case 5:
      return ReadFieldFixed(at, end, 4, field);
    case 3:
    case 4:
      return Fail(field, FieldFault::kGroup);
    default:
      return Fail(field, FieldFault::kWireType);
  }
}

}  // namespace sluice::wire
