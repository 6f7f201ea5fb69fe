// SPDX-License-Identifier: Apache-2.0
#include "rpc/byte_buffer.h"
#include "rpc/convert.h"
#include "rpc/send_handlers.h"
#include "rpc/unary.h"

namespace sluice::rpc {

template <class Kind>
SendHandler<Kind>::SendHandler(Call& call, const Services& services)
    : Handler(call), broker_(services.broker) {}

// Gone while waiting: what waits is never accepted (N9).
template <class Kind>
SendHandler<Kind>::~SendHandler() {
  if (channel_ != nullptr) Kind::Cancel(*channel_, ticket_);
}

template <class Kind>
Status SendHandler<Kind>::Begin(const grpc::ByteBuffer& buffer) {
  SendFrame frame(call().worker().scratch());
  if (Status scanned = frame.Scan(buffer); !scanned.ok()) return scanned;
  typename Kind::Request request;
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
  auto channel = Kind::Channels(broker_).Open(Kind::Name(request), *spec);
  if (!channel) return channel.error();
  if (Status fits = frame.Check(**channel, request.first_sequence()); !fits.ok()) return fits;
  broker::SendOptions options;
  options.first_sequence = request.first_sequence();
  options.is_atomic = request.has_atomic() ? request.atomic() : true;
  options.mode = *mode;
  options.deadline = WaitUntil(broker_.clock().Now(), request.wait_ms());
  options.producer_id = request.producer_id();
  options.session_id = request.session_id();
  const std::string& session = request.session_id();
  if (!session.empty()) {
    if (Status tied = broker_.sessions().Tie(session, *channel); !tied.ok()) return tied;
  }
  call().info().state = "waiting";
  call().info().waiting_messages = frame.messages();
  Status sent = Kind::Send(**channel, ticket_, frame.Take(), options, call().notifier());
  if (!sent.ok()) return sent;
  channel_ = *channel;
  // The session may have ended between being tied and being used.
  if (!session.empty() && broker_.sessions().fence(session) == 0) channel_->SessionEnded(session);
  return Status();
}

template <class Kind>
void SendHandler<Kind>::OnFrame(const grpc::ByteBuffer& frame) {
  if (Status begun = Begin(frame); !begun.ok()) return call().Finish(begun);
  Answer();
}

template <class Kind>
void SendHandler<Kind>::OnHalfClose() {
  if (channel_ == nullptr) {
    call().Finish(UnaryHandler<typename Kind::Request, typename Kind::Response>::NoRequest());
  }
}

template <class Kind>
void SendHandler<Kind>::Answer() {
  if (channel_ == nullptr || !channel_->TakeAcks(ticket_, acks_)) return;
  typename Kind::Response response;
  response.set_epoch(channel_->epoch());
  response.set_capacity(channel_->spec().capacity);
  for (const broker::Ack& ack : acks_) *response.add_acks() = ToWire(ack);
  call().WriteAndFinish(Serialize(response));
}

template class SendHandler<QueueKind>;
template class SendHandler<TopicKind>;

}  // namespace sluice::rpc
