// SPDX-License-Identifier: Apache-2.0
#include "rpc/request_convert.h"

#include <utility>

#include "rpc/convert.h"

namespace sluice::rpc {
namespace {

v1::ResponderState ToWire(broker::ResponderState state) {
  switch (state) {
    case broker::ResponderState::kOpen:
      return v1::RESPONDER_STATE_OPEN;
    case broker::ResponderState::kClosed:
      return v1::RESPONDER_STATE_CLOSED;
    case broker::ResponderState::kEnded:
      return v1::RESPONDER_STATE_ENDED;
  }
  return v1::RESPONDER_STATE_UNSPECIFIED;
}

Status CheckFailure(const v1::Failure& failure) {
  if (failure.code().size() > broker::kFailureCodeBytesMax) {
    return OutOfBounds("replies.failure.code", "the most bytes", broker::kFailureCodeBytesMax,
                       failure.code().size());
  }
  if (failure.text().size() > broker::kFailureTextBytesMax) {
    return OutOfBounds("replies.failure.text", "the most bytes", broker::kFailureTextBytesMax,
                       failure.text().size());
  }
  if (failure.code().starts_with('_')) {
    return InvalidField("replies.failure.code", "a code that begins with _ is the broker's own");
  }
  return Status();
}

Status Check(const v1::WorkerReply& reply) {
  if (reply.has_failure()) return CheckFailure(reply.failure());
  if (reply.reply_case() == v1::WorkerReply::REPLY_NOT_SET && !reply.last()) {
    return InvalidField("replies.reply", "it has no content, and is not the last");
  }
  return Status();
}

}  // namespace

broker::ResponderSpec FromWire(const v1::ResponderSpec& spec) {
  broker::ResponderSpec out;
  out.capacity = spec.capacity();
  out.bytes_max = spec.bytes_max();
  out.message_bytes_max = spec.message_bytes_max();
  return out;
}

v1::ResponderDescription ToWire(const broker::ResponderStats& s) {
  v1::ResponderDescription out;
  out.set_name(s.name);
  v1::ResponderSpec& spec = *out.mutable_spec();
  spec.set_capacity(s.spec.capacity);
  spec.set_bytes_max(s.spec.bytes_max);
  spec.set_message_bytes_max(s.spec.message_bytes_max);
  out.set_epoch(s.epoch);
  out.set_state(ToWire(s.state));
  out.set_closed_reason(ToWire(s.closed_reason));
  const broker::ResponderCounts& counts = s.counts;
  out.set_accepted(counts.accepted);
  out.set_answered(counts.answered);
  out.set_failed(counts.failed);
  out.set_responder_gone(counts.responder_gone);
  out.set_no_responder(counts.no_responder);
  out.set_too_large(counts.too_large);
  out.set_timed_out(counts.timed_out);
  out.set_cancelled(counts.cancelled);
  out.set_closed(counts.closed);
  out.set_depth(s.depth);
  out.set_in_flight(s.in_flight);
  out.set_refused_full(counts.refused_full);
  out.set_refused_no_responder(counts.refused_no_responder);
  out.set_refused_closed(counts.refused_closed);
  out.set_redelivered(counts.redelivered);
  out.set_late_replies(counts.late_replies);
  out.set_retained_bytes(s.retained_bytes);
  out.set_workers(s.workers);
  return out;
}

v1::WorkerDescription ToWire(const broker::WorkerStats& stats) {
  v1::WorkerDescription out;
  out.set_stream_id(stats.stream_id);
  out.set_worker(stats.name);
  out.set_peer(stats.peer);
  out.set_fence(stats.fence);
  out.mutable_credit()->set_messages(stats.credit.messages);
  out.mutable_credit()->set_bytes(stats.credit.bytes);
  out.set_held(stats.held);
  out.set_answered(stats.answered);
  out.set_finishing(stats.is_finishing);
  return out;
}

Result<broker::WorkerReply> FromWire(v1::WorkerReply& reply) {
  if (Status good = Check(reply); !good.ok()) {
    return std::move(good).With("call_id", std::to_string(reply.call_id()));
  }
  broker::WorkerReply out;
  out.call_id = reply.call_id();
  out.is_last = reply.last();
  switch (reply.reply_case()) {
    case v1::WorkerReply::kMessage:
      out.kind = broker::ReplyKind::kMessage;
      break;
    case v1::WorkerReply::kFailure:
      out.kind = broker::ReplyKind::kFailure;
      out.failure.code = std::move(*reply.mutable_failure()->mutable_code());
      out.failure.text = std::move(*reply.mutable_failure()->mutable_text());
      break;
    case v1::WorkerReply::kRelease:
      out.kind = broker::ReplyKind::kRelease;
      break;
    case v1::WorkerReply::REPLY_NOT_SET:
      break;
  }
  return out;
}

}  // namespace sluice::rpc
