// SPDX-License-Identifier: Apache-2.0
#include "rpc/connections.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/log.h"

namespace sluice::rpc {
namespace {

// What a strike fills in. A client under load gives up many calls by their deadlines; hardly any by
// resetting them before their first frame; metadata over the limit is at most a mistake.
constexpr std::array<double, kStrikeNames.size()> kWeights = {10, 100, 10, 1, 0};
// Whoever connects in vain does not make us look at every connection each time.
constexpr std::chrono::milliseconds kSweepInterval{100};
constexpr std::chrono::milliseconds kWatchInterval{50};
constexpr int kEventsAtOnce = 256;

std::optional<std::uint64_t> CookieOf(int fd) {
  std::uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) return std::nullopt;
  return cookie;
}

// What was read of a connection so far, by whoever reads it.
std::uint64_t BytesTaken(int fd) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  int waiting = 0;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  if (ioctl(fd, SIOCINQ, &waiting) != 0) return 0;
  return info.tcpi_bytes_received -
         std::min<std::uint64_t>(info.tcpi_bytes_received,
                                 static_cast<std::uint64_t>(std::max(waiting, 0)));
}

Duration Worked() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

template <class Enum>
std::size_t IndexOf(Enum value) {
  return static_cast<std::size_t>(value);
}

bool HasPort(std::string_view peer) { return peer.starts_with("ip"); }

}  // namespace

std::string PeerName(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    return "ipv4:" + std::string(text.data()) + ":" + std::to_string(ntohs(four.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    const std::string port = ":" + std::to_string(ntohs(six.sin6_port));
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
      inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text.data(), text.size());
      return "ipv4:" + std::string(text.data()) + port;
    }
    inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    std::string name = "ipv6:%5B" + std::string(text.data());
    if (six.sin6_scope_id != 0) name += "%25" + std::to_string(six.sin6_scope_id);
    return name + "%5D" + port;
  }
  // Clients have no names there, as a rule.
  const auto& local = reinterpret_cast<const sockaddr_un&>(address);
  if (address.ss_family != AF_UNIX || local.sun_path[0] != '\0') return "unix:";
  const std::size_t size = strnlen(&local.sun_path[1], sizeof(local.sun_path) - 1);
  return size == 0 ? "unix:" : "unix-abstract:" + std::string(&local.sun_path[1], size);
}

std::string_view AddressOf(std::string_view peer) { return peer.substr(0, peer.rfind(':')); }

Connections::Connections(ConnectionLimits limits, const Clock& clock, const OwnPeer* own)
    : limits_(limits),
      bucket_(std::max<double>(limits.strikes_max,
                               2.0 * limits.calls_max * kWeights[IndexOf(Strike::kReset)])),
      clock_(clock),
      own_(own),
      activity_(epoll_create1(EPOLL_CLOEXEC)),
      nothing_(eventfd(0, EFD_CLOEXEC)),
      pinned_(eventfd(0, EFD_CLOEXEC)) {
  if (!activity_ || !nothing_ || !pinned_) {
    throw std::system_error(errno, std::generic_category(), "no descriptor to watch connections");
  }
}

bool Connections::HasRoom(std::string_view address, Refusal& reason) const {
  reason = Refusal::kTotal;
  if (by_fd_.size() >= limits_.connections_max) return false;
  reason = Refusal::kAddress;
  if (limits_.connections_per_address_max == 0) return true;
  const auto from_address = per_address_.find(std::string(address));
  return from_address == per_address_.end() ||
         from_address->second < limits_.connections_per_address_max;
}

bool Connections::Admit(int fd, const std::string& peer) {
  if (own_ != nullptr && own_->Is(peer)) return true;
  const std::string_view address = AddressOf(peer);
  const std::optional<std::uint64_t> cookie = CookieOf(fd);
  Refusal reason{};
  {
    MutexLock lock(mutex_);
    Forget(fd);  // its number was free again
    if (!HasRoom(address, reason) && clock_.Now() - swept_ >= kSweepInterval) SweepLocked();
    if (HasRoom(address, reason)) {
      ++counts_.accepted;
      ++per_address_[std::string(address)];
      Connection& connection = by_fd_[fd];
      connection.cookie = cookie.value_or(0);
      connection.peer = peer;
      if (!HasPort(peer)) return true;
      by_peer_[peer] = fd;
      connection.traffic = std::make_shared<Traffic>();
      epoll_event news{.events = EPOLLIN | EPOLLET, .data = {.fd = fd}};
      epoll_ctl(activity_.get(), EPOLL_CTL_ADD, fd, &news);  // until it is closed
      return true;
    }
  }
  Refused(reason, peer);
  return false;
}

void Connections::Refused(Refusal reason, const std::string& peer) {
  {
    MutexLock lock(mutex_);
    ++counts_.refused[IndexOf(reason)];
  }
  if (const auto held_back = refused_log_[IndexOf(reason)].Pass(clock_.Now())) {
    Log(LogLevel::kWarning, "connection_refused", "a connection was closed at once",
        {{"reason", kRefusalNames[IndexOf(reason)]},
         {"peer", std::string_view(peer)},
         {"more_before", *held_back}});
  }
}

void Connections::AcceptFailed(int error) {
  {
    MutexLock lock(mutex_);
    ++counts_.accept_errors;
  }
  if (const auto held_back = failed_log_.Pass(clock_.Now())) {
    const std::string why = std::system_category().message(error);
    Log(LogLevel::kError, "accept_failed", "a connection could not be accepted",
        {{"error", std::string_view(why)}, {"more_before", *held_back}});
  }
}

void Connections::Struck(const std::string& peer, Strike strike) {
  const TimePoint now = clock_.Now();
  {
    MutexLock lock(mutex_);
    const auto named = by_peer_.find(peer);
    if (named == by_peer_.end()) return;
    Connection& connection = by_fd_.at(named->second);
    if (connection.is_cut) return;
    const std::chrono::duration<double> since = now - connection.struck;
    connection.level = std::max(0.0, connection.level - since.count() * limits_.strikes_leak);
    connection.level += kWeights[IndexOf(strike)];
    connection.struck = now;
    if (connection.level <= bucket_ || !Cut(named->second, connection.cookie)) return;
    connection.is_cut = true;
    ++counts_.cut[IndexOf(strike)];
  }
  LogCut(peer, strike);
}

void Connections::LogCut(const std::string& peer, Strike strike) {
  if (const auto held_back = cut_log_[IndexOf(strike)].Pass(clock_.Now())) {
    Log(LogLevel::kWarning, "connection_cut", "a connection was cut for what it went on doing",
        {{"reason", kStrikeNames[IndexOf(strike)]},
         {"peer", std::string_view(peer)},
         {"more_before", *held_back}});
  }
}

// gRPC may close `fd`, and anybody may be given its number, at any moment. So the socket is first
// pinned under a descriptor of ours, then known by its cookie, then shut down.
bool Connections::Cut(int fd, std::uint64_t cookie) {
  if (dup3(fd, pinned_.get(), EFD_CLOEXEC) < 0) return false;
  const bool is_it = CookieOf(pinned_.get()) == cookie;
  if (is_it) {
    // As a reset, which also drops what was received and not read.
    const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
    if (connect(pinned_.get(), &nobody, sizeof(nobody)) != 0) shutdown(pinned_.get(), SHUT_RDWR);
  }
  dup3(nothing_.get(), pinned_.get(), EFD_CLOEXEC);
  return is_it;
}

std::shared_ptr<Traffic> Connections::TrafficOf(const std::string& peer) const {
  MutexLock lock(mutex_);
  const auto named = by_peer_.find(peer);
  return named == by_peer_.end() ? nullptr : by_fd_.at(named->second).traffic;
}

bool Connections::Watch() {
  const TimePoint now = clock_.Now();
  if (now - watched_ < kWatchInterval) return true;
  watched_ = now;
  std::vector<int> fds;
  fds.swap(suspects_);
  std::array<epoll_event, kEventsAtOnce> events{};
  int count = 0;
  do {
    count = epoll_wait(activity_.get(), events.data(), kEventsAtOnce, 0);
    for (int i = 0; i < count; ++i) fds.push_back(events[static_cast<std::size_t>(i)].data.fd);
  } while (count == kEventsAtOnce);
  // Twice is as good as once.
  for (const int fd : fds) {
    if (WatchOne(fd)) suspects_.push_back(fd);
  }
  return !fds.empty();
}

bool Connections::WatchOne(int fd) {
  std::string peer;
  {
    MutexLock lock(mutex_);
    const auto found = by_fd_.find(fd);
    if (found == by_fd_.end()) return false;
    Connection& connection = found->second;
    if (connection.is_cut || connection.traffic == nullptr) return false;
    const std::uint64_t taken = BytesTaken(fd);
    if (CookieOf(fd) != connection.cookie) return false;
    if (!connection.judge.Look(*connection.traffic, taken, clock_.Now(), Worked())) {
      return connection.judge.is_suspicious();
    }
    if (!Cut(fd, connection.cookie)) return false;
    connection.is_cut = true;
    ++counts_.cut[IndexOf(Strike::kUnread)];
    peer = connection.peer;
  }
  LogCut(peer, Strike::kUnread);
  return false;
}

void Connections::Sweep() {
  MutexLock lock(mutex_);
  SweepLocked();
}

void Connections::SweepLocked() {
  std::vector<int> closed;
  for (const auto& [fd, connection] : by_fd_) {
    if (CookieOf(fd) != connection.cookie) closed.push_back(fd);
  }
  for (const int fd : closed) Forget(fd);
  swept_ = clock_.Now();
}

void Connections::Forget(int fd) {
  const auto found = by_fd_.find(fd);
  if (found == by_fd_.end()) return;
  const std::string& peer = found->second.peer;
  const auto from_address = per_address_.find(std::string(AddressOf(peer)));
  if (--from_address->second == 0) per_address_.erase(from_address);
  // Its name may already be another's.
  const auto named = by_peer_.find(peer);
  if (named != by_peer_.end() && named->second == fd) by_peer_.erase(named);
  by_fd_.erase(found);
}

ConnectionCounts Connections::Counts() {
  MutexLock lock(mutex_);
  SweepLocked();
  ConnectionCounts counts = counts_;
  counts.open = by_fd_.size();
  for (const auto& [address, open] : per_address_) {
    counts.per_address = std::max(counts.per_address, open);
  }
  return counts;
}

}  // namespace sluice::rpc
