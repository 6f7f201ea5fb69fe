// SPDX-License-Identifier: Apache-2.0
#include "broker/name.h"

#include <cstdio>
#include <string>

#include "broker/limits.h"

namespace sluice::broker {
namespace {

bool IsAllowed(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '/';
}

std::string Hex(char c) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

Status CheckNameBytes(std::string_view field, std::string_view part, std::size_t at) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (IsAllowed(part[i])) continue;
    return InvalidField(field, "byte " + std::to_string(at + i) + " is " + Hex(part[i]) +
                                   "; a name has A-Z a-z 0-9 - _ . /");
  }
  return Status();
}

Status CheckName(std::string_view field, std::string_view name) {
  if (name.empty()) return InvalidField(field, "a name has 1 to 255 bytes, this one is empty");
  if (name.size() > kNameBytesMax) {
    return OutOfBounds(field, "the most bytes of a name", kNameBytesMax, name.size());
  }
  if (Status bytes = CheckNameBytes(field, name, 0); !bytes.ok()) return bytes;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool begins_token = i == 0 || name[i - 1] == '.';
    if (name[i] == '.' && (begins_token || i + 1 == name.size())) {
      return InvalidField(field, "an empty token at byte " + std::to_string(i));
    }
  }
  if (name.front() == '_') return InvalidField(field, "a leading '_' is the broker's own");
  return Status();
}

}  // namespace sluice::broker
