// SPDX-License-Identifier: Apache-2.0
// The methods of RequestService that may wait or stream. What each does on the wire, step by step,
// is told in proto/sluice/v1/request.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/responder.h"
#include "rpc/call.h"
#include "rpc/request_items.h"
#include "rpc/services.h"
#include "sluice/v1/request.pb.h"

namespace sluice::rpc {

// One call with a gRPC call of its own: what Call and CallParts have in common.
class AskHandler : public Handler {
 public:
  AskHandler(Call& call, const Services& services) : Handler(call), services_(services) {}
  ~AskHandler() override;

  void OnHalfClose() override;
  void OnNotice() override { Advance(); }
  void OnDrain(bool is_final) override;

 protected:
  // Asks, or finishes the call.
  template <class Request>
  void Ask(const grpc::ByteBuffer& frame, bool wants_parts);
  // What has come, at most one reply. Nothing: none has, or the call was finished, because the
  // client's own deadline is over.
  std::optional<broker::CallReply> Next();
  virtual void Advance() = 0;
  broker::Responder* responder() const noexcept { return responder_.get(); }
  broker::Caller& caller() noexcept { return *caller_; }

 private:
  template <class Request>
  Status Begin(const grpc::ByteBuffer& frame, bool wants_parts);

  const Services& services_;
  std::shared_ptr<broker::Responder> responder_;
  std::optional<broker::Caller> caller_;
  std::optional<broker::CallReply> refused_;
  TimePoint grpc_deadline_ = kNever;
  bool is_timed_by_client_ = false;  // its gRPC deadline is before the call's own
};

// Call: one request, one answer.
class CallHandler final : public AskHandler {
 public:
  using AskHandler::AskHandler;
  void OnFrame(const grpc::ByteBuffer& frame) override;

 private:
  void Advance() override;
};

// CallParts: one request, one frame for each part of the answer.
class CallPartsHandler final : public AskHandler {
 public:
  using AskHandler::AskHandler;
  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnWritten(bool ok) override;

 private:
  void Advance() override;

  std::uint64_t written_ = 0;  // parts
};

// CallStream: many calls, to any responders.
class CallStreamHandler final : public Handler {
 public:
  CallStreamHandler(Call& call, const Services& services);
  ~CallStreamHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnWritten(bool ok) override;
  void OnNotice() override { Advance(); }
  void OnDrain(bool is_final) override;

 private:
  // This stream's calls with one responder.
  struct Port {
    std::shared_ptr<broker::Responder> responder;
    std::optional<broker::Caller> caller;
    std::size_t open = 0;
  };
  // A call that was found good: to be started. Without a responder it is ABSENT.
  struct Start {
    std::shared_ptr<broker::Responder> responder;
    broker::CallOptions options;
  };

  Status Check(const v1::CallStreamRequest& request, std::vector<Start>& starts);
  Status CheckCall(const v1::CallStart& call, std::uint64_t request_bytes, Start& start);
  void Begin(const v1::CallStart& call, broker::EncodedMessage request, const Start& start);
  Status Apply(const grpc::ByteBuffer& frame);
  Port& PortOf(const std::shared_ptr<broker::Responder>& responder);
  void Refuse(std::uint64_t call_id, broker::Outcome outcome);
  void CancelAll();
  void Advance();
  void Flush();
  // True: the stream has been ended.
  bool EndIfOver();

  const Services& services_;
  ItemFrame items_;
  std::map<broker::Responder*, Port> ports_;
  broker::Responder* first_served_ = nullptr;      // compared only: it may be gone
  std::unordered_map<std::uint64_t, Port*> open_;  // calls, by their id
  std::vector<broker::CallReply> refused_;         // not yet written
  std::uint64_t last_call_id_ = 0;
  bool is_half_closed_ = false;
  bool is_draining_ = false;
};

// Serve: assignments out under credit, replies in.
class ServeHandler final : public Handler {
 public:
  ServeHandler(Call& call, const Services& services);
  ~ServeHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnWritten(bool ok) override;
  void OnNotice() override { Advance(); }
  void OnDrain(bool is_final) override;
  void OnFinished(bool ok) override;

 private:
  Status Open(const v1::ServeRequest& request);
  Status Apply(v1::ServeRequest& request);
  void Advance();
  void Write();
  // True: the stream has been ended.
  bool EndIfOver();
  void Detach(broker::Leaving leaving);

  const Services& services_;
  ItemFrame items_;
  std::shared_ptr<broker::Responder> responder_;
  broker::ResponderWorker worker_;
  broker::WorkerNews news_;
  std::vector<broker::ReplyResult> results_;  // known, not yet written
  std::uint64_t fence_ = 0;                   // of `attached`, until it is written
  broker::ClosedReason ended_ = broker::ClosedReason::kUnspecified;
  bool is_attached_ = false;  // Detach is owed
  bool is_finishing_ = false;
  bool is_half_closed_ = false;  // after `finish`
};

}  // namespace sluice::rpc
