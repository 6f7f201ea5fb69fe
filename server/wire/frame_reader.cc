// SPDX-License-Identifier: Apache-2.0
#include "wire/frame_reader.h"

#include <cstddef>
#include <numeric>

#include "wire/field.h"

namespace sluice::wire {
namespace {

// Calls `visit` with each field of `bytes` until it returns false. False: it did, or a field is at
// fault.
template <typename Visit>
bool ForEachField(std::string_view bytes, Visit&& visit) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  Field field;
  while (at != end) {
    if (!ReadField(at, end, field)) return false;
    if (!visit(field, at)) return false;
  }
  return true;
}

bool ReadRun(std::string_view encoded, Run& run) {
  return ForEachField(encoded, [&run](const Field& field, const char*) {
    if (field.number > run_field::kFailures) return true;
    const bool is_time = field.number == run_field::kAcceptedUnixUs;
    if (field.type != (is_time ? WireType::kFixed64 : WireType::kVarint)) return false;
    const auto low = static_cast<std::uint32_t>(field.value);
    switch (field.number) {
      case run_field::kFirstPosition:
        run.first_position = field.value;
        break;
      case run_field::kCount:
        run.count = low;
        break;
      case run_field::kAcceptedUnixUs:
        run.accepted_unix_us = field.value;
        break;
      case run_field::kAttempts:
        run.attempts = low;
        break;
      default:
        run.failures = low;
    }
    return true;
  });
}

bool ReadHeader(std::string_view entry, Header& header) {
  return ForEachField(entry, [&header](const Field& field, const char*) {
    if (field.number > header_field::kValue) return true;
    if (field.type != WireType::kBytes) return false;
    (field.number == header_field::kKey ? header.key : header.value) = field.bytes;
    return true;
  });
}

bool ReadFields(std::string_view frame, ReceivedFrame& received) {
  return ForEachField(frame, [&received](const Field& field, const char* field_end) {
    if (field.number > kRunsField) {
      received.other.append(field.begin, static_cast<std::size_t>(field_end - field.begin));
      return true;
    }
    if (field.type != WireType::kBytes) return false;
    if (field.number == kMessagesField)
      return ReadMessage(field.bytes, received.messages.emplace_back());
    return ReadRun(field.bytes, received.runs.emplace_back());
  });
}

}  // namespace

bool ReceivedFrame::RunsPartitionMessages() const {
  const auto add = [](std::uint64_t sum, const Run& run) { return sum + run.count; };
  return std::accumulate(runs.begin(), runs.end(), std::uint64_t{0}, add) == messages.size();
}

bool ReadFrame(std::string_view frame, ReceivedFrame& received) {
  received.Clear();
  if (ReadFields(frame, received)) return true;
  received.Clear();
  return false;
}

bool ReadMessage(std::string_view encoded, MessageView& message) {
  message = MessageView{};
  message.encoded = encoded;
  return ForEachField(encoded, [&message](const Field& field, const char*) {
    if (field.number > message_field::kContentType) return true;
    if (field.type != WireType::kBytes) return false;
    switch (field.number) {
      case message_field::kPayload:
        message.payload = field.bytes;
        break;
      case message_field::kId:
        message.id = field.bytes;
        break;
      case message_field::kContentType:
        message.content_type = field.bytes;
        break;
      default:  // Headers: read on request.
        break;
    }
    return true;
  });
}

bool ReadHeaders(std::string_view encoded, std::vector<Header>& headers) {
  headers.clear();
  const bool is_read = ForEachField(encoded, [&headers](const Field& field, const char*) {
    if (field.number != message_field::kHeaders) return true;
    return field.type == WireType::kBytes && ReadHeader(field.bytes, headers.emplace_back());
  });
  if (!is_read) headers.clear();
  return is_read;
}

}  // namespace sluice::wire
