// SPDX-License-Identifier: Apache-2.0
// One gRPC call on its worker's completion queue, and the handler that gives it meaning.
//
// Owed tags   every operation given to gRPC owes one tag. A call destroys itself when none is owed
//             and it has been finished or is gone.
// Gone        a cancel, an expired deadline and a lost connection are one thing, told once by
//             OnGone: the tag of AsyncNotifyWhenDone brings it, whatever else is pending. A client
//             that only half-closes is told by OnHalfClose. (A failed read alone cannot tell the
//             two apart.)
// Threads     everything here runs on the worker's thread, but the notifier.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/status.h"
#include "broker/notifier.h"
#include "rpc/connections.h"
#include "rpc/stream_table.h"
#include "rpc/worker.h"

namespace sluice::rpc {

class Call;
class MethodTable;
struct MethodCells;

// What a method does with its call. Made when the call begins; destroyed when it has ended.
class Handler {
 public:
  explicit Handler(Call& call) : call_(call) {}
  virtual ~Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  // One frame came; Read() asks for the next.
  virtual void OnFrame(const grpc::ByteBuffer& frame) = 0;
  // No frame will come any more.
  virtual void OnHalfClose() = 0;
  // The write in flight ended; `ok`: the transport has it.
  virtual void OnWritten(bool ok) { static_cast<void>(ok); }
  // The broker has news.
  virtual void OnNotice() {}
  // The daemon goes down: tell the client as soon as may be. `is_final`: the grace is over.
  virtual void OnDrain(bool is_final) { static_cast<void>(is_final); }
  // The client is no more. Nothing can be written or finished.
  virtual void OnGone() {}
  // The status was given to the transport (`ok`) or could not be.
  virtual void OnFinished(bool ok) { static_cast<void>(ok); }

 protected:
  Call& call() const noexcept { return call_; }

 private:
  Call& call_;
};

class Call final : public ListNode {
 public:
  // Asks gRPC for one call; further calls are asked for as this one begins.
  static void Request(Worker& worker, grpc::AsyncGenericService& service,
                      const MethodTable& methods, StreamTable& streams, Connections& connections);

  // --- for handlers ---
  void Read();  // at most one outstanding
  bool is_writing() const noexcept { return is_writing_; }
  bool is_finishing() const noexcept { return is_finishing_; }
  void Write(const grpc::ByteBuffer& frame);  // requires !is_writing()
  void Finish(const Status& status);
  void WriteAndFinish(const grpc::ByteBuffer& frame);  // status OK; requires !is_writing()

  Worker& worker() const noexcept { return worker_; }
  const std::string& method() const { return context_.method(); }
  const std::string& peer() const noexcept { return peer_; }
  // The client's, by the worker's clock; kNever: it set none.
  TimePoint deadline() const;
  StreamInfo& info() noexcept { return *info_; }
  broker::NotifierPtr notifier() const noexcept;

  // --- for the worker and the server ---
  void Drain(bool is_final);
  void Notice();

 private:
  class CallNotifier;

  Call(Worker& worker, grpc::AsyncGenericService& service, const MethodTable& methods,
       StreamTable& streams, Connections& connections);
  ~Call();

  void OnBegin(bool ok);
  void OnDone();
  void OnRead(bool ok);
  void OnWrite(bool ok);
  void OnFinish(bool ok);
  void Begin();
  void Refuse(Strike strike, const Status& status);
  void DestroyIfSettled();
  void CountSent(const grpc::ByteBuffer& frame);
  void CountEnd();
  Code CodeOfLoss() const;

  Worker& worker_;
  grpc::AsyncGenericService& service_;
  const MethodTable& methods_;
  StreamTable& streams_;
  Connections& connections_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  std::string peer_;
  std::shared_ptr<StreamInfo> info_;
  std::shared_ptr<Traffic> traffic_;  // nothing: nobody looks
  std::shared_ptr<CallNotifier> notifier_;
  std::unique_ptr<Handler> handler_;
  grpc::ByteBuffer frame_;
  MethodCells* cells_ = nullptr;  // its worker's; nullptr: it has not begun
  TimePoint began_{};
  Code code_ = Code::kCancelled;  // as it ends
  int owed_ = 0;
  bool has_frame_ = false;  // one was read
  bool is_reading_ = false;
  bool is_writing_ = false;
  bool is_finishing_ = false;
  bool is_gone_ = false;
  Event begin_event_, done_event_, read_event_, write_event_, finish_event_;
};

}  // namespace sluice::rpc
