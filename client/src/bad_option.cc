// SPDX-License-Identifier: Apache-2.0
#include "bad_option.h"

#include "wire/utf8.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::size_t kMessageBytesMax = 1 << 20;

}  // namespace

Status CheckText(const Message& message) {
  const char* field = nullptr;
  if (!wire::IsValidUtf8(message.id)) field = "id";
  if (!wire::IsValidUtf8(message.content_type)) field = "content_type";
  for (const Header& header : message.headers) {
    if (!wire::IsValidUtf8(header.key) || !wire::IsValidUtf8(header.value)) field = "headers";
  }
  if (field == nullptr) return Status();
  return Status(Code::kInvalidArgument, "BAD_OPTION", std::string(field) + " is not UTF-8",
                {{"field", field}});
}

Status CheckMessage(const Message& message) {
  if (Status status = CheckText(message); !status.ok()) return status;
  if (message.payload.size() > kMessageBytesMax) {
    return Status(Code::kInvalidArgument, "BAD_OPTION", "payload is larger than a message may be",
                  {{"field", "payload"},
                   {"limit", std::to_string(kMessageBytesMax)},
                   {"value", std::to_string(message.payload.size())}});
  }
  return Status();
}

}  // namespace abi1
}  // namespace sluice
