// SPDX-License-Identifier: Apache-2.0
// The daemon under a supervisor: it looks after itself, and tells what it finds to whoever asks
// (grpc.health.v1, the HTTP port) or waits (systemd: READY, STOPPING, WATCHDOG, STATUS).
//
// A daemon that is not alive does not end itself: what its memory holds would be lost, and only the
// operator knows whether that is better. It feeds the watchdog no more, and its supervisor acts.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "liveness.h"
#include "notify_socket.h"
#include "pulse.h"

namespace sluice {

namespace rpc {
class RpcServer;
class SelfProbe;
}  // namespace rpc

class Supervision {
 public:
  // Both outlive it.
  Supervision(rpc::RpcServer& rpc, const Clock& clock);
  ~Supervision();

  // It serves. `listen` as it was given; `probe_interval` 0: it does not ask itself, and with a
  // watchdog is judged by its workers alone. The watchdog is fed twice as often as it wants.
  void Start(const std::string& listen, std::chrono::milliseconds probe_interval);
  // It goes down; it goes on looking after itself.
  // Lasts that long at most.
  void Draining(std::chrono::milliseconds at_most);
  // Nothing is asked, and nobody is fed any more.
  void Stop();

  const Liveness& liveness() const noexcept { return liveness_; }

 private:
  void Changed(bool is_alive);

  rpc::RpcServer& rpc_;
  const Clock& clock_;
  const NotifySocket supervisor_;
  Liveness liveness_;
  std::unique_ptr<rpc::SelfProbe> probe_;
  std::unique_ptr<Pulse> pulse_;
};

}  // namespace sluice
