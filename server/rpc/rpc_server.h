// SPDX-License-Identifier: Apache-2.0
// The gRPC side of the daemon: the listener, the workers and the services on them. No gRPC type in
// this header.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "broker/broker.h"
#include "rpc/bound.h"
#include "rpc/call_stats.h"
#include "rpc/connections.h"
#include "rpc/own_peer.h"
#include "rpc/stream_table.h"

namespace sluice::rpc {

struct RpcServerOptions {
  std::string listen;        // HOST:PORT or unix:PATH
  std::uint32_t queues = 1;  // completion queues, one thread each
  bool reflection = false;
  bool remote_admin = false;
  std::chrono::milliseconds keepalive_time{10'000};
  std::chrono::milliseconds keepalive_timeout{10'000};
  std::chrono::milliseconds drain_delay{0};      // only told: the drain is the server's
  std::chrono::milliseconds drain_grace{8'000};  // likewise
  StreamLimits streams;
  ConnectionLimits connections;
  // An operator asked over the wire; the grace given, or a negative one for the configured. Any
  // thread.
  std::function<void(std::chrono::milliseconds grace)> drain_requested;
};

class RpcServer {
 public:
  // `broker` outlives the server.
  RpcServer(RpcServerOptions options, broker::Broker& broker);
  ~RpcServer();

  // UNAVAILABLE, reason CANNOT_LISTEN: the address is taken, not one of this machine, or none.
  Status Start();
  // 0: not started, or a unix socket.
  int port() const noexcept;
  std::uint32_t workers() const noexcept;
  const CallStats& call_stats() const noexcept;
  const StreamTable& streams() const noexcept;
  Connections& connections() noexcept;
  // Every bound in force, as ServerInfo tells them.
  std::vector<Bound> bounds() const;

  // --- while it serves, for whoever looks after it; any thread ---
  // Every worker calls `answer` with its number as soon as it runs.
  void AskWorkers(const std::function<void(std::uint32_t worker)>& answer);
  // What health tells; true in the beginning.
  void SetAlive(bool is_alive);
  // Its connections are ours.
  OwnPeer& own_peer() noexcept;

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
