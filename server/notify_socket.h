// SPDX-License-Identifier: Apache-2.0
// What a supervisor is told (sd_notify): one datagram of lines NAME=value to the socket that it
// named in NOTIFY_SOCKET.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace sluice {

// Thread-safe.
class NotifySocket {
 public:
  // A path, or an abstract name behind @. Empty or too long: nobody is told.
  explicit NotifySocket(const std::string& address);

  // As the environment of this process has it.
  static NotifySocket OfEnvironment();
  // WATCHDOG_USEC, when it is meant for this process (WATCHDOG_PID); zero: there is no watchdog.
  static std::chrono::microseconds WatchdogOfEnvironment();

  // "READY=1\nSTATUS=serving". Waits a second at most for a supervisor that does not read; false:
  // it was not told.
  bool Tell(std::string_view lines) const;

 private:
  Fd fd_;  // connected; none: nobody is told
};

}  // namespace sluice
