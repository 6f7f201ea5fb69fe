// SPDX-License-Identifier: Apache-2.0
#include "heartbeat.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <string>
#include <utility>

#include "stream_call.h"

namespace sluice {
inline namespace abi1 {
namespace {

const char* const kMethod = "/grpc.health.v1.Health/Check";

// Whether the daemon itself has spoken: these three are also said by gRPC on this side.
bool IsAnswer(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return false;
    default:
      return true;
  }
}

}  // namespace

// One question to the daemon. Held by itself until it is over.
class Heartbeat::Check final : public Completion {
 public:
  explicit Check(Heartbeat& owner) : owner_(owner) {}

  void Start(std::shared_ptr<Check> self) {
    self_ = std::move(self);
    call_ = owner_.stub_.PrepareUnaryCall(&context_, kMethod, grpc::ByteBuffer(), &owner_.queue_);
    call_->StartCall();
    call_->Finish(&reply_, &status_, static_cast<Completion*>(this));
  }
  void Cancel() { context_.TryCancel(); }

 private:
  void Complete(bool /*ok*/) override {
    const std::shared_ptr<Check> self = std::move(self_);
    if (IsAnswer(status_)) owner_.OnSignOfLife();
    if (owner_.check_ == self) owner_.check_.reset();
  }

  Heartbeat& owner_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> call_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  std::shared_ptr<Check> self_;
};

Heartbeat::Heartbeat(grpc::GenericStub& stub, grpc::CompletionQueue& queue,
                     std::chrono::milliseconds interval)
    : stub_(stub), queue_(queue), interval_(interval) {}

void Heartbeat::Add(StreamCall& stream) {
  streams_.insert(&stream);
  if (streams_.size() > 1 || interval_.count() == 0) return;
  silent_ticks_ = 0;
  signs_at_tick_ = signs_;
  Arm();
}

void Heartbeat::Remove(StreamCall& stream) {
  if (streams_.erase(&stream) == 0 || !streams_.empty()) return;
  // Nothing of this may be under way when the queue is shut down.
  if (timer_ != nullptr) std::exchange(timer_, nullptr)->Cancel();
  if (check_ != nullptr) std::exchange(check_, nullptr)->Cancel();
}

void Heartbeat::Arm() {
  timer_ = Timer::Start(queue_, interval_, [this](bool is_time) {
    if (is_time && !streams_.empty()) OnTick();
  });
}

void Heartbeat::OnTick() {
  const bool is_alive = std::exchange(signs_at_tick_, signs_) != signs_;
  silent_ticks_ = is_alive ? 0 : silent_ticks_ + 1;
  if (silent_ticks_ >= kSilentTicksMax) {
    silent_ticks_ = 0;
    ++losses_;
    const auto silence = interval_ * kSilentTicksMax;
    const Status lost(Code::kUnavailable, "NO_HEARTBEAT",
                      "the daemon has said nothing for " + std::to_string(silence.count()) + " ms",
                      {{"silence_ms", std::to_string(silence.count())}});
    for (StreamCall* stream : streams_) stream->Fail(lost);
  } else if (!is_alive && check_ == nullptr) {
    check_ = std::make_shared<Check>(*this);
    check_->Start(check_);
  }
  Arm();
}

}  // namespace abi1
}  // namespace sluice
