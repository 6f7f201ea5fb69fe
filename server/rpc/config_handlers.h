// SPDX-License-Identifier: Apache-2.0
// The methods of ConfigService that may wait or stream. What each does on the wire, step by step,
// is told in proto/sluice/v1/config.proto.
#pragma once

#include <memory>

#include "broker/config.h"
#include "rpc/call.h"
#include "rpc/services.h"

namespace sluice::rpc {

// GetKey: the latest, or a wait for it.
class GetKeyHandler final : public Handler {
 public:
  GetKeyHandler(Call& call, const Services& services);
  ~GetKeyHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnNotice() override { Answer(); }
  void OnDrain(bool is_final) override;

 private:
  Status Begin(const grpc::ByteBuffer& frame);
  void Answer();

  const Services& services_;
  broker::Config& config_;
  broker::GetTicket ticket_;
  bool is_waiting_ = false;
};

// Watch: a frame is taken from the broker when the one before is written, and none is kept here.
class WatchHandler final : public Handler {
 public:
  WatchHandler(Call& call, const Services& services);
  ~WatchHandler() override;

  void OnFrame(const grpc::ByteBuffer& frame) override;
  void OnHalfClose() override;
  void OnWritten(bool ok) override;
  void OnNotice() override { Advance(); }
  void OnDrain(bool is_final) override;

 private:
  Status Begin(const grpc::ByteBuffer& frame);
  void Advance();
  void End(broker::ClosedReason reason);

  const Services& services_;
  broker::Config& config_;
  broker::Watcher watcher_;
  bool is_watching_ = false;
  bool is_ending_ = false;  // the grace is over: the end comes next
};

}  // namespace sluice::rpc
