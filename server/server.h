// SPDX-License-Identifier: Apache-2.0
// The composition root: builds the parts from the bottom up, and takes them down in order.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/status.h"
#include "liveness.h"
#include "options.h"

namespace sluice {

class Supervision;
namespace broker {
class Broker;
}
namespace rpc {
class RpcServer;
}

class Server {
 public:
  // `drain_requested` is called from any thread when an operator asks for a drain over the wire.
  Server(Options options, std::function<void(std::chrono::milliseconds)> drain_requested);
  ~Server();

  Status Start();
  int port() const;
  int http_port() const;  // 0: there is none
  const Liveness& liveness() const;

  // More than Drain takes with this grace, however much there is to end: when it is over something
  // hangs.
  std::chrono::milliseconds DrainBound(std::chrono::milliseconds grace) const;
  // Goes down in order: not ready, refuse, close, let consumers finish within `grace`, tell
  // everybody, end. Nothing hangs past the grace (N41). Negative: the configured grace. `pause`
  // waits for the time given; true: somebody is impatient, and every wait is cut short.
  void Drain(std::chrono::milliseconds grace,
             const std::function<bool(std::chrono::milliseconds)>& pause);

 private:
  struct Http;

  const Options options_;
  SystemClock clock_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<rpc::RpcServer> rpc_;
  std::unique_ptr<Supervision> supervision_;
  std::unique_ptr<Http> http_;
};

}  // namespace sluice
