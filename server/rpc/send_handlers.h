// SPDX-License-Identifier: Apache-2.0
// Sending to a queue and publishing to a topic, which differ in names (send_kinds.h) and in one
// thing: a stream may publish to many topics. What each does on the wire, step by step, is told in
// proto/sluice/v1/queue.proto and topic.proto.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rpc/call.h"
#include "rpc/publish_routes.h"
#include "rpc/send_frame.h"
#include "rpc/send_kinds.h"
#include "rpc/services.h"

namespace sluice::rpc {

// Send and Publish: one batch, one answer, which may have to wait for room.
template <class Kind>
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
  std::shared_ptr<typename Kind::Channel> channel_;
  broker::SendTicket ticket_;
  std::vector<broker::Ack> acks_;
};

// SendStream and PublishStream: frames in, ranges of acks out. The next frame is read when the last
// is placed (N12).
template <class Kind>
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
  using Channel = typename Kind::Channel;

  Status Open(const typename Kind::Open& open);
  Status OpenOne(const typename Kind::Open& open);
  Status Accept(const grpc::ByteBuffer& frame);
  Status Place(const typename Kind::StreamRequest& request);
  Status PlaceInOneOfMany(const typename Kind::StreamRequest& request);
  void Advance();
  void TakeAcks(Channel& channel);
  // True: the stream has been ended.
  bool EndIfOver();
  void Flush();
  void Leave();
  void Fail(Status status);

  const Services& services_;
  SendFrame frame_;
  std::shared_ptr<Channel> channel_;       // null on a stream of many
  std::unique_ptr<PublishRoutes> routes_;  // of a stream of many
  broker::Producer producer_;
  broker::SendTicket ticket_;
  broker::SendOptions options_;  // of every frame
  std::chrono::milliseconds wait_{0};
  std::string session_id_;
  std::vector<broker::Ack> acks_;    // known, not yet written
  std::uint64_t next_sequence_ = 1;  // of a frame that does not say
  std::uint64_t last_sequence_ = 0;  // the last one spent
  typename Kind::Opened opened_;     // the answer to `open`
  bool is_open_ = false;
  bool is_opened_told_ = false;
  bool is_placing_ = false;  // a frame is on its way in
  bool is_half_closed_ = false;
  bool is_draining_ = false;
};

extern template class SendHandler<QueueKind>;
extern template class SendHandler<TopicKind>;
extern template class SendStreamHandler<QueueKind>;
extern template class SendStreamHandler<TopicKind>;

}  // namespace sluice::rpc
