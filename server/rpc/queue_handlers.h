// SPDX-License-Identifier: Apache-2.0
// The methods of QueueService that may wait. What each does on the wire, step by step, is told in
// proto/sluice/v1/queue.proto.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/queue.h"
#include "rpc/call.h"
#include "rpc/send_frame.h"
#include "rpc/services.h"
#include "sluice/v1/queue.pb.h"

namespace sluice::rpc {

// A request's numbers with their defaults and bounds applied.
std::uint32_t MessagesAsked(std::uint32_t asked);
std::uint64_t BytesAsked(std::uint64_t asked);
// Field 2 of every frame that delivers.
void AppendRuns(const broker::Delivery& delivery, std::string& frame);

// Send: one batch, one answer, which may have to wait for room.
class SendHandler final : public Handler {
 public:
  SendHandler(Call& call, const Services& services);
  ~SendHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnNotice() override { Answer(); }

 private:
  Status Begin(const grpc::ByteBuffer& frame);
  void Answer();

  broker::Broker& broker_;
  std::shared_ptr<broker::Queue> queue_;
  broker::SendTicket ticket_;
  std::vector<broker::Ack> acks_;
};

// SendStream: frames in, ranges of acks out. The next frame is read when the last is placed (N12).
class SendStreamHandler final : public Handler {
 public:
  SendStreamHandler(Call& call, const Services& services);
  ~SendStreamHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnWritten(bool ok) override;
  void OnNotice() override { Advance(); }
  void OnDrain(bool is_final) override;

 private:
  Status Open(const v1::SendOpen& open);
  Status Place(const grpc::ByteBuffer& frame);
  void Advance();
  // True: the stream has been ended.
  bool EndIfOver();
  void Flush();
  void Fail(Status status);

  const Services& services_;
  SendFrame frame_;
  std::shared_ptr<broker::Queue> queue_;
  broker::Producer producer_;
  broker::SendTicket ticket_;
  broker::SendOptions options_;  // of every frame
  std::chrono::milliseconds wait_{0};
  std::string session_id_;
  std::vector<broker::Ack> acks_;    // known, not yet written
  std::uint64_t next_sequence_ = 1;  // of a frame that does not say
  std::uint64_t last_sequence_ = 0;  // the last one spent
  std::string opened_;       // the answer to `open`, encoded; empty: written, or not yet asked
  bool is_placing_ = false;  // a frame is on its way in
  bool is_half_closed_ = false;
  bool is_draining_ = false;
};

// Receive: a long poll under a lease.
class ReceiveHandler final : public Handler {
 public:
  ReceiveHandler(Call& call, const Services& services);
  ~ReceiveHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnNotice() override { Answer(); }
  void OnDrain(bool is_final) override;
  void OnFinished(bool ok) override;

 private:
  Status Begin(const grpc::ByteBuffer& frame);
  void Answer();

  broker::Broker& broker_;
  std::shared_ptr<broker::Queue> queue_;
  broker::ReceiveTicket ticket_;
  std::uint64_t lease_ = 0;  // answered, not yet known to be sent
  std::uint32_t lease_ms_ = 0;
};

// ReceiveStream: deliveries out under credit, settlements in.
class ReceiveStreamHandler final : public Handler {
 public:
  ReceiveStreamHandler(Call& call, const Services& services);
  ~ReceiveStreamHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnWritten(bool ok) override;
  void OnNotice() override { Advance(); }
  void OnDrain(bool is_final) override;

 private:
  Status Open(const v1::ReceiveStreamRequest& request);
  Status Apply(const v1::ReceiveStreamRequest& request);
  void Advance();
  // Writes what there is to tell, at most one frame. True: the stream has been ended.
  bool EndIfOver();
  void Deliver();
  void End(broker::ClosedReason reason);

  const Services& services_;
  std::shared_ptr<broker::Queue> queue_;
  broker::Consumer consumer_;
  broker::Attached attached_;
  broker::Delivery writing_;                   // auto_ack: settled when its write is done
  std::vector<broker::SettleResult> results_;  // known, not yet written
  std::string event_;                          // to be written, encoded: `waiting`
  std::string next_event_;                     // to be written behind it: `attached`
  broker::ClosedReason ended_ = broker::ClosedReason::kUnspecified;
  std::uint64_t superseded_by_ = 0;
  bool is_attached_ = false;
  bool is_auto_ack_ = false;
  bool is_finishing_ = false;
  bool is_in_queue_ = false;  // Attach was accepted: Detach is owed
};

}  // namespace sluice::rpc
