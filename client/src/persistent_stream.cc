// SPDX-License-Identifier: Apache-2.0
#include "persistent_stream.h"

#include <utility>

#include "grpc_status.h"
#include "stream_status.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

StreamEnd Closed(ClosedReason reason) {
  StreamEnd end;
  end.kind = StreamEnd::Kind::kClosed;
  end.reason = reason;
  return end;
}

// How long an attempt waits for a connection before it counts as failed, and the next is spaced.
constexpr std::chrono::milliseconds kConnectingMax{1000};

// Whether the same stream may succeed later.
bool MayPass(const StreamEnd& end) {
  if (end.kind == StreamEnd::Kind::kClosed) return end.reason == ClosedReason::kShuttingDown;
  if (end.kind == StreamEnd::Kind::kSuperseded) return false;
  if (end.status.retry_after().count() > 0) return true;
  switch (end.status.code()) {
    case Code::kUnavailable:
      return true;
    case Code::kCancelled:  // Not by this end: the stream was reset.
    case Code::kUnknown:    // gRPC's word for a stream that was removed.
    case Code::kInternal:   // And for one that broke off.
      return end.status.reason().empty();
    default:
      return false;
  }
}

}  // namespace

class PersistentStream::Attempt final : public StreamCall {
 public:
  Attempt(std::shared_ptr<PersistentStream> owner, std::shared_ptr<Transport> transport,
          WaitForConnection waits)
      : StreamCall(std::move(transport), waits), owner_(std::move(owner)) {}

  static std::shared_ptr<Attempt> Of(const std::shared_ptr<PersistentStream>& owner,
                                     const std::shared_ptr<Transport>& transport) {
    const bool waits = owner->settings_.reconnect.enabled;
    return std::make_shared<Attempt>(owner, transport,
                                     waits ? WaitForConnection::kYes : WaitForConnection::kNo);
  }

 private:
  void OnStarted() override { owner_->OnStarted(); }
  Reading OnFrame(grpc::ByteBuffer& frame) override { return owner_->OnFrame(frame); }
  void OnWritten() override { owner_->OnWritten(); }
  void OnEnd(const grpc::Status& status, const std::optional<Status>& fault) override {
    const std::shared_ptr<PersistentStream> owner = std::move(owner_);
    owner->OnAttemptEnd(status, fault);
  }

  std::shared_ptr<PersistentStream> owner_;  // Until the end.
};

PersistentStream::PersistentStream(std::shared_ptr<Transport> transport, Settings settings)
    : settings_(std::move(settings)),
      is_on_thread_of_(transport->thread_id()),
      backoff_(settings_.reconnect),
      transport_(std::move(transport)) {}

Status PersistentStream::WouldBlock() { return WouldBlockStatus(); }
Status PersistentStream::Missed(const char* what) { return DeadlineStatus(what); }

Status PersistentStream::Open(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  {
    std::lock_guard lock(mutex_);
    is_gone_ = false;
  }
  Begin();
  std::unique_lock lock(mutex_);
  const Status waited = Await(lock, deadline, "the daemon has not accepted the stream",
                              [this] { return accepted_attempts_ > 0; });
  if (accepted_attempts_ > 0) return Status();
  if (end_) return EndedStatus(*end_);
  // Why the last attempt failed says more than that the time is up.
  return waited.ok() || state_.status.ok() ? waited : state_.status;
}

void PersistentStream::Begin() {
  std::shared_ptr<Attempt> call;
  std::shared_ptr<Transport> transport;
  {
    std::lock_guard lock(mutex_);
    delay_.reset();
    const bool goes_on = !is_cancelled_ && (!lost_ || WantsReopening());
    if (goes_on) call_ = call = Attempt::Of(shared_from_this(), transport_);
    transport = transport_;
  }
  if (call == nullptr) return EndWith(EndOfDelay());
  if (IsOwnThread()) Tell({StreamState::Phase::kConnecting, {}, state().status, {}});
  if (settings_.reconnect.enabled) {
    transport->HurryConnecting();
    BoundConnecting(call);
  }
  call->Start(settings_.method);
}

void PersistentStream::BoundConnecting(const std::shared_ptr<Attempt>& attempt) {
  std::lock_guard lock(mutex_);
  const std::string address = transport_->address();
  connecting_ =
      Timer::Start(transport_->queue(), kConnectingMax,
                   [weak = std::weak_ptr<Attempt>(attempt), address](bool is_time) {
                     const std::shared_ptr<Attempt> call = is_time ? weak.lock() : nullptr;
                     if (call == nullptr) return;
                     const std::string bound = std::to_string(kConnectingMax.count());
                     call->Fail(Status(Code::kUnavailable, "CANNOT_CONNECT",
                                       "no connection to " + address + " within " + bound + " ms",
                                       {{"address", address}}));
                   });
}

void PersistentStream::Cancel() {
  std::shared_ptr<Attempt> call;
  std::shared_ptr<Timer> delay;
  {
    std::lock_guard lock(mutex_);
    is_cancelled_ = true;
    call = call_;
    delay = delay_;
  }
  if (call != nullptr) call->Cancel();
  if (delay != nullptr) delay->Cancel();
}

void PersistentStream::FinishByCancelling() {
  {
    std::lock_guard lock(mutex_);
    is_finished_by_cancel_ = true;
  }
  Cancel();
}

bool PersistentStream::WaitGone(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (IsOwnThread()) return is_gone_;
  return WaitUntil(changed_, lock, deadline, [this] { return is_gone_; });
}

StreamState PersistentStream::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

std::optional<StreamEnd> PersistentStream::end() const {
  std::lock_guard lock(mutex_);
  return end_;
}

std::uint64_t PersistentStream::reconnects() const {
  std::lock_guard lock(mutex_);
  return accepted_attempts_ > 0 ? accepted_attempts_ - 1 : 0;
}

void PersistentStream::OnStarted() {
  std::string frame = OpenFrame();
  std::shared_ptr<Attempt> call;
  std::shared_ptr<Timer> connecting;
  {
    std::lock_guard lock(mutex_);
    call = call_;
    connecting.swap(connecting_);
  }
  if (connecting != nullptr) connecting->Cancel();
  call->Write(ToByteBuffer(std::move(frame)));
}

void PersistentStream::OnWritten() {
  {
    std::unique_lock lock(mutex_);
    is_wire_free_ = true;
    const bool was_open_frame = !std::exchange(is_open_sent_, true);
    if (was_open_frame && settings_.shape == Shape::kServerStreaming) return HalfClose(lock);
  }
  OnWritable();
}

void PersistentStream::Write(std::unique_lock<std::mutex>& lock, const grpc::ByteBuffer& frame) {
  is_wire_free_ = false;
  const std::shared_ptr<Attempt> call = call_;
  lock.unlock();
  call->Write(frame);
}

void PersistentStream::Write(std::unique_lock<std::mutex>& lock, std::string frame) {
  Write(lock, ToByteBuffer(std::move(frame)));
}

void PersistentStream::HalfClose(std::unique_lock<std::mutex>& lock) {
  is_half_closed_ = true;
  const std::shared_ptr<Attempt> call = call_;
  lock.unlock();
  call->WritesDone();
}

void PersistentStream::ResumeReading() {
  std::shared_ptr<Attempt> call;
  {
    std::lock_guard lock(mutex_);
    call = call_;
  }
  if (call != nullptr) call->ResumeReading();
}

void PersistentStream::Accept() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(is_accepted_, true)) return;
    ready_since_ = std::chrono::steady_clock::now();
    if (accepted_attempts_++ > 0) ++transport_->counters().reconnects;
    state_ = StreamState{StreamState::Phase::kReady, {}, {}, {}};
    changed_.notify_all();
  }
  CallBack(settings_.on_state, StreamState{StreamState::Phase::kReady, {}, {}, {}});
}

void PersistentStream::NoteClosed(ClosedReason reason) {
  std::lock_guard lock(mutex_);
  closed_ = reason;
}

void PersistentStream::Fail(Status why) {
  std::shared_ptr<Attempt> call;
  {
    std::lock_guard lock(mutex_);
    has_failed_ = true;
    call = call_;
  }
  if (call != nullptr) call->Fail(std::move(why));
}

StreamEnd PersistentStream::EndOfAttempt(const grpc::Status& status,
                                         const std::optional<Status>& fault) const {
  if (closed_ && status.ok()) return Closed(*closed_);
  if (is_finished_by_cancel_) return Closed(ClosedReason::kFinished);
  StreamEnd end = EndOf(status);
  if (fault) {
    end = StreamEnd();
    end.status = *fault;
  }
  return end;
}

void PersistentStream::OnAttemptEnd(const grpc::Status& status,
                                    const std::optional<Status>& fault) {
  StreamEnd end;
  bool follows = false;
  std::shared_ptr<Timer> connecting;
  {
    std::lock_guard lock(mutex_);
    end = EndOfAttempt(status, fault);
    follows = settings_.reconnect.enabled && !is_cancelled_ && !has_failed_ &&
              (MayPass(end) || GoesOnAfter(end)) && WantsReopening();
    const bool was_healthy = is_accepted_ && std::chrono::steady_clock::now() - ready_since_ >=
                                                 settings_.reconnect.healthy_after;
    if (was_healthy) backoff_.Reset();
    connecting.swap(connecting_);
    call_.reset();
    is_wire_free_ = is_open_sent_ = is_half_closed_ = is_accepted_ = false;
    closed_.reset();
  }
  if (connecting != nullptr) connecting->Cancel();
  if (!follows) return EndWith(std::move(end));
  OnLost(end);
  BackOff(end);
}

void PersistentStream::BackOff(const StreamEnd& why) {
  // A daemon that says goodbye gives a reason, not a status.
  const Status status = why.status.ok() ? EndedStatus(why) : why.status;
  const std::chrono::milliseconds delay = backoff_.Next(status.retry_after());
  Tell({StreamState::Phase::kBackingOff, delay, status, {}});
  std::unique_lock lock(mutex_);
  lost_ = why;
  if (is_cancelled_ || !WantsReopening()) {
    lock.unlock();
    return EndWith(EndOfDelay());
  }
  delay_ = Timer::Start(transport_->queue(), delay,
                        [self = shared_from_this()](bool) { self->Begin(); });
}

StreamEnd PersistentStream::EndOfDelay() const {
  std::lock_guard lock(mutex_);
  if (is_finished_by_cancel_) return Closed(ClosedReason::kFinished);
  return is_cancelled_ || !lost_ ? EndOf(grpc::Status::CANCELLED) : *lost_;
}

void PersistentStream::StopReopening() {
  std::shared_ptr<Timer> delay;
  {
    std::lock_guard lock(mutex_);
    if (!WantsReopening()) delay = delay_;
  }
  if (delay != nullptr) delay->Cancel();
}

Result<StreamEnd> PersistentStream::AwaitEnd(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  if (!WaitGone(deadline)) {
    Cancel();
    return DeadlineStatus("the stream has not finished, and was cancelled");
  }
  return *end();
}

void PersistentStream::EndWith(StreamEnd end) {
  OnEnding(end);
  {
    std::lock_guard lock(mutex_);
    end_ = end;
    changed_.notify_all();
  }
  OnEnded();
  Tell({StreamState::Phase::kClosed, {}, end.status, end});
  std::lock_guard lock(mutex_);
  // Before anybody is told: who waits holds the transport too, and lets go of it on a thread of its
  // own.
  transport_.reset();
  is_gone_ = true;
  changed_.notify_all();
}

void PersistentStream::Tell(StreamState state) {
  {
    std::lock_guard lock(mutex_);
    state_ = state;
  }
  CallBack(settings_.on_state, state);
}

}  // namespace abi1
}  // namespace sluice
