// SPDX-License-Identifier: Apache-2.0
#include "tests/client/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace sluice::test {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool SendAll(int to, const char* bytes, ssize_t count) {
  while (count > 0) {
    const ssize_t sent = send(to, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= sent;
  }
  return true;
}

// With a reset, as by a network that breaks.
void Reset(int descriptor) {
  const linger at_once{1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(descriptor);
}

}  // namespace

Relay::Relay(const std::string& target)
    : target_port_(std::stoi(target.substr(target.rfind(':') + 1))) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      pipe(wake_) != 0) {
    throw std::runtime_error("cannot relay");
  }
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::thread([this] { Run(); });
}

Relay::~Relay() {
  is_over_ = true;
  (void)!write(wake_[1], "x", 1);
  thread_.join();
  CloseAll();
  close(listener_);
  close(wake_[0]);
  close(wake_[1]);
}

void Relay::Cut() {
  const int wanted = ++cuts_wanted_;
  (void)!write(wake_[1], "x", 1);
  for (int done = cuts_done_; done < wanted; done = cuts_done_) cuts_done_.wait(done);
}

void Relay::Hold(bool held) {
  is_held_ = held;
  (void)!write(wake_[1], "x", 1);
}

void Relay::CloseAll() {
  for (const auto& [from, to] : pairs_) Reset(from);
  pairs_.clear();
}

void Relay::Accept() {
  const int near = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (near < 0) return;
  if (is_refusing_) return Reset(near);
  const int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(target_port_);
  if (connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    Reset(near);
    close(far);
    return;
  }
  pairs_[near] = far;
  pairs_[far] = near;
}

bool Relay::Pass(int from, int to) {
  std::array<char, 64 << 10> bytes;
  const ssize_t count = recv(from, bytes.data(), bytes.size(), 0);
  return count > 0 && SendAll(to, bytes.data(), count);
}

void Relay::Run() {
  while (!is_over_) {
    std::vector<pollfd> polled = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    if (!is_held_) {
      for (const auto& [from, to] : pairs_) polled.push_back({from, POLLIN, 0});
    }
    poll(polled.data(), polled.size(), -1);
    std::array<char, 16> ignored;
    if (polled[0].revents != 0) (void)!read(wake_[0], ignored.data(), ignored.size());
    if (cuts_done_ < cuts_wanted_) {
      CloseAll();
      cuts_done_ = cuts_wanted_.load();
      cuts_done_.notify_all();
      continue;
    }
    if (polled[1].revents != 0) Accept();
    for (std::size_t i = 2; i < polled.size(); ++i) {
      const auto pair = pairs_.find(polled[i].fd);
      if (polled[i].revents == 0 || pair == pairs_.end()) continue;
      const auto [from, to] = *pair;
      if (Pass(from, to)) continue;
      pairs_.erase(from);
      pairs_.erase(to);
      Reset(from);
      Reset(to);
    }
  }
}

}  // namespace sluice::test
