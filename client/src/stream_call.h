// SPDX-License-Identifier: Apache-2.0
// One bidirectional stream as bytes: starts, reads, writes, ends, and is there as long as gRPC owes
// it anything. What the frames mean is the derived class's.
//
//   Start -> OnStarted -> OnFrame* -> OnEnd
//
// The hooks run on the transport's thread, one at a time, without a lock. Writes may be started by
// any thread, one at a time: the next after OnWritten. OnEnd comes exactly once, after every other
// hook, when nothing is owed any more.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "sluice/status.h"
#include "transport.h"

namespace sluice {
inline namespace abi1 {

class StreamCall : public std::enable_shared_from_this<StreamCall> {
 public:
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;

  void Start(const std::string& method);
  // Every operation comes back as failed, and OnEnd follows with CANCELLED, without the network's
  // help.
  void Cancel();
  // The same; OnEnd gets this as the reason, the first one that is given.
  void Fail(Status why);

  // Requires: started, and no write under way. Lost without a word if the stream ends: OnEnd says
  // so.
  void Write(const grpc::ByteBuffer& frame);
  // Half-close. Requires: no write under way; none follows.
  void WritesDone();
  // After kPause.
  void ResumeReading();

  enum class Reading { kContinue, kPause };

 protected:
  enum class WaitForConnection { kNo, kYes };
  StreamCall(std::shared_ptr<Transport> transport, WaitForConnection waits);
  ~StreamCall() = default;

  virtual void OnStarted() = 0;
  // The frame may be taken.
  virtual Reading OnFrame(grpc::ByteBuffer& frame) = 0;
  virtual void OnWritten() = 0;
  // `fault` is why this end gave up on the stream, if it did. The transport is not held any more.
  virtual void OnEnd(const grpc::Status& status, const std::optional<Status>& fault) = 0;

 private:
  using Handler = void (StreamCall::*)(bool ok);
  struct Operation final : Completion {
    Operation(StreamCall& owner, Handler which) : call(owner), handler(which) {}
    void Complete(bool ok) override;
    StreamCall& call;
    const Handler handler;
  };

  // Counts an operation in. False: no more may be begun.
  bool Begin();
  void OnStart(bool ok);
  void OnRead(bool ok);
  void OnWrite(bool ok);
  void OnWritesDone(bool ok);
  void OnFinish(bool ok);
  void Read();
  void Done();

  std::shared_ptr<Transport> transport_;  // Until the end.
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  Operation start_{*this, &StreamCall::OnStart};
  Operation read_{*this, &StreamCall::OnRead};
  Operation write_{*this, &StreamCall::OnWrite};
  Operation writes_done_{*this, &StreamCall::OnWritesDone};
  Operation finish_{*this, &StreamCall::OnFinish};
  grpc::ByteBuffer incoming_;
  grpc::Status status_;
  bool is_counted_ = false;  // The transport's thread alone: it is among those watched.

  std::mutex mutex_;
  // Guarded by mutex_:
  std::shared_ptr<StreamCall> self_;  // While anything is owed.
  int owed_ = 0;
  bool is_paused_ = false;
  bool has_finished_ = false;  // The status is here: no more operations.
  std::optional<Status> fault_;
};

}  // namespace abi1
}  // namespace sluice
