// SPDX-License-Identifier: Apache-2.0
// Call and CallParts.
#include <algorithm>
#include <utility>

#include "broker/refusals.h"
#include "rpc/convert.h"
#include "rpc/request_frames.h"
#include "rpc/request_handlers.h"
#include "rpc/unary.h"

namespace sluice::rpc {
namespace {

constexpr std::uint64_t kCallId = 1;  // of the one call of its caller
// A call that ends so shortly before its client's deadline has ended by it: gRPC's timer and ours
// round differently.
constexpr std::chrono::milliseconds kDeadlineSlack{5};
constexpr std::uint64_t kPartsAhead = broker::kPartCreditDefault;  // of those that were written

}  // namespace

// However it ended: a call that is still open has lost its caller (N24).
AskHandler::~AskHandler() {
  if (!caller_.has_value()) return;
  const TimePoint now = services_.broker.clock().Now();
  const bool is_over = grpc_deadline_ != kNever && Later(now, kDeadlineSlack) >= grpc_deadline_;
  responder_->Leave(*caller_, is_over ? broker::GivingUp::kTimedOut : broker::GivingUp::kCancelled);
}

template <class Request>
Status AskHandler::Begin(const grpc::ByteBuffer& frame, bool wants_parts) {
  ItemFrame items(call().worker().scratch());
  ItemLayout layout;
  layout.message_field = Request::kRequestFieldNumber;
  Request request;
  if (Status read = items.Read(frame, layout, request); !read.ok()) return read;
  auto responder = services_.broker.responders().Find(request.responder());
  if (!responder) return responder.error();
  broker::EncodedMessage& message = items.messages().front();
  if (!message) message = EmptyMessage();
  if (message.size() > (*responder)->spec().message_bytes_max) {
    return OutOfBounds("request", "the responder's message_bytes_max",
                       (*responder)->spec().message_bytes_max, message.size());
  }
  broker::CallOptions options;
  const TimePoint own = WaitUntil(services_.broker.clock().Now(), request.timeout_ms());
  grpc_deadline_ = call().deadline();
  is_timed_by_client_ = grpc_deadline_ < own;
  options.deadline = std::min(own, grpc_deadline_);
  options.wait_for_responder = request.wait_for_responder();
  options.retry_on_loss = request.retry_on_responder_loss();
  options.wants_parts = wants_parts;
  options.part_credit = kPartsAhead;
  responder_ = std::move(*responder);
  services_.streams.SetChannel(call().info(), responder_->name());
  call().info().state = "waiting";
  caller_.emplace(call().notifier());
  refused_ = responder_->Ask(*caller_, kCallId, std::move(message), options);
  return Status();
}

template <class Request>
void AskHandler::Ask(const grpc::ByteBuffer& frame, bool wants_parts) {
  if (Status begun = Begin<Request>(frame, wants_parts); !begun.ok()) return call().Finish(begun);
  Advance();
}

std::optional<broker::CallReply> AskHandler::Next() {
  if (responder_ == nullptr) return std::nullopt;
  if (refused_.has_value()) return std::exchange(refused_, std::nullopt);
  broker::CallReplies out;
  responder_->TakeReplies(*caller_, 1, 0, out);
  if (out.replies.empty()) return std::nullopt;
  broker::CallReply& reply = out.replies.front();
  if (reply.outcome == broker::Outcome::kTimedOut && is_timed_by_client_) {
    call().Finish(Status(Code::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                         "no reply came before the call's deadline"));
    return std::nullopt;
  }
  return std::move(reply);
}

void AskHandler::OnHalfClose() {
  if (responder_ == nullptr) {
    call().Finish(UnaryHandler<v1::CallRequest, v1::CallResponse>::NoRequest());
  }
}

// The responder's own end tells the caller; past the grace all have ended.
void AskHandler::OnDrain(bool is_final) {
  if (responder_ == nullptr) return call().Finish(broker::Draining());
  if (is_final) Advance();
}

void CallHandler::OnFrame(const grpc::ByteBuffer& frame) { Ask<v1::CallRequest>(frame, false); }

void CallHandler::Advance() {
  if (call().is_finishing()) return;
  if (auto reply = Next()) call().WriteAndFinish(MakeFrame({}, EncodeCallResponse(*reply)));
}

void CallPartsHandler::OnFrame(const grpc::ByteBuffer& frame) {
  Ask<v1::CallPartsRequest>(frame, true);
}

// Parts are asked of the worker as they are taken.
void CallPartsHandler::OnWritten(bool ok) {
  if (!ok) return;
  ++written_;
  responder()->AllowParts(caller(), kCallId, written_ + kPartsAhead);
  Advance();
}

void CallPartsHandler::Advance() {
  if (call().is_finishing() || call().is_writing()) return;
  const auto reply = Next();
  if (!reply.has_value()) return;
  const grpc::ByteBuffer frame = MakeFrame({}, EncodeCallPartsResponse(*reply));
  if (reply->is_last) {
    call().WriteAndFinish(frame);
  } else {
    call().Write(frame);
  }
}

}  // namespace sluice::rpc
