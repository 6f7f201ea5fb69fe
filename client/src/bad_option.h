// SPDX-License-Identifier: Apache-2.0
// Arguments that are refused before anything is sent.
#pragma once

#include <string>

#include "sluice/message.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

inline Status BadOption(const char* field, const std::string& value, const char* why) {
  return Status(Code::kInvalidArgument, "BAD_OPTION", std::string(field) + " " + why,
                {{"field", field}, {"value", value}});
}

// BAD_OPTION: an id, content type or header that is not UTF-8. The daemon would refuse the whole
// frame, and end the stream.
Status CheckText(const Message& message);

// The same, or more bytes than any channel takes.
Status CheckMessage(const Message& message);

}  // namespace abi1
}  // namespace sluice
