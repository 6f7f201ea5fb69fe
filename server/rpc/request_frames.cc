// SPDX-License-Identifier: Apache-2.0
#include "rpc/request_frames.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/check.h"
#include "rpc/convert.h"
#include "sluice/v1/request.pb.h"
#include "wire/field.h"
#include "wire/frame_fields.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

// The numbers of the same fields in the three messages that answer a call; 0: it has none such.
struct ReplyFields {
  std::uint32_t call_id, outcome, message, failure, reason, handed_out, last, full_reason;
};

constexpr ReplyFields kCallResponse = {.call_id = 0,
                                       .outcome = v1::CallResponse::kOutcomeFieldNumber,
                                       .message = v1::CallResponse::kMessageFieldNumber,
                                       .failure = v1::CallResponse::kFailureFieldNumber,
                                       .reason = v1::CallResponse::kReasonFieldNumber,
                                       .handed_out = v1::CallResponse::kHandedOutFieldNumber,
                                       .last = 0,
                                       .full_reason = v1::CallResponse::kFullReasonFieldNumber};
constexpr ReplyFields kCallPartsResponse = {
    .call_id = 0,
    .outcome = v1::CallPartsResponse::kOutcomeFieldNumber,
    .message = v1::CallPartsResponse::kMessageFieldNumber,
    .failure = v1::CallPartsResponse::kFailureFieldNumber,
    .reason = v1::CallPartsResponse::kReasonFieldNumber,
    .handed_out = v1::CallPartsResponse::kHandedOutFieldNumber,
    .last = v1::CallPartsResponse::kLastFieldNumber,
    .full_reason = v1::CallPartsResponse::kFullReasonFieldNumber};
constexpr ReplyFields kCallReply = {.call_id = v1::CallReply::kCallIdFieldNumber,
                                    .outcome = v1::CallReply::kOutcomeFieldNumber,
                                    .message = v1::CallReply::kMessageFieldNumber,
                                    .failure = v1::CallReply::kFailureFieldNumber,
                                    .reason = v1::CallReply::kReasonFieldNumber,
                                    .handed_out = v1::CallReply::kHandedOutFieldNumber,
                                    .last = v1::CallReply::kLastFieldNumber,
                                    .full_reason = v1::CallReply::kFullReasonFieldNumber};

// All but the message.
std::string EncodeHead(const broker::CallReply& reply, const ReplyFields& fields) {
  std::string out;
  if (fields.call_id != 0) wire::AppendUint(out, fields.call_id, reply.call_id);
  wire::AppendUint(out, fields.outcome, static_cast<std::uint64_t>(reply.outcome));
  if (reply.outcome == broker::Outcome::kFailed) {
    v1::Failure failure;
    failure.set_code(reply.failure.code);
    failure.set_text(reply.failure.text);
    wire::AppendBytesPresent(out, fields.failure, failure.SerializeAsString());
  }
  wire::AppendUint(out, fields.reason, static_cast<std::uint64_t>(reply.reason));
  wire::AppendUint(out, fields.handed_out, reply.handed_out);
  if (fields.last != 0) wire::AppendUint(out, fields.last, reply.is_last);
  wire::AppendUint(out, fields.full_reason, static_cast<std::uint64_t>(reply.full_reason));
  return out;
}

// A message joined from parts: the first, with all payloads for its own.
std::string Join(const broker::EncodedMessage& first, const std::string& payload) {
  std::string out;
  out.reserve(first.other_bytes + payload.size() + 8);
  const std::string_view bytes = first.view();
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  wire::Field field;
  while (at != end) {
    SLUICE_CHECK(wire::ReadField(at, end, field));  // the scanner has read it before
    if (field.number != wire::message_field::kPayload) out.append(field.begin, at);
  }
  wire::AppendBytes(out, wire::message_field::kPayload, payload);
  return out;
}

std::size_t BytesFieldSize(std::uint32_t field, std::size_t size) {
  return wire::VarintBytes(std::uint64_t{field} << 3) + wire::VarintBytes(size) + size;
}

// An item of `head` and a message, as a field of the frame, or as the frame itself (field 0).
void AppendItem(std::uint32_t item_field, const std::string& head, std::uint32_t message_field,
                bool has_message, std::string_view message, std::string& frame) {
  const std::size_t message_size = has_message ? BytesFieldSize(message_field, message.size()) : 0;
  const std::size_t size = head.size() + message_size;
  if (item_field != 0) {
    wire::AppendTag(frame, item_field, wire::WireType::kBytes);
    wire::AppendVarint(frame, size);
  }
  frame += head;
  if (has_message) wire::AppendBytesPresent(frame, message_field, message);
}

void AppendReply(std::uint32_t item_field, const broker::CallReply& reply,
                 const ReplyFields& fields, std::string& frame) {
  const std::string head = EncodeHead(reply, fields);
  const bool has_message = static_cast<bool>(reply.message);
  if (reply.joined_payload == nullptr) {
    AppendItem(item_field, head, fields.message, has_message, reply.message.view(), frame);
  } else {
    AppendItem(item_field, head, fields.message, has_message,
               Join(reply.message, *reply.joined_payload), frame);
  }
}

// 0: it has no end; what is about to end has 1.
std::uint32_t MsLeft(TimePoint deadline, TimePoint now) {
  if (deadline == kNever) return 0;
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, kMost));
}

}  // namespace

std::string EncodeCallResponse(const broker::CallReply& reply) {
  std::string frame;
  AppendReply(0, reply, kCallResponse, frame);
  return frame;
}

std::string EncodeCallPartsResponse(const broker::CallReply& reply) {
  std::string frame;
  AppendReply(0, reply, kCallPartsResponse, frame);
  return frame;
}

void AppendCallReply(const broker::CallReply& reply, std::string& frame) {
  AppendReply(v1::CallStreamResponse::kRepliesFieldNumber, reply, kCallReply, frame);
}

void AppendAssignment(const broker::Assignment& assignment, TimePoint now, std::string& frame) {
  std::string head;
  wire::AppendUint(head, v1::Assignment::kCallIdFieldNumber, assignment.call_id);
  wire::AppendUint(head, v1::Assignment::kTimeoutMsFieldNumber, MsLeft(assignment.deadline, now));
  wire::AppendUint(head, v1::Assignment::kPartsFieldNumber, assignment.wants_parts);
  wire::AppendUint(head, v1::Assignment::kPartCreditFieldNumber, assignment.part_credit);
  wire::AppendUint(head, v1::Assignment::kAttemptsFieldNumber, assignment.attempts);
  AppendItem(v1::ServeResponse::kAssignmentsFieldNumber, head, v1::Assignment::kRequestFieldNumber,
             true, assignment.request.view(), frame);
}

}  // namespace sluice::rpc
