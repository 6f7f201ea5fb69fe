// SPDX-License-Identifier: Apache-2.0
#include "notify_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace sluice {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// 0: it is no number, or none that fits.
std::int64_t Number(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

NotifySocket::NotifySocket(const std::string& address) {
  sockaddr_un there{};
  if (address.empty() || address.size() >= sizeof(there.sun_path)) return;
  there.sun_family = AF_UNIX;
  address.copy(there.sun_path, address.size());
  // An abstract name has a zero in front and ends with its size; a path ends with a zero.
  const bool is_abstract = address.front() == '@';
  if (is_abstract) there.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() +
                                           (is_abstract ? 0 : 1));
  fd_.Reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval wait{.tv_sec = 1, .tv_usec = 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
  if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&there), size) != 0) fd_.Reset();
}

NotifySocket NotifySocket::OfEnvironment() { return NotifySocket(Variable("NOTIFY_SOCKET")); }

std::chrono::microseconds NotifySocket::WatchdogOfEnvironment() {
  const std::string pid = Variable("WATCHDOG_PID");
  if (!pid.empty() && Number(pid) != getpid()) return std::chrono::microseconds(0);
  return std::chrono::microseconds(std::max<std::int64_t>(Number(Variable("WATCHDOG_USEC")), 0));
}

bool NotifySocket::Tell(std::string_view lines) const {
  if (!fd_) return false;
  return send(fd_.get(), lines.data(), lines.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(lines.size());
}

}  // namespace sluice
