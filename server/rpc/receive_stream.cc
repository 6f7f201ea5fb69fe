// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "broker/refusals.h"
#include "rpc/byte_buffer.h"
#include "rpc/call_stats.h"
#include "rpc/convert.h"
#include "rpc/queue_handlers.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

// Results kept for a client that settles and does not read; then its frames are not read either.
constexpr std::size_t kResultsMax = 16'384;

Status OutOfOrder(const char* message, const char* field) {
  return Status(Code::kInvalidArgument, "OUT_OF_ORDER", message).With("field", field);
}

}  // namespace

ReceiveStreamHandler::ReceiveStreamHandler(Call& call, const Services& services)
    : Handler(call), services_(services) {}

// Ended in any other way: the stream was lost, and what it held goes back (N15).
ReceiveStreamHandler::~ReceiveStreamHandler() { Leave(); }

void ReceiveStreamHandler::Leave() {
  if (!std::exchange(is_in_queue_, false)) return;
  queue_->Detach(consumer_, is_finishing_ ? broker::Leaving::kFinished : broker::Leaving::kLost);
}

Status ReceiveStreamHandler::Open(const v1::ReceiveStreamRequest& request) {
  if (!request.has_open()) return OutOfOrder("the first frame has no open", "open");
  if (request.has_credit() || request.settlements_size() != 0 || request.finish()) {
    return OutOfOrder("the first frame has more than open", "open");
  }
  const v1::ReceiveOpen& open = request.open();
  if (open.consumer().size() > broker::kNameBytesMax) {
    return OutOfBounds("open.consumer", "the most bytes", broker::kNameBytesMax,
                       open.consumer().size());
  }
  Result<Duration> ack_timeout = TimeOf("open.ack_timeout_ms", open.ack_timeout_ms());
  if (!ack_timeout) return ack_timeout.error();
  if (open.auto_ack() && open.ack_timeout_ms() != 0) {
    return InvalidField("open.ack_timeout_ms", "with auto_ack nothing is left to time out");
  }
  auto spec = SpecOf(open.has_spec(), open.spec());
  if (!spec) return spec.error();
  broker::ConsumerOptions options;
  switch (open.mode()) {
    case v1::ATTACH_MODE_UNSPECIFIED:
    case v1::ATTACH_MODE_REFUSE:
      options.mode = broker::AttachMode::kRefuse;
      break;
    case v1::ATTACH_MODE_STANDBY:
      options.mode = broker::AttachMode::kStandby;
      break;
    case v1::ATTACH_MODE_TAKE_OVER:
      options.mode = broker::AttachMode::kTakeOver;
      break;
    default:
      return InvalidField("open.mode", "the value is not one that is known");
  }
  auto queue = services_.broker.queues().Open(open.queue(), *spec);
  if (!queue) return queue.error();
  options.name = open.consumer();
  options.peer = call().peer();
  options.auto_ack = is_auto_ack_ = open.auto_ack();
  options.ack_timeout = *ack_timeout;
  if (open.has_credit()) options.credit = CreditOf(open.credit());
  call().info().credit_messages = options.credit.messages;
  Status attached = (*queue)->Attach(consumer_, std::move(options), call().notifier());
  if (!attached.ok()) return attached;
  queue_ = *queue;
  is_in_queue_ = true;
  services_.streams.SetChannel(call().info(), queue_->name());
  if (const std::uint32_t place = queue_->PlaceInLine(consumer_); place != 0) {
    call().info().state = "standby";
    v1::ReceiveStreamResponse waiting;
    waiting.mutable_waiting()->set_place(place);
    event_ = waiting.SerializeAsString();
  }
  return Status();
}

Status ReceiveStreamHandler::Apply(const v1::ReceiveStreamRequest& request) {
  if (request.has_open()) {
    return OutOfOrder("open stands in a frame that is not the first", "open");
  }
  auto settlements = FromWire(request.settlements(), /*has_own_lease=*/true);
  if (!settlements) return settlements.error();
  if (!settlements->empty()) queue_->Settle(*settlements, attached_.lease, results_);
  if (request.has_credit()) {
    call().info().credit_messages = request.credit().messages();
    queue_->SetCredit(consumer_, CreditOf(request.credit()));
  }
  if (request.finish() && !is_finishing_) {
    is_finishing_ = true;
    call().info().state = "finishing";
    queue_->Finish(consumer_);
  }
  return Status();
}

void ReceiveStreamHandler::OnFrame(const grpc::ByteBuffer& frame) {
  v1::ReceiveStreamRequest request;
  Status applied = Parse(frame, request);
  if (applied.ok()) applied = queue_ == nullptr ? Open(request) : Apply(request);
  if (!applied.ok()) {
    call().info().held_messages = 0;
    Leave();  // Not when the status is out: a client that does not read holds that up.
    return call().Finish(applied);
  }
  Advance();
}

// After `finish`: what is still held goes back, then the same end. Without it: a lost stream.
void ReceiveStreamHandler::OnHalfClose() {
  if (queue_ == nullptr) {
    return call().Finish(OutOfOrder("the stream ended without an open", "open"));
  }
  Leave();
  if (!is_finishing_) return call().Finish(Status());
  Advance();
}

void ReceiveStreamHandler::OnWritten(bool ok) {
  if (is_auto_ack_ && is_in_queue_ && writing_.messages != 0) {
    queue_->Written(consumer_, writing_, ok);
  }
  writing_ = broker::Delivery();
  if (ok) Advance();
}

// The queue's own end tells a consumer of the drain when it has everything; past the grace, now.
void ReceiveStreamHandler::OnDrain(bool is_final) {
  if (queue_ == nullptr) return call().Finish(broker::Draining());
  if (!is_final) return;
  Advance();
  if (ended_ != broker::ClosedReason::kUnspecified || call().is_finishing()) return;
  ended_ = broker::ClosedReason::kShuttingDown;
  Advance();
}

void ReceiveStreamHandler::Advance() {
  if (queue_ == nullptr || call().is_finishing()) return;
  if (is_in_queue_ && ended_ == broker::ClosedReason::kUnspecified) {
    const broker::ConsumerNews news = queue_->Poll(consumer_);
    ended_ = news.ended;
    superseded_by_ = news.superseded_by;
    if (news.attached.has_value()) {
      attached_ = *news.attached;
      is_attached_ = true;
      call().info().state = is_finishing_ ? "finishing" : "attached";
      v1::ReceiveStreamResponse frame;
      frame.mutable_attached()->set_lease(attached_.lease);
      frame.mutable_attached()->set_fence(attached_.fence);
      frame.mutable_attached()->set_epoch(attached_.epoch);
      frame.mutable_attached()->set_next_position(attached_.next_position);
      frame.mutable_attached()->set_max_in_flight(attached_.max_in_flight);
      next_event_ = frame.SerializeAsString();
    }
  }
  if (EndIfOver()) return;
  if (!call().is_writing()) Deliver();
  if (is_in_queue_ && results_.size() < kResultsMax) call().Read();
}

bool ReceiveStreamHandler::EndIfOver() {
  if (ended_ == broker::ClosedReason::kSuperseded) {
    call().Finish(Status(Code::kAborted, "SUPERSEDED", "another consumer has taken the seat")
                      .With("fence", std::to_string(superseded_by_)));
    return true;
  }
  if (call().is_writing() || !event_.empty() || !next_event_.empty() || !results_.empty()) {
    return false;
  }
  if (ended_ != broker::ClosedReason::kUnspecified) {
    End(ended_);
    return true;
  }
  if (is_finishing_ && (!is_in_queue_ || queue_->HoldsNothing(consumer_))) {
    End(broker::ClosedReason::kFinished);
    return true;
  }
  return false;
}

void ReceiveStreamHandler::Deliver() {
  std::string rest;
  if (!event_.empty() || !next_event_.empty()) {
    // One event a frame, in their order.
    std::string& event = event_.empty() ? next_event_ : event_;
    rest.swap(event);
  } else if (is_attached_ && !is_finishing_ && is_in_queue_) {
    queue_->Take(consumer_, broker::kDeliveryBytesMax, writing_, /*is_writing=*/!results_.empty());
    call().worker().cells().QueueDelivers(writing_.runs, services_.broker.clock().UnixMicros());
    AppendRuns(writing_, rest);
  }
  if (!results_.empty()) {
    v1::ReceiveStreamResponse settled;
    for (const broker::SettleResult& result : results_) *settled.add_settled() = ToWire(result);
    results_.clear();
    settled.AppendToString(&rest);
  }
  if (is_in_queue_) call().info().held_messages = queue_->HeldBy(consumer_);
  if (rest.empty()) return;
  call().Write(MakeFrame(writing_, rest));
  if (!is_auto_ack_) writing_ = broker::Delivery();
}

void ReceiveStreamHandler::End(broker::ClosedReason reason) {
  v1::ReceiveStreamResponse last;
  last.mutable_closed()->set_reason(ToWire(reason));
  call().WriteAndFinish(Serialize(last));
}

}  // namespace sluice::rpc
