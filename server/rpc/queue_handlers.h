// SPDX-License-Identifier: Apache-2.0
// The receiving methods of QueueService that may wait; the sending ones are send_handlers.h. What
// each does on the wire, step by step, is told in proto/sluice/v1/queue.proto.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/queue.h"
#include "rpc/call.h"
#include "rpc/services.h"
#include "sluice/v1/queue.pb.h"

namespace sluice::rpc {

// A request's numbers with their defaults and bounds applied.
std::uint32_t MessagesAsked(std::uint32_t asked);
std::uint64_t BytesAsked(std::uint64_t asked);

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
  void Leave();
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
