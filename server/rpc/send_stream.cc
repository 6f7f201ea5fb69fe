// SPDX-License-Identifier: Apache-2.0
#include "rpc/convert.h"
#include "rpc/queue_handlers.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

// Acks kept for a client that sends and does not read; then its frames are not read either.
constexpr std::size_t kAcksMax = 4'096;

bool IsSpent(broker::Outcome outcome) {
  return outcome != broker::Outcome::kClosed && outcome != broker::Outcome::kUnknown;
}

void AppendAcks(const std::vector<broker::Ack>& acks, std::string& frame) {
  for (const broker::Ack& ack : acks) {
    const bool is_ok = ack.outcome == broker::Outcome::kOk;
    wire::AppendAck(frame, {.first_sequence = ack.first_sequence,
                            .count = ack.count,
                            .outcome = static_cast<std::uint32_t>(ack.outcome),
                            .first_position = ack.first_position,
                            .durability = is_ok ? std::uint32_t{v1::DURABILITY_MEMORY} : 0u,
                            .is_duplicate = ack.duplicate,
                            .reason = static_cast<std::uint32_t>(ack.reason)});
  }
}

}  // namespace

SendStreamHandler::SendStreamHandler(Call& call, const Services& services)
    : Handler(call), services_(services), frame_(call.worker().scratch()) {}

// However the stream ended: what still waits is cancelled, and the sender is dropped (N3).
SendStreamHandler::~SendStreamHandler() {
  if (queue_ == nullptr) return;
  queue_->CancelSend(ticket_);
  queue_->CloseProducer(producer_);
}

Status SendStreamHandler::Open(const v1::SendOpen& open) {
  Result<broker::SendMode> mode = ModeOf(open.mode());
  if (!mode) return mode.error();
  if (Status id = CheckId("open.producer_id", open.producer_id(), broker::kProducerIdBytes);
      !id.ok()) {
    return id;
  }
  if (Status id = CheckId("open.session_id", open.session_id(), broker::kSessionIdBytes);
      !id.ok()) {
    return id;
  }
  auto spec = SpecOf(open.has_spec(), open.spec());
  if (!spec) return spec.error();
  auto queue = services_.broker.queues().Open(open.queue(), *spec);
  if (!queue) return queue.error();
  if (!open.session_id().empty()) {
    Status tied = services_.broker.sessions().Tie(open.session_id(), call().notifier());
    if (!tied.ok()) return tied;
  }
  auto opened = (*queue)->OpenProducer(producer_, open.producer_id(), call().notifier());
  if (!opened) return opened.error();
  queue_ = *queue;
  last_sequence_ = opened->last_sequence;
  options_.mode = *mode;
  options_.producer_id = open.producer_id();
  session_id_ = open.session_id();
  wait_ = std::chrono::milliseconds(open.wait_ms());
  v1::SendStreamResponse answer;
  answer.mutable_opened()->set_epoch(opened->epoch);
  answer.mutable_opened()->set_last_sequence(opened->last_sequence);
  answer.mutable_opened()->set_capacity(opened->capacity);
  answer.mutable_opened()->set_durability(v1::DURABILITY_MEMORY);
  opened_ = answer.SerializeAsString();
  services_.streams.SetChannel(call().info(), queue_->name());
  return Status();
}

Status SendStreamHandler::Place(const grpc::ByteBuffer& buffer) {
  if (Status scanned = frame_.Scan(buffer); !scanned.ok()) return scanned;
  v1::SendStreamRequest request;
  if (!request.ParseFromString(frame_.rest())) return MalformedRequest(request);
  if ((queue_ == nullptr) != request.has_open()) {
    return Status(Code::kInvalidArgument, "OUT_OF_ORDER",
                  queue_ == nullptr ? "the first frame has no open"
                                    : "open stands in a frame that is not the first")
        .With("field", "open");
  }
  if (request.has_open()) {
    if (Status opened = Open(request.open()); !opened.ok()) return opened;
  }
  if (frame_.messages() == 0) return Status();
  if (request.first_sequence() == 0 && options_.producer_id.empty()) {
    request.set_first_sequence(next_sequence_);
  }
  if (Status fits = frame_.Check(*queue_, request.first_sequence()); !fits.ok()) return fits;
  options_.first_sequence = request.first_sequence();
  options_.is_atomic = request.atomic();
  options_.deadline =
      WaitUntil(call().worker().clock().Now(), static_cast<std::uint32_t>(wait_.count()));
  Status sent = queue_->Send(ticket_, frame_.Take(), options_, call().notifier());
  if (!sent.ok()) return sent;
  next_sequence_ = request.first_sequence() + frame_.messages();
  is_placing_ = true;
  call().info().waiting_messages = frame_.messages();
  return Status();
}

void SendStreamHandler::OnFrame(const grpc::ByteBuffer& buffer) {
  Status placed = Place(buffer);
  frame_.Clear();
  if (!placed.ok()) return Fail(std::move(placed));
  Advance();
}

// What was sent before still waits and gets its outcome; then Closed FINISHED.
void SendStreamHandler::OnHalfClose() {
  is_half_closed_ = true;
  if (queue_ == nullptr) {
    return call().Finish(
        Status(Code::kInvalidArgument, "OUT_OF_ORDER", "the stream ended without an open")
            .With("field", "open"));
  }
  Advance();
}

void SendStreamHandler::OnWritten(bool ok) {
  if (ok) Advance();
}

// A client that does not read never lets the last frame out: it is cut with the connections.
void SendStreamHandler::OnDrain(bool) {
  is_draining_ = true;
  if (queue_ == nullptr) return call().Finish(DrainingStatus());
  Advance();
}

void SendStreamHandler::Advance() {
  if (queue_ == nullptr || call().is_finishing()) return;
  if (is_placing_) {
    const std::size_t known = acks_.size();
    is_placing_ = !queue_->TakeAcks(ticket_, acks_);
    for (std::size_t i = known; i < acks_.size(); ++i) {
      call().info().waiting_messages -= acks_[i].count;
      if (!IsSpent(acks_[i].outcome)) continue;
      last_sequence_ = std::max(last_sequence_, acks_[i].first_sequence + acks_[i].count - 1);
    }
    if (!is_placing_) call().info().waiting_messages = 0;
  }
  if (EndIfOver()) return;
  if (!call().is_writing()) Flush();
  if (!is_placing_ && !is_half_closed_ && !is_draining_ && acks_.size() < kAcksMax) call().Read();
}

bool SendStreamHandler::EndIfOver() {
  if (queue_->IsSuperseded(producer_)) {
    Fail(Status(Code::kAborted, "SUPERSEDED", "another stream has opened with this producer_id"));
    return true;
  }
  if (!session_id_.empty() && services_.broker.sessions().fence(session_id_) == 0) {
    Fail(Status(Code::kFailedPrecondition, "SESSION_GONE", "the stream's session has ended"));
    return true;
  }
  if (is_placing_ || !(is_half_closed_ || is_draining_)) return false;
  if (call().is_writing() || !acks_.empty() || !opened_.empty()) return false;
  v1::SendStreamResponse last;
  last.mutable_closed()->set_reason(is_half_closed_ ? v1::CLOSED_REASON_FINISHED
                                                    : v1::CLOSED_REASON_SHUTTING_DOWN);
  call().WriteAndFinish(Serialize(last));
  return true;
}

void SendStreamHandler::Flush() {
  if (!opened_.empty()) {
    call().Write(MakeFrame({}, opened_));
    opened_.clear();
    return;
  }
  if (acks_.empty()) return;
  std::string frame;
  AppendAcks(acks_, frame);
  if (options_.mode == broker::SendMode::kTry) {
    wire::AppendUintPresent(frame, v1::SendStreamResponse::kFreeHintFieldNumber,
                            queue_->free_slots());
  }
  acks_.clear();
  call().Write(MakeFrame({}, frame));
}

void SendStreamHandler::Fail(Status status) {
  call().Finish(std::move(status).With("last_sequence", std::to_string(last_sequence_)));
}

}  // namespace sluice::rpc
