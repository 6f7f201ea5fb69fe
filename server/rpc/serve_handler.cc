// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "broker/refusals.h"
#include "rpc/byte_buffer.h"
#include "rpc/convert.h"
#include "rpc/limits.h"
#include "rpc/request_convert.h"
#include "rpc/request_frames.h"
#include "rpc/request_handlers.h"

namespace sluice::rpc {
namespace {

// Results kept for a client that replies and does not read; then its frames are not read either.
constexpr std::size_t kResultsMax = 16'384;

constexpr ItemLayout kLayout = {.items_field = v1::ServeRequest::kRepliesFieldNumber,
                                .items_name = "replies",
                                .items_max = kSettlementsMax,
                                .message_field = v1::WorkerReply::kMessageFieldNumber,
                                .id_field = v1::WorkerReply::kCallIdFieldNumber};

Status OutOfOrder(const char* message) {
  return Status(Code::kInvalidArgument, "OUT_OF_ORDER", message).With("field", "open");
}

}  // namespace

ServeHandler::ServeHandler(Call& call, const Services& services)
    : Handler(call), services_(services), items_(call.worker().scratch()) {}

// Ended without Detach: the stream was lost (N23).
ServeHandler::~ServeHandler() { Detach(broker::Leaving::kLost); }

void ServeHandler::Detach(broker::Leaving leaving) {
  if (std::exchange(is_attached_, false)) responder_->Detach(worker_, leaving);
}

Status ServeHandler::Open(const v1::ServeRequest& request) {
  if (!request.has_open()) return OutOfOrder("the first frame has no open");
  if (request.has_credit() || request.replies_size() != 0 || request.finish()) {
    return OutOfOrder("the first frame has more than open");
  }
  const v1::ServeOpen& open = request.open();
  if (open.worker().size() > broker::kNameBytesMax) {
    return OutOfBounds("open.worker", "the most bytes", broker::kNameBytesMax,
                       open.worker().size());
  }
  std::optional<broker::ResponderSpec> spec;
  if (open.has_spec()) spec = FromWire(open.spec());
  auto responder = services_.broker.responders().Open(open.responder(), spec);
  if (!responder) return responder.error();
  broker::WorkerOptions options;
  options.name = open.worker();
  options.peer = call().peer();
  options.stream_id = call().info().id;
  if (open.has_credit()) options.credit = CreditOf(open.credit());
  call().info().credit_messages = options.credit.messages;
  responder_ = std::move(*responder);
  services_.streams.SetChannel(call().info(), responder_->name());
  const broker::Responder::Attachment attachment =
      responder_->Attach(worker_, std::move(options), call().notifier());
  is_attached_ = attachment.fence != 0;
  fence_ = attachment.fence;
  ended_ = attachment.ended;
  call().info().state = "attached";
  return Status();
}

// All of a frame is looked at before any of it is done.
Status ServeHandler::Apply(v1::ServeRequest& request) {
  if (request.has_open()) return OutOfOrder("open stands in a frame that is not the first");
  std::vector<broker::WorkerReply> replies;
  replies.reserve(static_cast<std::size_t>(request.replies_size()));
  for (v1::WorkerReply& reply : *request.mutable_replies()) {
    Result<broker::WorkerReply> good = FromWire(reply);
    if (!good) return std::move(good.error()).With("index", std::to_string(replies.size()));
    good->message = std::move(items_.messages()[replies.size()]);
    replies.push_back(std::move(*good));
  }
  if (!replies.empty()) responder_->Reply(worker_, replies, results_);
  if (request.has_credit()) {
    call().info().credit_messages = request.credit().messages();
    responder_->SetCredit(worker_, CreditOf(request.credit()));
  }
  if (request.finish() && !is_finishing_) {
    is_finishing_ = true;
    call().info().state = "finishing";
    responder_->Finish(worker_);
  }
  return Status();
}

void ServeHandler::OnFrame(const grpc::ByteBuffer& frame) {
  v1::ServeRequest request;
  Status applied = items_.Read(frame, kLayout, request);
  if (applied.ok()) applied = responder_ == nullptr ? Open(request) : Apply(request);
  if (!applied.ok()) {
    Detach(broker::Leaving::kLost);
    return call().Finish(applied);
  }
  Advance();
}

// Without `finish`: a lost stream. After it: the same end, and what is still held is released when
// the transport has taken that; for a cancel looks like a half-close until then.
void ServeHandler::OnHalfClose() {
  if (responder_ == nullptr) {
    return call().Finish(OutOfOrder("the stream ended without an open"));
  }
  is_half_closed_ = is_finishing_;
  if (is_half_closed_) return Advance();
  Detach(broker::Leaving::kLost);
  call().Finish(Status());
}

void ServeHandler::OnFinished(bool ok) {
  if (is_half_closed_ && ok) Detach(broker::Leaving::kFinished);
}

void ServeHandler::OnWritten(bool ok) {
  if (ok) Advance();
}

// The responder's own end tells a worker of the drain; past the grace, now.
void ServeHandler::OnDrain(bool is_final) {
  if (responder_ == nullptr) return call().Finish(broker::Draining());
  if (!is_final) return;
  Advance();
  if (ended_ != broker::ClosedReason::kUnspecified || call().is_finishing()) return;
  ended_ = broker::ClosedReason::kShuttingDown;
  Advance();
}

void ServeHandler::Advance() {
  if (responder_ == nullptr || call().is_finishing()) return;
  if (!call().is_writing()) Write();
  if (EndIfOver()) return;
  if (is_attached_ && !is_half_closed_ && results_.size() < kResultsMax) call().Read();
}

void ServeHandler::Write() {
  v1::ServeResponse head;
  if (const std::uint64_t fence = std::exchange(fence_, 0); fence != 0) {
    head.mutable_attached()->set_fence(fence);
    head.mutable_attached()->set_epoch(responder_->epoch());
  }
  for (const broker::ReplyResult& result : results_) {
    v1::ReplyResult& out = *head.add_results();
    out.set_call_id(result.call_id);
    out.set_outcome(ToWire(result.outcome));
  }
  results_.clear();
  std::string frame = head.SerializeAsString();
  if (is_attached_ && ended_ == broker::ClosedReason::kUnspecified) {
    responder_->Take(worker_, broker::kDeliveryBytesMax, !frame.empty(), news_);
    ended_ = news_.ended;
    const TimePoint now = services_.broker.clock().Now();
    for (const broker::Assignment& one : news_.assignments) AppendAssignment(one, now, frame);
    v1::ServeResponse tail;
    for (const broker::PartCredit& credit : news_.part_credit) {
      v1::PartCredit& out = *tail.add_part_credit();
      out.set_call_id(credit.call_id);
      out.set_parts(credit.parts);
    }
    tail.mutable_cancelled()->Add(news_.cancelled.begin(), news_.cancelled.end());
    tail.AppendToString(&frame);
    news_.assignments.clear();
    call().info().held_messages = responder_->HeldBy(worker_);
  }
  if (!frame.empty()) call().Write(MakeFrame({}, frame));
}

bool ServeHandler::EndIfOver() {
  if (call().is_writing() || !results_.empty() || fence_ != 0) return false;
  broker::ClosedReason reason = ended_;
  if (reason == broker::ClosedReason::kUnspecified && is_finishing_ &&
      (is_half_closed_ || !is_attached_ || responder_->HeldBy(worker_) == 0)) {
    reason = broker::ClosedReason::kFinished;
  }
  if (reason == broker::ClosedReason::kUnspecified) return false;
  v1::ServeResponse last;
  last.mutable_closed()->set_reason(ToWire(reason));
  call().WriteAndFinish(Serialize(last));
  return true;
}

}  // namespace sluice::rpc
