// SPDX-License-Identifier: Apache-2.0
#include "rpc/convert.h"
#include "rpc/queue_handlers.h"
#include "rpc/unary.h"

namespace sluice::rpc {

SendHandler::SendHandler(Call& call, const Services& services)
    : Handler(call), broker_(services.broker) {}

// Gone while waiting: what waits is never accepted (N9).
SendHandler::~SendHandler() {
  if (queue_ != nullptr) queue_->CancelSend(ticket_);
}

Status SendHandler::Begin(const grpc::ByteBuffer& buffer) {
  SendFrame frame(call().worker().scratch());
  if (Status scanned = frame.Scan(buffer); !scanned.ok()) return scanned;
  v1::SendRequest request;
  if (!request.ParseFromString(frame.rest())) return MalformedRequest(request);
  if (frame.messages() == 0) return InvalidField("messages", "there is none");
  Result<broker::SendMode> mode = ModeOf(request.mode());
  if (!mode) return mode.error();
  if (Status id = CheckId("producer_id", request.producer_id(), broker::kProducerIdBytes);
      !id.ok()) {
    return id;
  }
  if (Status id = CheckId("session_id", request.session_id(), broker::kSessionIdBytes); !id.ok()) {
    return id;
  }
  auto spec = SpecOf(request.has_spec(), request.spec());
  if (!spec) return spec.error();
  auto queue = broker_.queues().Open(request.queue(), *spec);
  if (!queue) return queue.error();
  if (Status fits = frame.Check(**queue, request.first_sequence()); !fits.ok()) return fits;
  broker::SendOptions options;
  options.first_sequence = request.first_sequence();
  options.is_atomic = request.has_atomic() ? request.atomic() : true;
  options.mode = *mode;
  options.deadline = WaitUntil(broker_.clock().Now(), request.wait_ms());
  options.producer_id = request.producer_id();
  options.session_id = request.session_id();
  const std::string& session = request.session_id();
  if (!session.empty()) {
    if (Status tied = broker_.sessions().Tie(session, *queue); !tied.ok()) return tied;
  }
  call().info().state = "waiting";
  call().info().waiting_messages = frame.messages();
  Status sent = (*queue)->Send(ticket_, frame.Take(), options, call().notifier());
  if (!sent.ok()) return sent;
  queue_ = *queue;
  // The session may have ended between being tied and being used.
  if (!session.empty() && broker_.sessions().fence(session) == 0) queue_->SessionEnded(session);
  return Status();
}

void SendHandler::OnFrame(const grpc::ByteBuffer& frame) {
  if (Status begun = Begin(frame); !begun.ok()) return call().Finish(begun);
  Answer();
}

void SendHandler::OnHalfClose() {
  if (queue_ == nullptr) {
    call().Finish(UnaryHandler<v1::SendRequest, v1::SendResponse>::NoRequest());
  }
}

void SendHandler::Answer() {
  if (queue_ == nullptr || !queue_->TakeAcks(ticket_, acks_)) return;
  v1::SendResponse response;
  response.set_epoch(queue_->epoch());
  response.set_capacity(queue_->spec().capacity);
  for (const broker::Ack& ack : acks_) *response.add_acks() = ToWire(ack);
  call().WriteAndFinish(Serialize(response));
}

}  // namespace sluice::rpc
