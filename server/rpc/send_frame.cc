// SPDX-License-Identifier: Apache-2.0
#include "rpc/send_frame.h"

#include "base/check.h"
#include "broker/limits.h"
#include "rpc/limits.h"
#include "wire/varint.h"

namespace sluice::rpc {
namespace {

// The encoded message alone: a record less its tag and its length, which may be padded.
std::uint64_t MessageBytes(std::string_view frame, const wire::MessageSpan& span) {
  const std::string_view record = frame.substr(span.offset, span.size);
  const char* at = record.data() + 1;
  std::uint64_t size = 0;
  const wire::VarintEnd end =
      wire::ReadVarint(at, record.data() + record.size(), wire::kLengthBytesMax, size);
  SLUICE_CHECK(end == wire::VarintEnd::kRead);  // the scanner has read it before
  return size;
}

}  // namespace

Status Refused(const wire::ScanError& error) {
  const bool is_bound = error.kind == wire::ScanError::Kind::kTooMany ||
                        error.kind == wire::ScanError::Kind::kTooLarge;
  Status status(Code::kInvalidArgument, is_bound ? "OUT_OF_BOUNDS" : "MALFORMED", error.text);
  status = std::move(status).With("field", std::string(error.field));
  status = std::move(status).With("fault", std::string(wire::Name(error.kind)));
  if (error.message_index >= 0) {
    status = std::move(status).With("index", std::to_string(error.message_index));
  }
  if (!is_bound) return status;
  return std::move(status)
      .With("limit", std::to_string(error.limit))
      .With("value", std::to_string(error.value));
}

Status SendFrame::Scan(const grpc::ByteBuffer& buffer) {
  Clear();
  if (buffer.Length() > kRequestFrameBytesMax) {
    return OutOfBounds("frame", "the most bytes of one request frame", kRequestFrameBytesMax,
                       buffer.Length());
  }
  frame_.emplace(buffer, scratch_);
  wire::ScanLimits limits;
  limits.frame_bytes_max = kRequestFrameBytesMax;
  limits.messages_max = kFrameMessagesMax;
  limits.message_bytes_max = kRequestFrameBytesMax;  // the channel's own limit is checked with it
  limits.headers_max = kHeadersMax;
  limits.header_bytes_max = kHeaderBytesMax;
  if (const auto error = wire::ScanFrame(frame_->bytes(), limits, scanned_)) {
    return Refused(*error);
  }
  return Status();
}

Status SendFrame::Check(std::string_view kind, std::uint64_t most,
                        std::uint64_t first_sequence) const {
  for (std::size_t i = 0; i < scanned_.messages.size(); ++i) {
    if (scanned_.messages[i].size <= most) continue;
    const std::uint64_t size = MessageBytes(frame_->bytes(), scanned_.messages[i]);
    if (size <= most) continue;
    return OutOfBounds("messages", "the " + std::string(kind) + "'s message_bytes_max", most, size)
        .With("index", std::to_string(i));
  }
  if (first_sequence > broker::kDrawnMax + 1 - messages()) {
    return OutOfBounds("first_sequence", "the most of the last message's", broker::kDrawnMax,
                       first_sequence);
  }
  return Status();
}

broker::Incoming SendFrame::Take() {
  records_.clear();
  records_.reserve(scanned_.messages.size());
  for (const wire::MessageSpan& span : scanned_.messages) {
    records_.push_back({.offset = span.offset, .size = span.size});
  }
  return broker::Incoming(frame_->bytes(), records_, broker::kStoredBatchBytesMax);
}

void SendFrame::Clear() {
  frame_.reset();
  scanned_.Clear();
}

}  // namespace sluice::rpc
