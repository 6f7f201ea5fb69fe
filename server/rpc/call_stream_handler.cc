// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <utility>

#include "rpc/byte_buffer.h"
#include "rpc/convert.h"
#include "rpc/limits.h"
#include "rpc/request_frames.h"
#include "rpc/request_handlers.h"

namespace sluice::rpc {
namespace {

// Refusals kept for a client that asks and does not read; then its frames are not read either.
constexpr std::size_t kRefusedMax = 1'024;
// Responders kept at hand though no call to them is open.
constexpr std::size_t kIdlePortsMax = 16;

constexpr ItemLayout kLayout = {.items_field = v1::CallStreamRequest::kCallsFieldNumber,
                                .items_name = "calls",
                                .items_max = kStreamCallsMax,
                                .message_field = v1::CallStart::kRequestFieldNumber,
                                .id_field = v1::CallStart::kCallIdFieldNumber};

Status CheckCount(const char* field, int count) {
  if (count <= static_cast<int>(kSettlementsMax)) return Status();
  return OutOfBounds(field, "the most in one frame", kSettlementsMax,
                     static_cast<std::uint64_t>(count));
}

}  // namespace

CallStreamHandler::CallStreamHandler(Call& call, const Services& services)
    : Handler(call), services_(services), items_(call.worker().scratch()) {}

// However the stream ended: what is open has lost its caller (N24).
CallStreamHandler::~CallStreamHandler() { CancelAll(); }

void CallStreamHandler::CancelAll() {
  for (auto& [key, port] : ports_) {
    port.responder->Leave(*port.caller, broker::GivingUp::kCancelled);
  }
  open_.clear();
  ports_.clear();
}

Status CallStreamHandler::CheckCall(const v1::CallStart& call, std::uint64_t request_bytes,
                                    Start& start) {
  if (call.call_id() > broker::kDrawnMax) {
    return OutOfBounds("call_id", "the most", broker::kDrawnMax, call.call_id());
  }
  if (call.call_id() <= last_call_id_) {
    return InvalidField("call_id", "it is not above those before, of which the last is " +
                                       std::to_string(last_call_id_));
  }
  last_call_id_ = call.call_id();
  if (call.parts() && call.part_credit() > broker::kPartCreditMax) {
    return OutOfBounds("part_credit", "the most", broker::kPartCreditMax, call.part_credit());
  }
  auto responder = services_.broker.responders().Find(call.responder());
  if (!responder && responder.error().code() != Code::kNotFound) return responder.error();
  if (!responder) return Status();
  start.responder = std::move(*responder);
  const std::uint64_t most = start.responder->spec().message_bytes_max;
  if (request_bytes > most) {
    return OutOfBounds("request", "the responder's message_bytes_max", most, request_bytes);
  }
  start.options.deadline = WaitUntil(services_.broker.clock().Now(), call.timeout_ms());
  start.options.wait_for_responder = call.wait_for_responder();
  start.options.retry_on_loss = call.retry_on_responder_loss();
  start.options.wants_parts = call.parts();
  if (call.part_credit() != 0) start.options.part_credit = call.part_credit();
  return Status();
}

// All of a frame before any of it: of a frame with a fault nothing is started.
Status CallStreamHandler::Check(const v1::CallStreamRequest& request, std::vector<Start>& starts) {
  if (Status count = CheckCount("cancel", request.cancel_size()); !count.ok()) return count;
  if (Status count = CheckCount("part_credit", request.part_credit_size()); !count.ok()) {
    return count;
  }
  starts.resize(static_cast<std::size_t>(request.calls_size()));
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const v1::CallStart& call = request.calls(static_cast<int>(i));
    if (Status good = CheckCall(call, items_.messages()[i].size(), starts[i]); !good.ok()) {
      return std::move(good).With("call_id", std::to_string(call.call_id()));
    }
  }
  for (const v1::PartCredit& credit : request.part_credit()) {
    if (credit.parts() <= broker::kDrawnMax) continue;
    return OutOfBounds("part_credit.parts", "the most", broker::kDrawnMax, credit.parts())
        .With("call_id", std::to_string(credit.call_id()));
  }
  return Status();
}

CallStreamHandler::Port& CallStreamHandler::PortOf(
    const std::shared_ptr<broker::Responder>& responder) {
  Port& port = ports_[responder.get()];
  if (port.responder == nullptr) {
    port.responder = responder;
    port.caller.emplace(call().notifier());
  }
  return port;
}

void CallStreamHandler::Refuse(std::uint64_t call_id, broker::Outcome outcome) {
  broker::CallReply& reply = refused_.emplace_back();
  reply.call_id = call_id;
  reply.outcome = outcome;
  reply.is_last = true;
}

void CallStreamHandler::Begin(const v1::CallStart& call, broker::EncodedMessage request,
                              const Start& start) {
  if (start.responder == nullptr) return Refuse(call.call_id(), broker::Outcome::kAbsent);
  if (open_.size() >= kStreamCallsMax) return Refuse(call.call_id(), broker::Outcome::kFull);
  Port& port = PortOf(start.responder);
  if (!request) request = EmptyMessage();
  auto refused =
      port.responder->Ask(*port.caller, call.call_id(), std::move(request), start.options);
  if (refused.has_value()) {
    refused_.push_back(std::move(*refused));
    return;
  }
  ++port.open;
  open_.emplace(call.call_id(), &port);
}

Status CallStreamHandler::Apply(const grpc::ByteBuffer& frame) {
  v1::CallStreamRequest request;
  if (Status read = items_.Read(frame, kLayout, request); !read.ok()) return read;
  std::vector<Start> starts;
  if (Status good = Check(request, starts); !good.ok()) return good;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    Begin(request.calls(static_cast<int>(i)), std::move(items_.messages()[i]), starts[i]);
  }
  for (const v1::PartCredit& credit : request.part_credit()) {
    const auto it = open_.find(credit.call_id());
    if (it == open_.end()) continue;
    it->second->responder->AllowParts(*it->second->caller, credit.call_id(), credit.parts());
  }
  for (const std::uint64_t call_id : request.cancel()) {
    const auto it = open_.find(call_id);
    if (it == open_.end()) continue;
    Port& port = *it->second;
    port.responder->Cancel(*port.caller, call_id, broker::GivingUp::kCancelled);
    --port.open;
    open_.erase(it);
  }
  return Status();
}

void CallStreamHandler::OnFrame(const grpc::ByteBuffer& frame) {
  if (Status applied = Apply(frame); !applied.ok()) {
    CancelAll();
    return call().Finish(applied);
  }
  Advance();
}

// What is open goes on, and gets its replies.
void CallStreamHandler::OnHalfClose() {
  is_half_closed_ = true;
  Advance();
}

void CallStreamHandler::OnWritten(bool ok) {
  if (ok) Advance();
}

// The responders' own ends tell of it what is open; the stream ends with the last.
void CallStreamHandler::OnDrain(bool) {
  is_draining_ = true;
  Advance();
}

void CallStreamHandler::Advance() {
  if (call().is_finishing()) return;
  if (!call().is_writing()) Flush();
  if (EndIfOver()) return;
  if (!is_half_closed_ && refused_.size() < kRefusedMax) call().Read();
}

void CallStreamHandler::Flush() {
  broker::CallReplies out;
  // Whose replies come first has the room of the frame: each time another, so that nobody's wait
  // for the end of somebody's.
  auto it = ports_.upper_bound(first_served_);
  for (std::size_t i = 0; i < ports_.size(); ++i, ++it) {
    if (it == ports_.end()) it = ports_.begin();
    Port& port = it->second;
    if (port.open == 0) continue;
    if (out.replies.empty()) first_served_ = it->first;
    port.responder->TakeReplies(*port.caller, std::numeric_limits<std::size_t>::max(),
                                broker::kDeliveryBytesMax, out);
  }
  for (const broker::CallReply& reply : out.replies) {
    if (!reply.is_last) continue;
    const auto open = open_.find(reply.call_id);
    --open->second->open;
    open_.erase(open);
  }
  std::string frame;
  for (const broker::CallReply& reply : out.replies) AppendCallReply(reply, frame);
  for (const broker::CallReply& reply : refused_) AppendCallReply(reply, frame);
  refused_.clear();
  if (ports_.size() > kIdlePortsMax) {
    for (auto next = ports_.begin(); next != ports_.end();) {
      Port& port = (next++)->second;
      if (port.open > 0) continue;
      port.responder->Leave(*port.caller, broker::GivingUp::kCancelled);
      ports_.erase(port.responder.get());
    }
  }
  if (!frame.empty()) call().Write(MakeFrame({}, frame));
}

bool CallStreamHandler::EndIfOver() {
  if (!is_half_closed_ && !is_draining_) return false;
  if (call().is_writing() || !open_.empty() || !refused_.empty()) return false;
  v1::CallStreamResponse last;
  last.mutable_closed()->set_reason(is_half_closed_ ? v1::CLOSED_REASON_FINISHED
                                                    : v1::CLOSED_REASON_SHUTTING_DOWN);
  call().WriteAndFinish(Serialize(last));
  return true;
}

}  // namespace sluice::rpc
