// SPDX-License-Identifier: Apache-2.0
#include "rpc/acceptor.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rpc/connections.h"

namespace sluice::rpc {
namespace {

// Of one listener, before the others are looked at.
constexpr int kAcceptsPerTurn = 64;
// What is closed is noticed at least this often.
constexpr std::chrono::milliseconds kSweepEvery{5'000};
constexpr std::chrono::milliseconds kBreath{100};
constexpr std::chrono::milliseconds kWatchEvery{50};

Fd OpenSpare() { return Fd(eventfd(0, EFD_CLOEXEC)); }

// -1 and errno, or a connection and who it is from.
int AcceptOne(int listener_fd, std::string& peer) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  const int fd = accept4(listener_fd, reinterpret_cast<sockaddr*>(&address), &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) peer = PeerName(address);
  return fd;
}

}  // namespace

Acceptor::Acceptor(Listeners listeners, Connections& connections, HandOver hand_over)
    : listeners_(std::move(listeners)),
      port_(listeners_.port()),
      connections_(connections),
      hand_over_(std::move(hand_over)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      spare_(OpenSpare()) {}

void Acceptor::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Acceptor::Stop() {
  is_stopping_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
  if (thread_.joinable()) thread_.join();
  listeners_.Close();
}

void Acceptor::Loop() {
  pthread_setname_np(pthread_self(), "acceptor");
  std::vector<pollfd> polled{{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  for (const Fd& socket : listeners_.sockets()) {
    polled.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
  }
  const std::size_t activity = polled.size();
  polled.push_back({.fd = connections_.activity(), .events = POLLIN, .revents = 0});
  while (!is_stopping_) {
    const bool is_watching = connections_.Watch();
    // News that are waited for by the clock need not wake us.
    polled[activity].fd = is_watching ? -1 : connections_.activity();
    const auto patience = is_watching ? kWatchEvery : kSweepEvery;
    const int ready = poll(polled.data(), polled.size(), static_cast<int>(patience.count()));
    if (ready == 0 && !is_watching) connections_.Sweep();
    bool must_rest = false;
    for (std::size_t i = 1; ready > 0 && i < activity; ++i) {
      if (polled[i].revents != 0 && AcceptSome(polled[i].fd) == Next::kRest) must_rest = true;
    }
    if (must_rest) poll(polled.data(), 1, static_cast<int>(kBreath.count()));
  }
}

Acceptor::Next Acceptor::AcceptSome(int listener_fd) {
  for (int i = 0; i < kAcceptsPerTurn && !is_stopping_; ++i) {
    std::string peer;
    Fd fd(AcceptOne(listener_fd, peer));
    if (fd) {
      Take(listener_fd, std::move(fd), peer);
      continue;
    }
    switch (const int error = errno; error) {
      case EAGAIN:
        return Next::kWait;
      case EINTR:
        break;
      // What went wrong with that one connection before it was accepted.
      case ECONNABORTED:
      case ENETDOWN:
      case EPROTO:
      case ENOPROTOOPT:
      case EHOSTDOWN:
      case ENONET:
      case EHOSTUNREACH:
      case EOPNOTSUPP:
      case ENETUNREACH:
      case EPERM:
        break;
      case EMFILE:
      case ENFILE:
        if (const Next next = Shed(listener_fd, error); next != Next::kGoOn) return next;
        break;
      default:
        connections_.AcceptFailed(error);
        return Next::kRest;
    }
  }
  return Next::kWait;
}

void Acceptor::Take(int listener_fd, Fd fd, const std::string& peer) {
  if (!connections_.Admit(fd.get(), peer)) return;
  hand_over_(listener_fd, fd.Release());
}

Acceptor::Next Acceptor::Shed(int listener_fd, int error) {
  spare_.Reset();
  std::string peer;
  Fd fd(AcceptOne(listener_fd, peer));
  const bool is_shed = static_cast<bool>(fd);
  const bool was_nobody = !is_shed && errno == EAGAIN;
  // Before the peer sees its end: who looks then finds it counted.
  if (!was_nobody) connections_.AcceptFailed(error);
  if (is_shed) connections_.Refused(Refusal::kDescriptors, peer);
  fd.Reset();
  spare_ = OpenSpare();
  if (was_nobody) return Next::kWait;
  return is_shed ? Next::kGoOn : Next::kRest;
}

}  // namespace sluice::rpc
