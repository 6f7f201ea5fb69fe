// SPDX-License-Identifier: Apache-2.0
#include "tests/wire/random_frame.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "tests/wire/encode.h"
#include "wire/varint.h"

namespace sluice::wire {

std::string RandomFrame::Text() {
  constexpr std::array<std::string_view, 9> kPieces = {
      "a",        "key", "some longer text ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "/",
      "12345678", "\x7f"};
  std::string text;
  for (auto pieces = Below(5); pieces > 0; --pieces) text += kPieces.at(Below(kPieces.size()));
  return text;
}

std::string RandomFrame::Blob() {
  std::string blob(OneIn(20) ? Below(300) : Below(12), '\0');
  for (char& byte : blob) byte = static_cast<char>(random_());
  return blob;
}

// Padded now and then, within what is allowed.
std::string RandomFrame::Number(std::uint64_t value, int bytes_max) {
  const std::size_t padded = OneIn(12) ? 1 + Below(static_cast<std::uint64_t>(bytes_max)) : 0;
  return encode::Varint(value, padded);
}

std::string RandomFrame::Bytes(std::uint64_t field, const std::string& bytes) {
  return encode::Varint((field << 3) | 2) + Number(bytes.size(), kLengthBytesMax) + bytes;
}

std::string RandomFrame::Unknown(std::uint64_t lowest) {
  const std::uint64_t field = lowest + (OneIn(4) ? Below(536'870'912 - lowest) : Below(20));
  switch (Below(4)) {
    case 0:
      return encode::Varint(field << 3) + Number(random_() >> Below(64), kValueBytesMax);
    case 1:
      return encode::Varint((field << 3) | 1) + std::string(8, static_cast<char>(random_()));
    case 2:
      return Bytes(field, Blob());
    default:
      return encode::Varint((field << 3) | 5) + std::string(4, static_cast<char>(random_()));
  }
}

std::string RandomFrame::Entry() {
  std::string entry;
  if (!OneIn(8)) entry += Bytes(1, Text());
  if (!OneIn(8)) entry += Bytes(2, Text());
  while (OneIn(6)) entry += OneIn(2) ? Unknown(3) : Bytes(1 + Below(2), Text());
  return entry;
}

std::string RandomFrame::Message() {
  std::string message;
  if (!OneIn(6)) message += Bytes(1, Blob());
  while (OneIn(3)) message += Bytes(2, Entry());
  if (OneIn(3)) message += Bytes(3, Text());
  if (OneIn(3)) message += Bytes(4, Text());
  while (OneIn(6)) message += OneIn(2) ? Unknown(5) : Bytes(OneIn(2) ? 1 : 3 + Below(2), Text());
  return message;
}

// What SendStreamRequest has beside messages (first_sequence 2, atomic 3, open 4 with a queue's
// name), and what it has not.
std::string RandomFrame::OtherField() {
  switch (Below(4)) {
    case 0:
      return encode::Varint(2 << 3) + Number(random_() >> Below(64), kValueBytesMax);
    case 1:
      return encode::Varint(3 << 3) + Number(Below(2), kValueBytesMax);
    case 2:
      return Bytes(4, Bytes(1, Text()));
    default:
      return Unknown(20);
  }
}

std::string RandomFrame::Valid() {
  std::string frame;
  for (auto fields = Below(6); fields > 0; --fields) {
    frame += OneIn(4) ? OtherField() : Bytes(1, Message());
  }
  return frame;
}

// Short on purpose: set into a message, it is often the message's new tail.
std::string RandomFrame::Fragment() {
  const std::uint64_t field = Below(6);
  switch (Below(8)) {
    case 0:
      return encode::Tag(field, 3) + encode::Tag(field, 4);
    case 1:
      return encode::Tag(field, 2) + encode::Varint(Below(4), 4 + Below(4));
    case 2:
      return encode::Varint(field << 3, 4 + Below(8)) + encode::Varint(1, 8 + Below(4));
    case 3:
      return encode::Bytes(field, std::string("\xed\xa0\x80", 1 + Below(3)));
    case 4:
      return encode::Tag((std::uint64_t{1} << 29) + field, Below(8)) + encode::Varint(0);
    case 5:
      return encode::Tag(field, 2) + encode::Varint(std::uint64_t{1} << (28 + Below(8)));
    case 6:
      return encode::Varint((field << 3) | 2, 2 + Below(4)) + encode::Varint(1) + "x";
    default:
      return encode::Tag(field, Below(8)) + Blob();
  }
}

void RandomFrame::Damage(std::string& frame) {
  for (auto changes = 1 + Below(4); changes > 0; --changes) {
    const std::size_t at = Below(frame.size() + 1);
    const std::size_t count = std::min<std::size_t>(Below(8), frame.size() - at);
    switch (Below(7)) {
      case 0:
        if (at < frame.size()) frame[at] = static_cast<char>(frame[at] ^ (1 << Below(8)));
        break;
      case 1:
        if (at < frame.size()) frame[at] = static_cast<char>(random_());
        break;
      case 2:
        frame.erase(at, count);
        break;
      case 3:
        frame.insert(at, frame.substr(at, count));
        break;
      case 4:
        frame.resize(at);
        break;
      case 5:
        frame.insert(at, Fragment());
        break;
      default:
        frame += OneIn(2) ? Bytes(1, Fragment()) : Bytes(1, Bytes(2, Fragment()));
    }
  }
}

}  // namespace sluice::wire
