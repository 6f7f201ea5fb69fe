// SPDX-License-Identifier: Apache-2.0
#include "wire/frame_scanner.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "wire/field.h"
#include "wire/frame_fields.h"
#include "wire/utf8.h"

namespace sluice::wire {
namespace {

// Generated C++ parsers take lengths below 2^31 less a few spare bytes; offsets of spans have 32
// bits.
constexpr std::uint64_t kFrameBytesMax = (std::uint64_t{1} << 31) - 256;

constexpr std::string_view kFrameName = "frame";
constexpr std::string_view kMessagesName = "messages";
constexpr std::string_view kHeadersName = "headers";

// The name of a known field of Message; of anything else in it, the message as such.
std::string_view MessageFieldName(std::uint32_t number) {
  switch (number) {
    case message_field::kPayload:
      return "payload";
    case message_field::kHeaders:
      return kHeadersName;
    case message_field::kId:
      return "id";
    case message_field::kContentType:
      return "content_type";
    default:
      return kMessagesName;
  }
}

ScanError::Kind KindOf(FieldFault fault) {
  switch (fault) {
    case FieldFault::kOverlongVarint:
      return ScanError::Kind::kOverlongVarint;
    case FieldFault::kFieldNumber:
      return ScanError::Kind::kFieldNumber;
    case FieldFault::kGroup:
      return ScanError::Kind::kGroup;
    case FieldFault::kWireType:
      return ScanError::Kind::kWireType;
    case FieldFault::kTruncated:
      break;
  }
  return ScanError::Kind::kTruncated;
}

std::string Sentence(ScanError::Kind kind, std::uint64_t limit, std::uint64_t value) {
  switch (kind) {
    case ScanError::Kind::kTruncated:
      return "a field reaches beyond the bytes that hold it";
    case ScanError::Kind::kOverlongVarint:
      return "a varint is longer than it may be";
    case ScanError::Kind::kFieldNumber:
      return "a field number is 0 or above 536870911";
    case ScanError::Kind::kGroup:
      return "groups are not accepted";
    case ScanError::Kind::kWireType:
      return "wrong wire type";
    case ScanError::Kind::kBadUtf8:
      return "not valid UTF-8";
    case ScanError::Kind::kTooMany:
      return "more than " + std::to_string(limit);
    case ScanError::Kind::kTooLarge:
      break;
  }
  return std::to_string(value) + " bytes, at most " + std::to_string(limit);
}

// One run over one frame. Its functions return false once `error_` is set.
class Scan {
 public:
  Scan(std::string_view frame, const ScanLimits& limits, ScannedFrame& scanned)
      : frame_(frame), limits_(limits), scanned_(scanned) {}

  bool Frame();
  [[nodiscard]] ScanError TakeError() { return std::move(error_); }

 private:
  bool Message(std::string_view message, std::uint32_t& payload_bytes);
  bool HeaderEntry(std::string_view entry, std::uint64_t& header_bytes);

  // Sets `error_` about the message that is being scanned, or about the frame.
  [[gnu::cold, gnu::noinline]] bool Refuse(ScanError::Kind kind, std::string_view field,
                                           std::uint64_t limit = 0, std::uint64_t value = 0);

  const std::string_view frame_;
  const ScanLimits& limits_;
  ScannedFrame& scanned_;
  ScanError error_;
};

bool Scan::Refuse(ScanError::Kind kind, std::string_view field, std::uint64_t limit,
                  std::uint64_t value) {
  error_.kind = kind;
  error_.field = field;
  error_.limit = limit;
  error_.value = value;
  if (field != kFrameName) {
    error_.message_index = static_cast<std::int64_t>(scanned_.messages.size());
    error_.text = "message " + std::to_string(error_.message_index) + ": ";
  }
  error_.text.append(field).append(": ").append(Sentence(kind, limit, value));
  return false;
}

bool Scan::Frame() {
  const auto bytes_max = std::min(std::uint64_t{limits_.frame_bytes_max}, kFrameBytesMax);
  if (frame_.size() > bytes_max) {
    return Refuse(ScanError::Kind::kTooLarge, kFrameName, bytes_max, frame_.size());
  }
  const char* at = frame_.data();
  const char* const end = at + frame_.size();
  Field field;
  while (at != end) {
    const bool is_read = ReadField(at, end, field);
    const bool is_message = field.number == kMessagesField;
    if (!is_read) return Refuse(KindOf(field.fault), is_message ? kMessagesName : kFrameName);
    const auto size = static_cast<std::size_t>(at - field.begin);
    if (!is_message) {
      scanned_.other.append(field.begin, size);
      continue;
    }
    if (field.type != WireType::kBytes) return Refuse(ScanError::Kind::kWireType, kMessagesName);
    if (scanned_.messages.size() >= limits_.messages_max) {
      return Refuse(ScanError::Kind::kTooMany, kMessagesName, limits_.messages_max,
                    scanned_.messages.size() + 1);
    }
    if (field.bytes.size() > limits_.message_bytes_max) {
      return Refuse(ScanError::Kind::kTooLarge, kMessagesName, limits_.message_bytes_max,
                    field.bytes.size());
    }
    MessageSpan span{.offset = static_cast<std::uint32_t>(field.begin - frame_.data()),
                     .size = static_cast<std::uint32_t>(size)};
    if (!Message(field.bytes, span.payload_bytes)) return false;
    scanned_.messages.push_back(span);
  }
  return true;
}

bool Scan::Message(std::string_view message, std::uint32_t& payload_bytes) {
  const char* at = message.data();
  const char* const end = at + message.size();
  std::uint32_t headers = 0;
  std::uint64_t header_bytes = 0;
  Field field;
  while (at != end) {
    if (!ReadField(at, end, field)) {
      return Refuse(KindOf(field.fault), MessageFieldName(field.number));
    }
    if (field.number > message_field::kContentType) continue;
    if (field.type != WireType::kBytes) {
      return Refuse(ScanError::Kind::kWireType, MessageFieldName(field.number));
    }
    if (field.number == message_field::kPayload) {
      payload_bytes = static_cast<std::uint32_t>(field.bytes.size());
    } else if (field.number == message_field::kHeaders) {
      if (++headers > limits_.headers_max) {
        return Refuse(ScanError::Kind::kTooMany, kHeadersName, limits_.headers_max, headers);
      }
      if (!HeaderEntry(field.bytes, header_bytes)) return false;
    } else if (!IsValidUtf8(field.bytes)) {
      return Refuse(ScanError::Kind::kBadUtf8, MessageFieldName(field.number));
    }
  }
  return true;
}

bool Scan::HeaderEntry(std::string_view entry, std::uint64_t& header_bytes) {
  const char* at = entry.data();
  const char* const end = at + entry.size();
  Field field;
  while (at != end) {
    if (!ReadField(at, end, field)) return Refuse(KindOf(field.fault), kHeadersName);
    if (field.number > header_field::kValue) continue;
    if (field.type != WireType::kBytes) return Refuse(ScanError::Kind::kWireType, kHeadersName);
    header_bytes += field.bytes.size();
    if (header_bytes > limits_.header_bytes_max) {
      return Refuse(ScanError::Kind::kTooLarge, kHeadersName, limits_.header_bytes_max,
                    header_bytes);
    }
    if (!IsValidUtf8(field.bytes)) return Refuse(ScanError::Kind::kBadUtf8, kHeadersName);
  }
  return true;
}

}  // namespace

std::string_view Name(ScanError::Kind kind) {
  switch (kind) {
    case ScanError::Kind::kTruncated:
      return "TRUNCATED";
    case ScanError::Kind::kOverlongVarint:
      return "OVERLONG_VARINT";
    case ScanError::Kind::kFieldNumber:
      return "FIELD_NUMBER";
    case ScanError::Kind::kGroup:
      return "GROUP";
    case ScanError::Kind::kWireType:
      return "WIRE_TYPE";
    case ScanError::Kind::kBadUtf8:
      return "BAD_UTF8";
    case ScanError::Kind::kTooMany:
      return "TOO_MANY";
    case ScanError::Kind::kTooLarge:
      break;
  }
  return "TOO_LARGE";
}

std::optional<ScanError> ScanFrame(std::string_view frame, const ScanLimits& limits,
                                   ScannedFrame& scanned) {
  scanned.Clear();
  Scan scan(frame, limits, scanned);
  if (scan.Frame()) return std::nullopt;
  scanned.Clear();
  return scan.TakeError();
}

}  // namespace sluice::wire
