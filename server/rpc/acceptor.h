// SPDX-License-Identifier: Apache-2.0
// Accepts connections on a thread of its own and hands on those that are admitted. No gRPC type in
// this header.
//
// Out of descriptors  one is held back: it is given up to accept the connection that waits and to
//                     close it at once, so that its client hears at once, and the next is heard.
//                     Accepting never ends: gRPC's own listener falls silent for good
//                     (docs/decisions/0007).
// Out of memory       waits a little, then goes on.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "base/fd.h"
#include "base/listeners.h"

namespace sluice::rpc {

class Connections;

class Acceptor {
 public:
  // Takes the descriptor over. Non-blocking.
  using HandOver = std::function<void(int listener_fd, int fd)>;

  // `connections` outlives it.
  Acceptor(Listeners listeners, Connections& connections, HandOver hand_over);
  ~Acceptor() { Stop(); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void Start();
  // Ends listening: who waits to be accepted is reset. On return nothing is being handed over, and
  // nothing will be. Idempotent.
  void Stop();
  int port() const noexcept { return port_; }

 private:
  // Accept again at once, when there is a connection, or after a breath.
  enum class Next { kGoOn, kWait, kRest };

  void Loop();
  Next AcceptSome(int listener_fd);
  // A connection on `fd`, from `peer`.
  void Take(int listener_fd, Fd fd, const std::string& peer);
  // Out of descriptors, by `error`.
  Next Shed(int listener_fd, int error);

  Listeners listeners_;
  const int port_;
  Connections& connections_;
  const HandOver hand_over_;
  Fd wake_;
  Fd spare_;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice::rpc
