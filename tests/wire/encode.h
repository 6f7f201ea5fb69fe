// SPDX-License-Identifier: Apache-2.0
// Spells out protobuf bytes for tests, malformed ones too: any wire type, any padding, any length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::wire::encode {

// `bytes` longer than the canonical form pads it: Varint(1, 3) is 81 80 00.
inline std::string Varint(std::uint64_t value, std::size_t bytes = 0) {
  std::string out;
  while (value >= 0x80 || out.size() + 1 < bytes) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
  return out;
}

inline std::string Tag(std::uint64_t field, std::uint64_t wire_type) {
  return Varint((field << 3) | wire_type);
}

inline std::string Bytes(std::uint64_t field, std::string_view bytes) {
  return Tag(field, 2) + Varint(bytes.size()) + std::string(bytes);
}

inline std::string Uint(std::uint64_t field, std::uint64_t value) {
  return Tag(field, 0) + Varint(value);
}

// A record of the field `messages`.
inline std::string Message(std::string_view fields) { return Bytes(1, fields); }

inline std::string Payload(std::string_view bytes) { return Bytes(1, bytes); }
inline std::string Id(std::string_view text) { return Bytes(3, text); }
inline std::string ContentType(std::string_view text) { return Bytes(4, text); }

// Fields of a header entry, and the entry itself.
inline std::string Key(std::string_view text) { return Bytes(1, text); }
inline std::string Value(std::string_view text) { return Bytes(2, text); }
inline std::string Entry(std::string_view fields) { return Bytes(2, fields); }
inline std::string Header(std::string_view key, std::string_view value) {
  return Entry(Key(key) + Value(value));
}

}  // namespace sluice::wire::encode
