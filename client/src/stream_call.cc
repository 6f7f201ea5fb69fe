// SPDX-License-Identifier: Apache-2.0
#include "stream_call.h"

#include <utility>

namespace sluice {
inline namespace abi1 {

StreamCall::StreamCall(std::shared_ptr<Transport> transport, WaitForConnection waits)
    : transport_(std::move(transport)) {
  context_.set_wait_for_ready(waits == WaitForConnection::kYes);
}

void StreamCall::Start(const std::string& method) {
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

void StreamCall::Fail(Status why) {
  {
    std::lock_guard lock(mutex_);
    if (!fault_) fault_ = std::move(why);
  }
  Cancel();
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
  if (!Begin()) return;
  Transport::Counters& counters = transport_->counters();
  counters.frames_sent.fetch_add(1, std::memory_order_relaxed);
  counters.bytes_sent.fetch_add(frame.Length(), std::memory_order_relaxed);
  stream_->Write(frame, &write_);
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
  if (ok) {
    transport_->heartbeat().Add(*this);
    transport_->counters().streams.fetch_add(1, std::memory_order_relaxed);
    is_counted_ = true;
    OnStarted();
  }
  Read();  // Fails at once if the start did.
}

void StreamCall::OnRead(bool ok) {
  if (!ok) {
    if (Begin()) stream_->Finish(&status_, &finish_);
    return;
  }
  grpc::ByteBuffer frame;
  frame.Swap(&incoming_);
  transport_->heartbeat().OnSignOfLife();
  Transport::Counters& counters = transport_->counters();
  counters.frames_received.fetch_add(1, std::memory_order_relaxed);
  counters.bytes_received.fetch_add(frame.Length(), std::memory_order_relaxed);
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
  std::shared_ptr<StreamCall> self;
  std::optional<Status> fault;
  {
    std::lock_guard lock(mutex_);
    if (--owed_ > 0 || !has_finished_) return;
    self.swap(self_);
    fault = fault_;
  }
  // Nothing is owed and nothing can begin: this is the only thread that still has the call in hand.
  if (is_counted_) {
    transport_->heartbeat().Remove(*this);
    transport_->counters().streams.fetch_sub(1, std::memory_order_relaxed);
  }
  transport_.reset();  // Never the last one: whoever is told next holds it.
  OnEnd(status_, fault);
}

}  // namespace abi1
}  // namespace sluice
