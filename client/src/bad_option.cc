// SPDX-License-Identifier: Apache-2.0
#include "bad_option.h"

#include <vector>

#include "wire/frame_writer.h"
#include "wire/utf8.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::size_t kMessageBytesMax = 1 << 20;
constexpr std::size_t kHeadersMax = 64;
constexpr std::size_t kHeaderBytesMax = 8 << 10;

Status TooMuch(const char* field, const char* what, std::uint64_t limit, std::uint64_t value) {
  return Status(
      Code::kInvalidArgument, "BAD_OPTION", std::string(field) + ": " + what,
      {{"field", field}, {"limit", std::to_string(limit)}, {"value", std::to_string(value)}});
}

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

Status CheckHeaders(std::span<const Header> headers) {
  if (headers.size() > kHeadersMax) {
    return TooMuch("headers", "more than a message may have", kHeadersMax, headers.size());
  }
  std::size_t bytes = 0;
  for (const Header& header : headers) bytes += header.key.size() + header.value.size();
  if (bytes <= kHeaderBytesMax) return Status();
  return TooMuch("headers", "more bytes than a message's may have", kHeaderBytesMax, bytes);
}

}  // namespace

Status CheckFields(const Message& message) {
  Status status = CheckText(message);
  return status.ok() ? CheckHeaders(message.headers) : status;
}

Status CheckBytes(const Message& message, std::uint64_t most) {
  if (most == 0) most = kMessageBytesMax;
  std::vector<wire::Header> headers;
  for (const Header& header : message.headers) headers.push_back({header.key, header.value});
  const std::size_t bytes =
      wire::MessageBytes(message.payload, message.id, message.content_type, headers);
  if (bytes <= most) return Status();
  return TooMuch("payload", "larger than a message may be, encoded", most, bytes);
}

Status CheckMessage(const Message& message) {
  Status status = CheckFields(message);
  return status.ok() ? CheckBytes(message, 0) : status;
}

}  // namespace abi1
}  // namespace sluice
