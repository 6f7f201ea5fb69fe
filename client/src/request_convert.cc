// SPDX-License-Identifier: Apache-2.0
#include "request_convert.h"

#include <utility>

#include "queue_convert.h"
#include "same_number.h"

namespace sluice {
inline namespace abi1 {
namespace {

static_assert(Same(ResponderState::kOpen, v1::RESPONDER_STATE_OPEN) &&
              Same(ResponderState::kClosed, v1::RESPONDER_STATE_CLOSED) &&
              Same(ResponderState::kEnded, v1::RESPONDER_STATE_ENDED) &&
              v1::ResponderState_MAX == 3);

}  // namespace

v1::Message ToWire(const Message& message) {
  v1::Message wire;
  wire.set_payload(message.payload.data(), message.payload.size());
  wire.set_id(message.id.data(), message.id.size());
  wire.set_content_type(message.content_type.data(), message.content_type.size());
  for (const Header& header : message.headers) {
    (*wire.mutable_headers())[std::string(header.key)] = std::string(header.value);
  }
  return wire;
}

OwnedMessage TakeFromWire(v1::Message& message) {
  OwnedMessage owned;
  owned.payload = std::move(*message.mutable_payload());
  owned.id = std::move(*message.mutable_id());
  owned.content_type = std::move(*message.mutable_content_type());
  for (auto& [key, value] : *message.mutable_headers()) {
    owned.headers.emplace_back(key, std::move(value));
  }
  return owned;
}

v1::ResponderSpec ToWire(const ResponderSpec& spec) {
  v1::ResponderSpec wire;
  wire.set_capacity(spec.capacity);
  wire.set_bytes_max(spec.bytes_max);
  wire.set_message_bytes_max(spec.message_bytes_max);
  return wire;
}

ResponderDescription FromWire(const v1::ResponderDescription& from) {
  ResponderDescription to;
  to.name = from.name();
  to.spec.capacity = from.spec().capacity();
  to.spec.bytes_max = from.spec().bytes_max();
  to.spec.message_bytes_max = from.spec().message_bytes_max();
  to.epoch = from.epoch();
  to.state = static_cast<ResponderState>(from.state());
  to.closed_reason = FromWire(from.closed_reason());
  to.accepted = from.accepted();
  to.answered = from.answered();
  to.failed = from.failed();
  to.responder_gone = from.responder_gone();
  to.no_responder = from.no_responder();
  to.too_large = from.too_large();
  to.timed_out = from.timed_out();
  to.cancelled = from.cancelled();
  to.closed = from.closed();
  to.depth = from.depth();
  to.in_flight = from.in_flight();
  to.refused_full = from.refused_full();
  to.refused_no_responder = from.refused_no_responder();
  to.refused_closed = from.refused_closed();
  to.redelivered = from.redelivered();
  to.late_replies = from.late_replies();
  to.retained_bytes = from.retained_bytes();
  to.workers = from.workers();
  return to;
}

WorkerDescription FromWire(const v1::WorkerDescription& from) {
  WorkerDescription to;
  to.stream_id = from.stream_id();
  to.worker = from.worker();
  to.peer = from.peer();
  to.fence = from.fence();
  to.credit_messages = from.credit().messages();
  to.credit_bytes = from.credit().bytes();
  to.held = from.held();
  to.answered = from.answered();
  to.finishing = from.finishing();
  return to;
}

template <class Wire>
void TakeReply(Wire& from, CallReply& to) {
  to.outcome = FromWire(from.outcome());
  to.has_message = from.has_message();
  if (to.has_message) to.message = TakeFromWire(*from.mutable_message());
  to.failure = {from.failure().code(), from.failure().text()};
  to.reason = FromWire(from.reason());
  to.handed_out = from.handed_out();
  to.full_reason = static_cast<FullReason>(from.full_reason());
}

template void TakeReply(v1::CallResponse& from, CallReply& to);
template void TakeReply(v1::CallReply& from, CallReply& to);

}  // namespace abi1
}  // namespace sluice
