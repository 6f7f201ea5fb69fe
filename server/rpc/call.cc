// SPDX-License-Identifier: Apache-2.0
#include "rpc/call.h"

#include <grpc/support/time.h>

#include <atomic>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "broker/refusals.h"
#include "rpc/call_stats.h"
#include "rpc/limits.h"
#include "rpc/metadata.h"
#include "rpc/method_table.h"
#include "rpc/status_map.h"

namespace sluice::rpc {

// Outlives its call: a notice under way when the call ends finds nobody.
class Call::CallNotifier final : public broker::Notifier,
                                 public InboxItem,
                                 public std::enable_shared_from_this<CallNotifier> {
 public:
  explicit CallNotifier(Call& call) : worker_(call.worker_), call_(&call) {}

  void Notify() noexcept override {
    if (!is_posted_.exchange(true, std::memory_order_acq_rel)) worker_.Post(shared_from_this());
  }
  void RunOnWorker() override {
    // Cleared before looking: news made from here on posts again.
    is_posted_.store(false, std::memory_order_release);
    if (call_ != nullptr) call_->Notice();
  }
  void Forget() noexcept { call_ = nullptr; }

 private:
  Worker& worker_;
  Call* call_;  // touched by the worker's thread only
  std::atomic<bool> is_posted_ = false;
};

void Call::Request(Worker& worker, grpc::AsyncGenericService& service, const MethodTable& methods,
                   StreamTable& streams, Connections& connections) {
  new Call(worker, service, methods, streams, connections);  // owns itself
}

Call::Call(Worker& worker, grpc::AsyncGenericService& service, const MethodTable& methods,
           StreamTable& streams, Connections& connections)
    : worker_(worker),
      service_(service),
      methods_(methods),
      streams_(streams),
      connections_(connections),
      stream_(&context_),
      begin_event_(this, [](void* self, bool ok) { static_cast<Call*>(self)->OnBegin(ok); }),
      done_event_(this, [](void* self, bool) { static_cast<Call*>(self)->OnDone(); }),
      read_event_(this, [](void* self, bool ok) { static_cast<Call*>(self)->OnRead(ok); }),
      write_event_(this, [](void* self, bool ok) { static_cast<Call*>(self)->OnWrite(ok); }),
      finish_event_(this, [](void* self, bool ok) { static_cast<Call*>(self)->OnFinish(ok); }) {
  context_.AsyncNotifyWhenDone(&done_event_);
  owed_ = 1;
  ++worker_.requests();
  service_.RequestCall(&context_, &stream_, worker_.queue(), worker_.queue(), &begin_event_);
}

Call::~Call() {
  CountEnd();
  if (traffic_ != nullptr) traffic_->Ended();
  if (notifier_ != nullptr) notifier_->Forget();
  handler_.reset();
  if (info_ != nullptr) streams_.Remove(*info_);
  if (is_linked()) worker_.calls().Erase(*this);
}

broker::NotifierPtr Call::notifier() const noexcept { return notifier_; }

TimePoint Call::deadline() const {
  const gpr_timespec deadline =
      gpr_convert_clock_type(context_.raw_deadline(), GPR_CLOCK_MONOTONIC);
  if (gpr_time_cmp(deadline, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0) return kNever;
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(GPR_CLOCK_MONOTONIC));
  // Years are as good as never, and would not fit.
  if (left.tv_sec > std::chrono::hours(24 * 365) / std::chrono::seconds(1)) return kNever;
  return worker_.clock().Now() + std::chrono::seconds(left.tv_sec) +
         std::chrono::nanoseconds(left.tv_nsec);
}

void Call::OnBegin(bool ok) {
  --owed_;
  --worker_.requests();
  if (!ok) {  // the server is shutting down; the done tag never comes for a call that never began
    delete this;
    return;
  }
  ++owed_;  // the done tag
  if (!worker_.is_closing()) Request(worker_, service_, methods_, streams_, connections_);
  Begin();
  DestroyIfSettled();
}

void Call::Begin() {
  worker_.calls().PushBack(*this);
  peer_ = context_.peer();
  notifier_ = std::make_shared<CallNotifier>(*this);
  began_ = worker_.clock().Now();
  const Method* method = methods_.Find(context_.method());
  cells_ = &worker_.cells().method(method == nullptr ? 0 : method->index);
  cells_->started.Add();
  const std::uint64_t bytes = MetadataBytes(context_);
  traffic_ = connections_.TrafficOf(peer_);
  if (traffic_ != nullptr) traffic_->Began(bytes);
  if (bytes > kMetadataBytesMax) {
    Refuse(Strike::kMetadata,
           OutOfBounds("metadata", "the limit of a call", kMetadataBytesMax, bytes));
    return;
  }
  // Every call, whatever it asks for: one that is refused is there until its peer has read so.
  const bool is_stream = method != nullptr && method->is_stream;
  const Status status = streams_.Add(context_.method(), peer_, is_stream, began_, info_);
  if (info_ == nullptr) {
    Refuse(Strike::kTooManyStreams, status);
    return;
  }
  if (!status.ok()) {  // for what others do
    Finish(status);
    return;
  }
  if (method == nullptr) {
    Finish(Status(Code::kUnimplemented, "METHOD_NOT_SERVED",
                  "this daemon does not serve " + context_.method()));
    return;
  }
  if (methods_.is_draining() && !method->is_served_while_draining) {
    Finish(broker::Draining());
    return;
  }
  handler_ = method->make(*this);
  Read();
}

void Call::Refuse(Strike strike, const Status& status) {
  connections_.Struck(peer_, strike);
  Finish(status);
}

void Call::Read() {
  if (is_reading_ || is_finishing_ || is_gone_) return;
  is_reading_ = true;
  ++owed_;
  stream_.Read(&frame_, &read_event_);
}

void Call::Write(const grpc::ByteBuffer& frame) {
  SLUICE_CHECK(!is_writing_);
  if (is_finishing_ || is_gone_) return;
  is_writing_ = true;
  ++owed_;
  CountSent(frame);
  if (info_ != nullptr) info_->WriteBegan(worker_.clock().Now(), frame.Length());
  stream_.Write(frame, &write_event_);
}

void Call::Finish(const Status& status) {
  if (is_finishing_ || is_gone_) return;
  is_finishing_ = true;
  ++owed_;
  code_ = status.code();
  if (!status.ok()) worker_.cells().CountRefused(status.reason());
  stream_.Finish(ToGrpc(status), &finish_event_);
}

void Call::WriteAndFinish(const grpc::ByteBuffer& frame) {
  SLUICE_CHECK(!is_writing_);
  if (is_finishing_ || is_gone_) return;
  is_finishing_ = true;
  ++owed_;
  code_ = Code::kOk;
  CountSent(frame);
  stream_.WriteAndFinish(frame, grpc::WriteOptions(), grpc::Status::OK, &finish_event_);
}

void Call::OnDone() {
  --owed_;
  const bool is_lost = context_.IsCancelled();
  const Code code = is_lost ? CodeOfLoss() : Code::kOk;
  // Its handler may be finishing it, for a first frame that did not come.
  if (is_lost && !has_frame_) {
    connections_.Struck(peer_, code == Code::kDeadlineExceeded ? Strike::kExpired : Strike::kReset);
  }
  // A call that is being finished learns its fate from the tag of Finish.
  if (is_lost && !is_finishing_) {
    is_gone_ = true;
    code_ = code;
    if (handler_ != nullptr) handler_->OnGone();
    handler_.reset();
  }
  DestroyIfSettled();
}

void Call::OnRead(bool ok) {
  --owed_;
  is_reading_ = false;
  has_frame_ |= ok;
  if (ok) {
    cells_->received.Add();
    cells_->received_bytes.Add(frame_.Length());
    if (traffic_ != nullptr) traffic_->Read(frame_.Length());
  }
  if (handler_ != nullptr && !is_finishing_ && !is_gone_) {
    if (ok) {
      // Apart from the member, which the handler may have filled anew.
      grpc::ByteBuffer frame;
      frame.Swap(&frame_);
      handler_->OnFrame(frame);
    } else {
      handler_->OnHalfClose();
    }
  }
  DestroyIfSettled();
}

void Call::OnWrite(bool ok) {
  --owed_;
  is_writing_ = false;
  if (info_ != nullptr) info_->WriteEnded();
  if (handler_ != nullptr && !is_gone_) handler_->OnWritten(ok);
  DestroyIfSettled();
}

void Call::OnFinish(bool ok) {
  --owed_;
  // A read that failed because the client went looked like a half-close, and was answered.
  if (!ok) code_ = CodeOfLoss();
  if (handler_ != nullptr) handler_->OnFinished(ok);
  handler_.reset();
  DestroyIfSettled();
}

void Call::Notice() {
  if (handler_ != nullptr && !is_finishing_ && !is_gone_) handler_->OnNotice();
  DestroyIfSettled();
}

void Call::Drain(bool is_final) {
  if (handler_ != nullptr && !is_finishing_ && !is_gone_) handler_->OnDrain(is_final);
}

void Call::CountSent(const grpc::ByteBuffer& frame) {
  cells_->sent.Add();
  cells_->sent_bytes.Add(frame.Length());
  if (traffic_ != nullptr) traffic_->Wrote(frame.Length());
}

// A client's own timer, or its going: nothing else tells them apart.
Code Call::CodeOfLoss() const {
  return deadline() <= worker_.clock().Now() ? Code::kDeadlineExceeded : Code::kCancelled;
}

void Call::CountEnd() {
  if (cells_ == nullptr) return;
  cells_->handled[static_cast<std::size_t>(code_)].Add();
  cells_->handling.Observe(worker_.clock().Now() - began_);
}

void Call::DestroyIfSettled() {
  if (owed_ == 0 && (is_finishing_ || is_gone_)) delete this;
}

}  // namespace sluice::rpc
