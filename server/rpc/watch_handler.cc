// SPDX-License-Identifier: Apache-2.0
#include "broker/limits.h"
#include "broker/refusals.h"
#include "rpc/config_convert.h"
#include "rpc/config_handlers.h"
#include "rpc/convert.h"
#include "rpc/unary.h"

namespace sluice::rpc {

WatchHandler::WatchHandler(Call& call, const Services& services)
    : Handler(call), services_(services), config_(*services.broker.config()) {}

WatchHandler::~WatchHandler() { config_.Unwatch(watcher_); }

Status WatchHandler::Begin(const grpc::ByteBuffer& frame) {
  v1::WatchRequest request;
  if (Status parsed = Parse(frame, request); !parsed.ok()) return parsed;
  Status begun = config_.Watch(watcher_, FromWire(request), call().notifier());
  if (!begun.ok()) return begun;
  is_watching_ = true;
  call().info().state = "snapshot";
  services_.streams.SetChannel(
      call().info(), request.keys_size() != 0 ? request.keys(0) : request.prefixes(0) + "*");
  return Status();
}

void WatchHandler::OnFrame(const grpc::ByteBuffer& frame) {
  if (Status begun = Begin(frame); !begun.ok()) return call().Finish(begun);
  Advance();
}

void WatchHandler::OnHalfClose() {
  call().Finish(UnaryHandler<v1::WatchRequest, v1::WatchResponse>::NoRequest());
}

void WatchHandler::OnWritten(bool ok) {
  if (ok) Advance();
}

// The broker ends a watch when all that there is has been told; past the grace, now.
void WatchHandler::OnDrain(bool is_final) {
  if (!is_watching_) return call().Finish(broker::Draining());
  is_ending_ = is_final;
  Advance();
}

void WatchHandler::Advance() {
  if (!is_watching_ || call().is_writing() || call().is_finishing()) return;
  if (is_ending_) return End(broker::ClosedReason::kShuttingDown);
  const broker::WatchNews news = config_.Take(watcher_, broker::kDeliveryBytesMax);
  if (news.ended != broker::ClosedReason::kUnspecified) return End(news.ended);
  if (news.point.has_value()) call().info().state = "watching";
  if (news.point.has_value() || !news.empty()) {
    call().Write(ToFrame(news, config_.service_epoch()));
  }
}

void WatchHandler::End(broker::ClosedReason reason) {
  v1::WatchResponse last;
  last.mutable_closed()->set_reason(ToWire(reason));
  if (reason == broker::ClosedReason::kLimit) {
    last.mutable_closed()->set_text("it fell behind by more deleted keys than are remembered");
  }
  call().WriteAndFinish(Serialize(last));
}

}  // namespace sluice::rpc
