// SPDX-License-Identifier: Apache-2.0
#include "admin/admin_server.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <list>
#include <thread>
#include <vector>

#include "admin/http_session.h"
#include "base/host_port.h"
#include "base/listeners.h"
#include "base/log.h"

namespace sluice::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Weight a tenth of a worker's where both want a core.
constexpr int kNicer = 10;
constexpr int kNicest = 19;

void LowerPriority() {
  pthread_setname_np(pthread_self(), "sluice-http");
  const auto self = static_cast<id_t>(gettid());
  setpriority(PRIO_PROCESS, self, std::min(getpriority(PRIO_PROCESS, self) + kNicer, kNicest));
}

std::string AddressOf(const tcp::endpoint& peer) {
  const asio::ip::address address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

tcp FamilyOf(const Fd& socket) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  return bound.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
}

// One of the addresses that the port listens on. The socket is not its own.
struct Listener {
  Listener(asio::io_context& context, const tcp& protocol, int fd)
      : acceptor(context, protocol, fd), pause(context) {}
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  bool is_failing = false;
};

}  // namespace

struct AdminServer::Parts {
  Parts(AdminOptions given, const Router& router, const Clock& clock, HttpCounts& counts)
      : options(std::move(given)),
        http{.limits = options.limits, .router = router, .clock = clock, .counts = counts} {}

  void Accept(Listener& listener);
  void OnAccepted(Listener& listener, const boost::system::error_code& error, tcp::socket socket);
  void Begin(tcp::socket socket);
  void Run();
  void Close();

  const AdminOptions options;
  HttpPort http;
  int port = 0;
  Listeners sockets;
  asio::io_context context{1};
  std::list<Listener> listeners;
  std::thread thread;
};

void AdminServer::Parts::Accept(Listener& listener) {
  listener.acceptor.async_accept(
      [this, &listener](const boost::system::error_code& error, tcp::socket socket) {
        OnAccepted(listener, error, std::move(socket));
      });
}

void AdminServer::Parts::OnAccepted(Listener& listener, const boost::system::error_code& error,
                                    tcp::socket socket) {
  if (!listener.acceptor.is_open()) return;
  if (!error) {
    listener.is_failing = false;
    Accept(listener);  // first: Begin may throw
    return Begin(std::move(socket));
  }
  if (error == asio::error::connection_aborted) return Accept(listener);
  // Out of descriptors, or of memory: whoever waits is accepted when there are some again.
  ++http.counts.accept_failures;
  if (!std::exchange(listener.is_failing, true)) {
    Log(LogLevel::kWarning, "http_accept_failed", "the HTTP port cannot accept, and tries again",
        {{"why", std::string_view(error.message())}});
  }
  listener.pause.expires_after(options.limits.accept_pause);
  listener.pause.async_wait([this, &listener](const boost::system::error_code& cancelled) {
    if (!cancelled) Accept(listener);
  });
}

void AdminServer::Parts::Begin(tcp::socket socket) {
  boost::system::error_code gone;
  const tcp::endpoint peer = socket.remote_endpoint(gone);
  if (gone) return;
  const std::string address = AddressOf(peer);
  const auto from_address = http.per_address.find(address);
  const bool has_room = http.served < options.limits.connections_max &&
                        (from_address == http.per_address.end() ||
                         from_address->second < options.limits.connections_per_address_max);
  auto& count = has_room ? http.counts.connections_accepted : http.counts.connections_refused;
  ++count;
  if (!has_room && http.refused >= options.limits.refusals_max) return;
  const auto kind = has_room ? HttpSession::Kind::kServed : HttpSession::Kind::kRefused;
  std::make_shared<HttpSession>(std::move(socket), address, kind, http)->Start();
}

void AdminServer::Parts::Run() {
  LowerPriority();
  for (bool is_over = false; !is_over;) {
    try {
      context.run();
      is_over = true;
    } catch (const std::exception& error) {  // of one connection, and out of memory mostly
      Log(LogLevel::kError, "http_failed", "a connection of the HTTP port was lost",
          {{"what", std::string_view(error.what())}});
    }
  }
}

void AdminServer::Parts::Close() {
  boost::system::error_code ignored;
  for (Listener& listener : listeners) {
    listener.acceptor.release(ignored);
    listener.pause.cancel();
  }
  sockets.Close();
  const std::vector<HttpSession*> open(http.sessions.begin(), http.sessions.end());
  for (HttpSession* session : open) session->Cut();
}

AdminServer::AdminServer(AdminOptions options, const Router& router, const Clock& clock,
                         HttpCounts& counts)
    : parts_(std::make_unique<Parts>(std::move(options), router, clock, counts)) {}

AdminServer::~AdminServer() { Stop(); }

int AdminServer::port() const noexcept { return parts_->port; }

const HttpLimits& AdminServer::limits() const noexcept { return parts_->options.limits; }

Status AdminServer::Start() {
  Parts& p = *parts_;
  Result<Listeners> opened = Listeners::Open(p.options.listen, p.options.limits.write_timeout);
  if (!opened) return opened.error();
  const std::optional<HostPort> address = ParseHostPort(p.options.listen);
  p.http.is_loopback = address && IsLoopbackHost(address->host);
  p.sockets = *std::move(opened);
  p.port = p.sockets.port();
  for (const Fd& socket : p.sockets.sockets()) {
    p.Accept(p.listeners.emplace_back(p.context, FamilyOf(socket), socket.get()));
  }
  p.thread = std::thread([&p] { p.Run(); });
  return Status();
}

void AdminServer::Stop() {
  Parts& p = *parts_;
  if (!p.thread.joinable()) return;
  asio::post(p.context, [&p] { p.Close(); });
  p.thread.join();
}

}  // namespace sluice::admin
