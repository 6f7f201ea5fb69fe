// SPDX-License-Identifier: Apache-2.0
// The sockets that listen for one address: HOST:PORT, where HOST may be a name with several
// addresses, or unix:PATH.
//
// Wildcard   0.0.0.0 and [::] both mean every address of both families.
// Port 0     one free port, the same on each address.
// Taken      a port (or path) that somebody listens on is refused; one whose listener is gone is
//            taken at once, whatever connections of it linger.
// Inherited  what is set here holds for the connections: no delay of small writes, and a bound on
//            how long the peer may leave bytes unacknowledged (N19).
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace sluice {

class Listeners {
 public:
  // UNAVAILABLE, reason CANNOT_LISTEN: one sentence says why.
  static Result<Listeners> Open(const std::string& address,
                                std::chrono::milliseconds unacknowledged_max);

  Listeners() = default;
  Listeners(Listeners&& other) noexcept { *this = std::move(other); }
  Listeners& operator=(Listeners&& other) noexcept {
    std::swap(sockets_, other.sockets_);
    std::swap(port_, other.port_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~Listeners() { Close(); }

  // 0: a unix socket, or none.
  int port() const noexcept { return port_; }
  // Non-blocking.
  const std::vector<Fd>& sockets() const noexcept { return sockets_; }
  // Who waits to be accepted is reset. The path of a unix socket is removed.
  void Close();

 private:
  Listeners(std::vector<Fd> sockets, int port, std::string path)
      : sockets_(std::move(sockets)), port_(port), path_(std::move(path)) {}

  std::vector<Fd> sockets_;
  int port_ = 0;
  std::string path_;
};

}  // namespace sluice
