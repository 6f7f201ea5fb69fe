// SPDX-License-Identifier: Apache-2.0
// Subscribe: what is published to a topic, or to all that match a pattern. What happens on the
// wire, step by step, is told in proto/sluice/v1/topic.proto.
#pragma once

#include <memory>

#include "broker/topic_subscription.h"
#include "rpc/call.h"
#include "rpc/services.h"

namespace sluice::rpc {

class SubscribeHandler final : public Handler {
 public:
  SubscribeHandler(Call& call, const Services& services);
  ~SubscribeHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnWritten(bool ok) override;
  void OnNotice() override { Advance(); }
  void OnDrain(bool is_final) override;

 private:
  Status Begin(const grpc::ByteBuffer& frame);
  // Writes the next frame, unless one is being written.
  void Advance();
  void EndWith(broker::ClosedReason reason);

  const Services& services_;
  std::shared_ptr<broker::Subscription> subscription_;
  broker::SubscriptionFrame frame_;
  bool is_draining_ = false;
  bool is_over_ = false;  // the grace has ended
};

}  // namespace sluice::rpc
