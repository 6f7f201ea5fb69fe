// SPDX-License-Identifier: Apache-2.0
#include "broker/refusals.h"
#include "rpc/config_convert.h"
#include "rpc/config_handlers.h"
#include "rpc/unary.h"

namespace sluice::rpc {

GetKeyHandler::GetKeyHandler(Call& call, const Services& services)
    : Handler(call), services_(services), config_(*services.broker.config()) {}

// Gone while waiting: nothing is left of the wait (N39).
GetKeyHandler::~GetKeyHandler() { config_.CancelWait(ticket_); }

Status GetKeyHandler::Begin(const grpc::ByteBuffer& frame) {
  v1::GetKeyRequest request;
  if (Status parsed = Parse(frame, request); !parsed.ok()) return parsed;
  Result<std::optional<broker::KeyCondition>> condition = ConditionOf(request);
  if (!condition) return condition.error();
  if (!condition->has_value()) {
    Result<broker::KeyAnswer> answer = config_.Get(request.key());
    if (!answer) return answer.error();
    call().WriteAndFinish(ToFrame(*answer, true));
    return Status();
  }
  const TimePoint deadline =
      Later(services_.broker.clock().Now(), std::chrono::milliseconds(request.wait_ms()));
  Status begun =
      config_.Wait(ticket_, request.key(), **std::move(condition), deadline, call().notifier());
  if (!begun.ok()) return begun;
  is_waiting_ = true;
  call().info().state = "waiting";
  services_.streams.SetChannel(call().info(), request.key());
  Answer();
  return Status();
}

void GetKeyHandler::OnFrame(const grpc::ByteBuffer& frame) {
  if (Status begun = Begin(frame); !begun.ok()) call().Finish(begun);
}

void GetKeyHandler::OnHalfClose() {
  call().Finish(UnaryHandler<v1::GetKeyRequest, v1::GetKeyResponse>::NoRequest());
}

void GetKeyHandler::Answer() {
  broker::KeyAnswer answer;
  if (is_waiting_ && config_.TakeAnswer(ticket_, answer)) {
    call().WriteAndFinish(ToFrame(answer, true));
  }
}

// Waits are ended by the broker; here is who has not asked yet.
void GetKeyHandler::OnDrain(bool is_final) {
  if (is_final) call().Finish(broker::Draining());
}

}  // namespace sluice::rpc
