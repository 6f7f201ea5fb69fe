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

// BAD_OPTION: what no channel takes: text that is not UTF-8, too many or too large headers, too
// many bytes in all. The daemon would refuse the whole frame, and end the stream for everybody on
// it.
Status CheckMessage(const Message& message);
// The same against the limit of one channel; 0: it is not known.
Status CheckMessageBytes(const Message& message, std::uint64_t most);

}  // namespace abi1
}  // namespace sluice
