// SPDX-License-Identifier: Apache-2.0
#include "rpc/subscribe_handler.h"

#include <utility>

#include "broker/refusals.h"
#include "rpc/byte_buffer.h"
#include "rpc/call_stats.h"
#include "rpc/convert.h"
#include "rpc/topic_convert.h"
#include "rpc/unary.h"

namespace sluice::rpc {

SubscribeHandler::SubscribeHandler(Call& call, const Services& services)
    : Handler(call), services_(services) {}

SubscribeHandler::~SubscribeHandler() {
  if (subscription_ != nullptr) services_.broker.topics().Unsubscribe(*subscription_);
}

Status SubscribeHandler::Begin(const grpc::ByteBuffer& buffer) {
  v1::SubscribeRequest request;
  if (Status parsed = Parse(buffer, request); !parsed.ok()) return parsed;
  Result<broker::SubscriptionOptions> options = FromWire(request);
  if (!options) return options.error();
  options->peer = call().peer();
  options->stream_id = call().info().id;
  auto subscription = broker::Subscription::Make(*std::move(options), call().notifier());
  if (!subscription) return subscription.error();
  auto spec = SpecOf(request.has_spec(), request.spec());
  if (!spec) return spec.error();
  std::shared_ptr<broker::Topic> topic;
  if ((*subscription)->is_pattern()) {
    if (request.has_spec()) return InvalidField("spec", "a pattern declares nothing");
  } else {
    auto found = services_.broker.topics().Open(request.topic(), *spec);
    const bool may_be_gone = (*subscription)->Lists(request.topic());
    if (!found && !(may_be_gone && found.error().code() == Code::kNotFound)) return found.error();
    if (found) topic = *std::move(found);
  }
  subscription_ = *std::move(subscription);
  call().info().state = "subscribed";
  services_.streams.SetChannel(call().info(),
                               subscription_->is_pattern() ? request.pattern() : request.topic());
  services_.broker.topics().Subscribe(subscription_, std::move(topic));
  return Status();
}

void SubscribeHandler::OnFrame(const grpc::ByteBuffer& frame) {
  if (Status begun = Begin(frame); !begun.ok()) return call().Finish(begun);
  Advance();
}

void SubscribeHandler::OnHalfClose() {
  if (subscription_ == nullptr) {
    call().Finish(UnaryHandler<v1::SubscribeRequest, v1::SubscribeResponse>::NoRequest());
  }
}

void SubscribeHandler::OnWritten(bool ok) {
  call().info().held_messages = 0;
  if (ok) Advance();
}

// The topics' own ends tell of the drain, to each subscriber when it has everything; past the
// grace, now.
void SubscribeHandler::OnDrain(bool is_final) {
  if (subscription_ == nullptr) return call().Finish(broker::Draining());
  is_draining_ = true;
  is_over_ = is_over_ || is_final;
  Advance();
}

void SubscribeHandler::Advance() {
  if (subscription_ == nullptr || call().is_finishing() || call().is_writing()) return;
  if (is_over_) return EndWith(broker::ClosedReason::kShuttingDown);
  if (!subscription_->Next(broker::kDeliveryBytesMax, frame_)) {
    if (is_draining_ && subscription_->is_idle()) EndWith(broker::ClosedReason::kShuttingDown);
    return;
  }
  const bool is_end = frame_.event == broker::SubscriptionFrame::Event::kClosed;
  const bool is_streams = frame_.topic_ref == 0 || !subscription_->is_pattern();
  if (is_end && is_streams) return EndWith(frame_.reason);
  call().info().held_messages = frame_.taken.delivery.messages;
  call().worker().cells().TopicDelivers(frame_.taken.delivery.runs,
                                        services_.broker.clock().UnixMicros());
  call().Write(ToFrame(frame_));
  frame_.taken.Clear();  // the transport has its own references
}

void SubscribeHandler::EndWith(broker::ClosedReason reason) {
  v1::SubscribeResponse last;
  last.mutable_closed()->set_reason(ToWire(reason));
  call().WriteAndFinish(Serialize(last));
}

}  // namespace sluice::rpc
