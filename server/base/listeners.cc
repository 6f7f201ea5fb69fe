// SPDX-License-Identifier: Apache-2.0
#include "base/listeners.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "base/host_port.h"
#include "base/listen_error.h"

namespace sluice {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
// Of port 0 with several addresses: the port that one gave may be taken on another.
constexpr int kFreePortTries = 16;

constexpr std::string_view kCannotListen = "CANNOT_LISTEN";

Status CannotListen(const std::string& address, const std::string& why) {
  return Status(Code::kUnavailable, kCannotListen, "cannot listen on " + address + ": " + why);
}

// An address as bind takes it.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  in_port_t& port() {
    return family() == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                : reinterpret_cast<sockaddr_in*>(&storage)->sin_port;
  }
  bool is_wildcard() const {
    if (family() == AF_INET6) {
      return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr) !=
             0;
    }
    return reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr == INADDR_ANY;
  }
  friend bool operator==(const Address& a, const Address& b) {
    return a.length == b.length && std::memcmp(&a.storage, &b.storage, a.length) == 0;
  }
};

Address Wildcard(int family, in_port_t port) {
  Address any;
  any.storage.ss_family = static_cast<sa_family_t>(family);
  any.length = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  any.port() = port;
  return any;
}

// 0, or what went wrong.
int OpenSocket(const Address& address, bool is_dual, std::chrono::milliseconds unacknowledged_max,
               Fd& socket) {
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  if (address.family() != AF_UNIX) {
    const int on = 1;
    const int off = 0;
    const int unacknowledged = static_cast<int>(unacknowledged_max.count());
    // Not SO_REUSEPORT: a second daemon must fail instead of sharing the connections.
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof(unacknowledged));
    if (is_dual && setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) {
      return errno;
    }
  }
  if (bind(fd.get(), address.get(), address.length) != 0) return errno;
  if (listen(fd.get(), SOMAXCONN) != 0) return errno;
  socket = std::move(fd);
  return 0;
}

int PortOf(const Fd& socket) {
  Address bound;
  bound.length = sizeof(bound.storage);
  if (getsockname(socket.get(), bound.get(), &bound.length) != 0) return 0;
  return ntohs(bound.port());
}

struct Sockets {
  std::vector<Fd> sockets;
  int port = 0;
  int error = 0;  // of an address that was left out, or of the one that ended it
};

// Listens on every address, or on none when one of them is in use. One that this machine cannot
// have (IPv6 in a container without) is left out as long as another is there.
Sockets OpenAll(const std::vector<Address>& addresses, bool is_dual,
                std::chrono::milliseconds unacknowledged_max) {
  Sockets opened;
  for (Address address : addresses) {
    if (opened.port != 0) address.port() = htons(static_cast<std::uint16_t>(opened.port));
    Fd socket;
    const int error = OpenSocket(address, is_dual, unacknowledged_max, socket);
    if (error != 0) opened.error = error;
    if (error == EADDRINUSE) {
      opened.sockets.clear();
      return opened;
    }
    if (error != 0) continue;
    opened.port = PortOf(socket);
    opened.sockets.push_back(std::move(socket));
  }
  return opened;
}

Sockets OpenTcp(const std::vector<Address>& addresses,
                std::chrono::milliseconds unacknowledged_max) {
  const auto wildcard = std::find_if(addresses.begin(), addresses.end(),
                                     [](const Address& address) { return address.is_wildcard(); });
  if (wildcard == addresses.end()) return OpenAll(addresses, false, unacknowledged_max);
  const in_port_t port = Address(*wildcard).port();
  Sockets dual = OpenAll({Wildcard(AF_INET6, port)}, true, unacknowledged_max);
  if (!dual.sockets.empty() || dual.error == EADDRINUSE) return dual;
  return OpenAll({Wildcard(AF_INET, port)}, false, unacknowledged_max);  // no IPv6 here
}

// Empty: `why` says why.
std::vector<Address> Resolve(const HostPort& wanted, std::string& why) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(wanted.host.c_str(), std::to_string(wanted.port).c_str(), &hints, &found);
  std::vector<Address> addresses;
  if (error != 0) {
    why = "the host has no address (" + std::string(gai_strerror(error)) + ")";
    return addresses;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    Address address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  if (addresses.empty()) why = "the host has no address";
  return addresses;
}

// A socket that nobody listens on is what a daemon left that was killed.
bool IsLeftOver(const Address& address, const std::string& path) {
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return connect(probe.get(), address.get(), address.length) != 0 && errno == ECONNREFUSED;
}

// 0, or what went wrong.
int OpenUnix(const std::string& path, Fd& socket) {
  Address address;
  auto& unix_address = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.find('\0') != std::string::npos) return EINVAL;
  if (path.size() >= sizeof(unix_address.sun_path)) return ENAMETOOLONG;
  unix_address.sun_family = AF_UNIX;
  std::memcpy(unix_address.sun_path, path.c_str(), path.size() + 1);
  address.length = sizeof(sockaddr_un);
  if (IsLeftOver(address, path)) unlink(path.c_str());
  return OpenSocket(address, false, {}, socket);
}

}  // namespace

Result<Listeners> Listeners::Open(const std::string& address,
                                  std::chrono::milliseconds unacknowledged_max) {
  if (address.starts_with(kUnixPrefix)) {
    std::string path = address.substr(kUnixPrefix.size());
    std::vector<Fd> sockets(1);
    const int error = OpenUnix(path, sockets.front());
    if (error != 0)
      return Status(Code::kUnavailable, kCannotListen, WhyCannotListen(error, address));
    return Listeners(std::move(sockets), 0, std::move(path));
  }
  const std::optional<HostPort> wanted = ParseHostPort(address);
  if (!wanted) return CannotListen(address, "it is neither HOST:PORT nor unix:PATH");
  std::string why;
  const std::vector<Address> addresses = Resolve(*wanted, why);
  if (addresses.empty()) return CannotListen(address, why);
  Sockets opened;
  for (int i = 0; i < kFreePortTries && opened.sockets.empty(); ++i) {
    opened = OpenTcp(addresses, unacknowledged_max);
    if (wanted->port != 0 || opened.error != EADDRINUSE) break;
  }
  if (opened.sockets.empty())
    return Status(Code::kUnavailable, kCannotListen, WhyCannotListen(opened.error, address));
  return Listeners(std::move(opened.sockets), opened.port, "");
}

void Listeners::Close() {
  // In this order: a path that nobody listens on any more may be the next daemon's at once.
  if (!path_.empty()) unlink(path_.c_str());
  path_.clear();
  sockets_.clear();
}

}  // namespace sluice
