// SPDX-License-Identifier: Apache-2.0
#include "rpc/request_items.h"

#include <memory>
#include <utility>

#include "base/check.h"
#include "rpc/byte_buffer.h"
#include "rpc/limits.h"
#include "rpc/send_frame.h"
#include "wire/field.h"
#include "wire/frame_fields.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

wire::ScanLimits MessageLimits() {
  wire::ScanLimits limits;
  limits.frame_bytes_max = kTransportFrameBytesMax;
  limits.messages_max = 1;
  limits.message_bytes_max = kRequestFrameBytesMax;  // the responder's own is checked with it
  limits.headers_max = kHeadersMax;
  limits.header_bytes_max = kHeaderBytesMax;
  return limits;
}

// Where the payload stands, and how much else there is. Requires: the scanner has accepted it. Of
// several payloads the last one counts.
void FindPayload(broker::EncodedMessage& message) {
  const std::string_view bytes = message.view();
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  wire::Field field;
  while (at != end) {
    SLUICE_CHECK(wire::ReadField(at, end, field));
    if (field.number != wire::message_field::kPayload) {
      message.other_bytes += static_cast<std::uint32_t>(at - field.begin);
      continue;
    }
    message.payload_offset = static_cast<std::uint32_t>(field.bytes.data() - bytes.data());
    message.payload_bytes = static_cast<std::uint32_t>(field.bytes.size());
  }
}

}  // namespace

Status ItemFrame::Read(const grpc::ByteBuffer& buffer, const ItemLayout& layout,
                       google::protobuf::MessageLite& rest) {
  messages_.clear();
  rest_.clear();
  fault_ = Status();
  if (buffer.Length() > kRequestFrameBytesMax) {
    return OutOfBounds("frame", "the most bytes of one request frame", kRequestFrameBytesMax,
                       buffer.Length());
  }
  const FlatFrame frame(buffer, scratch_);
  bool is_read = false;
  if (layout.items_field == 0) {
    messages_.emplace_back();
    is_read = ReadItem(frame.bytes(), layout, rest_);
  } else {
    is_read = ReadItems(frame.bytes(), layout);
  }
  if (!fault_.ok()) return std::move(fault_);
  if (is_read && rest.ParseFromString(rest_)) return Status();
  return MalformedRequest(rest);
}

bool ItemFrame::ReadItems(std::string_view frame, const ItemLayout& layout) {
  const char* at = frame.data();
  const char* const end = at + frame.size();
  wire::Field field;
  while (at != end) {
    if (!wire::ReadField(at, end, field)) return false;
    if (field.number != layout.items_field || field.type != wire::WireType::kBytes) {
      rest_.append(field.begin, at);
      continue;
    }
    if (messages_.size() == layout.items_max) {
      fault_ = OutOfBounds(layout.items_name, "the most in one frame", layout.items_max,
                           layout.items_max + 1);
      return false;
    }
    messages_.emplace_back();
    item_rest_.clear();
    if (!ReadItem(field.bytes, layout, item_rest_)) return false;
    wire::AppendBytesPresent(rest_, layout.items_field, item_rest_);
  }
  return true;
}

bool ItemFrame::ReadItem(std::string_view item, const ItemLayout& layout, std::string& rest) {
  const char* at = item.data();
  const char* const end = at + item.size();
  wire::Field field;
  while (at != end) {
    if (!wire::ReadField(at, end, field)) return false;
    if (field.number != layout.message_field) {
      rest.append(field.begin, at);
      continue;
    }
    // Parsers part ways over a message that stands twice: some merge, some take the last.
    if (field.type != wire::WireType::kBytes || messages_.back()) return false;
    if (!Take(field.bytes)) {
      fault_ = Named(std::move(fault_), item, layout);
      return false;
    }
    wire::AppendBytesPresent(rest, layout.message_field, {});
  }
  return true;
}

bool ItemFrame::Take(std::string_view message) {
  auto record = std::make_shared<std::string>();
  record->reserve(message.size() + 1 + wire::kLengthBytesMax);
  wire::AppendBytesPresent(*record, wire::kMessagesField, message);
  if (auto error = wire::ScanFrame(*record, MessageLimits(), scanned_)) {
    error->message_index = -1;  // the item's stands beside it
    fault_ = Refused(*error);
    return false;
  }
  broker::EncodedMessage& taken = messages_.back();
  taken.bytes.size = static_cast<std::uint32_t>(message.size());
  taken.bytes.offset = static_cast<std::uint32_t>(record->size() - message.size());
  taken.bytes.bytes = std::move(record);
  FindPayload(taken);
  return true;
}

Status ItemFrame::Named(Status fault, std::string_view item, const ItemLayout& layout) const {
  if (layout.items_field == 0) return fault;
  std::uint64_t id = 0;
  const char* at = item.data();
  const char* const end = at + item.size();
  wire::Field field;
  while (at != end && wire::ReadField(at, end, field)) {
    if (field.number == layout.id_field && field.type == wire::WireType::kVarint) id = field.value;
  }
  return std::move(fault)
      .With("index", std::to_string(messages_.size() - 1))
      .With("call_id", std::to_string(id));
}

broker::EncodedMessage EmptyMessage() {
  static const broker::Bytes kNothing = std::make_shared<const std::string>();
  broker::EncodedMessage message;
  message.bytes.bytes = kNothing;
  return message;
}

}  // namespace sluice::rpc
