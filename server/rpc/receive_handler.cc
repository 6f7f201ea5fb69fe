// SPDX-License-Identifier: Apache-2.0
#include "broker/refusals.h"
#include "rpc/call_stats.h"
#include "rpc/convert.h"
#include "rpc/queue_handlers.h"
#include "rpc/unary.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {

ReceiveHandler::ReceiveHandler(Call& call, const Services& services)
    : Handler(call), broker_(services.broker) {}

// Gone while waiting: nothing was consumed (N17, M43).
ReceiveHandler::~ReceiveHandler() {
  if (queue_ != nullptr) queue_->CancelReceive(ticket_);
}

Status ReceiveHandler::Begin(const grpc::ByteBuffer& buffer) {
  v1::ReceiveRequest request;
  if (Status parsed = Parse(buffer, request); !parsed.ok()) return parsed;
  if (request.consumer().size() > broker::kNameBytesMax) {
    return OutOfBounds("consumer", "the most bytes", broker::kNameBytesMax,
                       request.consumer().size());
  }
  if (Status id = CheckId("session_id", request.session_id(), broker::kSessionIdBytes); !id.ok()) {
    return id;
  }
  Result<Duration> lease = TimeOf("lease_ms", request.lease_ms());
  if (!lease) return lease.error();
  auto queue = broker_.queues().Find(request.queue());
  if (!queue) return queue.error();
  const std::string& session = request.session_id();
  if (!session.empty()) {
    if (Status tied = broker_.sessions().Tie(session, *queue); !tied.ok()) return tied;
  }
  broker::ReceiveOptions options;
  options.consumer = request.consumer();
  options.session_id = session;
  options.peer = call().peer();
  options.max_messages = MessagesAsked(request.max_messages());
  options.max_bytes = BytesAsked(request.max_bytes());
  if (request.lease_ms() != 0) options.lease = *lease;
  const TimePoint now = broker_.clock().Now();
  options.deadline = Later(now, std::chrono::milliseconds(request.wait_ms()));
  lease_ms_ = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(options.lease).count());
  call().info().state = "waiting";
  Status begun = (*queue)->Receive(ticket_, std::move(options), call().notifier());
  if (!begun.ok()) return begun;
  queue_ = *queue;
  // The session may have ended between being tied and being used.
  if (!session.empty() && broker_.sessions().fence(session) == 0) queue_->SessionEnded(session);
  return Status();
}

void ReceiveHandler::OnFrame(const grpc::ByteBuffer& frame) {
  if (Status begun = Begin(frame); !begun.ok()) return call().Finish(begun);
  Answer();
}

void ReceiveHandler::OnHalfClose() {
  if (queue_ == nullptr) {
    call().Finish(UnaryHandler<v1::ReceiveRequest, v1::ReceiveResponse>::NoRequest());
  }
}

void ReceiveHandler::Answer() {
  broker::Received received;
  if (queue_ == nullptr || !queue_->TakeReceived(ticket_, received)) return;
  v1::ReceiveResponse response;
  response.set_outcome(ToWire(received.outcome));
  response.set_epoch(queue_->epoch());
  response.set_reason(ToWire(received.reason));
  if (received.lease != 0) {
    response.set_lease(received.lease);
    response.set_lease_ms(lease_ms_);
    lease_ = received.lease;
  }
  std::string rest;
  AppendRuns(received.delivery, rest);
  call().worker().cells().QueueDelivers(received.delivery.runs, broker_.clock().UnixMicros());
  rest += response.SerializeAsString();
  call().WriteAndFinish(MakeFrame(received.delivery, rest));
}

void ReceiveHandler::OnDrain(bool is_final) {
  if (is_final) call().Finish(broker::Draining());
}

void ReceiveHandler::OnFinished(bool ok) {
  if (!ok && lease_ != 0) queue_->ReturnLease(lease_);
}

}  // namespace sluice::rpc
