// SPDX-License-Identifier: Apache-2.0
#include "stream_call.h"

#include <utility>

#include "wait_until.h"

namespace sluice {
inline namespace abi1 {

StreamCall::StreamCall(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}

void StreamCall::Start(const std::string& method) {
  is_on_thread_of_ = transport_->thread_id();
  stream_ = transport_->stub().PrepareCall(&context_, method, &transport_->queue());
  {
    std::lock_guard lock(mutex_);
    self_ = shared_from_this();
    ++owed_;
  }
  stream_->StartCall(&start_);
}

void StreamCall::Cancel() {
  context_.TryCancel();
  ResumeReading();  // It is a failing read that leads to the end.
}

bool StreamCall::WaitGone(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (IsOwnThread()) return is_gone_;
  return WaitUntil(gone_changed_, lock, deadline, [this] { return is_gone_; });
}

void StreamCall::Operation::Complete(bool ok) {
  (call.*handler)(ok);
  call.Done();
}

bool StreamCall::Begin() {
  std::lock_guard lock(mutex_);
  if (has_finished_ || self_ == nullptr) return false;
  ++owed_;
  return true;
}

void StreamCall::Write(const grpc::ByteBuffer& frame) {
  if (Begin()) stream_->Write(frame, &write_);
}

void StreamCall::WritesDone() {
  if (Begin()) stream_->WritesDone(&writes_done_);
}

void StreamCall::ResumeReading() {
  {
    std::lock_guard lock(mutex_);
    if (!std::exchange(is_paused_, false)) return;
  }
  Read();
}

void StreamCall::Read() {
  if (Begin()) stream_->Read(&incoming_, &read_);
}

void StreamCall::OnStart(bool ok) {
  if (ok) OnStarted();
  Read();  // Fails at once if the start did.
}

void StreamCall::OnRead(bool ok) {
  if (!ok) {
    if (Begin()) stream_->Finish(&status_, &finish_);
    return;
  }
  grpc::ByteBuffer frame;
  frame.Swap(&incoming_);
  {
    // Before the hook, which may make another thread resume at once.
    std::lock_guard lock(mutex_);
    is_paused_ = true;
  }
  if (OnFrame(frame) == Reading::kContinue) ResumeReading();
}

void StreamCall::OnWrite(bool ok) {
  if (ok) OnWritten();
}

void StreamCall::OnWritesDone(bool /*ok*/) {}

void StreamCall::OnFinish(bool /*ok*/) {
  std::lock_guard lock(mutex_);
  has_finished_ = true;
}

void StreamCall::Done() {
  {
    std::lock_guard lock(mutex_);
    if (--owed_ > 0 || !has_finished_) return;
  }
  // Nothing is owed and nothing can begin: this is the only thread that still has the call in hand.
  OnEnd(status_);
  std::shared_ptr<StreamCall> self;
  std::lock_guard lock(mutex_);
  // Before anybody is told: who waits holds the transport too, and lets go of it on a thread of its
  // own.
  transport_.reset();
  self.swap(self_);
  is_gone_ = true;
  gone_changed_.notify_all();
}

}  // namespace abi1
}  // namespace sluice
