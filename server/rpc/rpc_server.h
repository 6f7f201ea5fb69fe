// SPDX-License-Identifier: Apache-2.0
// The gRPC side of the daemon: the listener, the workers and the services on them. No gRPC type in
// this header.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "broker/broker.h"
#include "rpc/stream_table.h"

namespace sluice::rpc {

struct RpcServerOptions {
  std::string listen;
  std::uint32_t queues = 1;  // completion queues, one thread each
  bool reflection = false;
  bool remote_admin = false;
  std::chrono::milliseconds keepalive_time{10'000};
  std::chrono::milliseconds keepalive_timeout{10'000};
  std::chrono::milliseconds drain_delay{0};      // only told: the drain is the server's
  std::chrono::milliseconds drain_grace{8'000};  // likewise
  StreamLimits streams;
  // An operator asked over the wire; the grace given, or a negative one for the configured. Any
  // thread.
  std::function<void(std::chrono::milliseconds grace)> drain_requested;
};

class RpcServer {
 public:
  // `broker` outlives the server.
  RpcServer(RpcServerOptions options, broker::Broker& broker);
  ~RpcServer();

  // UNAVAILABLE, reason CANNOT_LISTEN: the address is taken or cannot be resolved.
  Status Start();
  int port() const noexcept;

  // --- going down, in this order ---
  // Not ready: health answers NOT_SERVING. Everything is still served.
  void StopReadiness();
  // New work is refused, streams are told as they come to rest.
  void StartDrain();
  // The grace is over: every stream that is left is told and ended.
  void EndStreams();
  std::size_t open_calls() const;
  // Ends connections, cancels what is left after `patience`, joins the workers. Idempotent.
  void Stop(std::chrono::milliseconds patience);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sluice::rpc
