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

// BAD_OPTION: what the daemon would refuse with the whole frame, and end the stream of everybody on
// it. Text that is not UTF-8, too many or too large headers:
Status CheckFields(const Message& message);
// More bytes than the channel takes; 0: its limit is not known, and that of all channels holds.
Status CheckBytes(const Message& message, std::uint64_t most);
// Both, where the channel is not known.
Status CheckMessage(const Message& message);

}  // namespace abi1
}  // namespace sluice
