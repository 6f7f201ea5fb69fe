// SPDX-License-Identifier: Apache-2.0
#include "base/listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/sockets.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

Listeners Opened(const std::string& address) {
  Result<Listeners> opened = Listeners::Open(address, milliseconds(10'000));
  EXPECT_TRUE(opened.ok()) << opened.error().message();
  return opened.ok() ? std::move(*opened) : Listeners();
}

std::string Refused(const std::string& address) {
  const Result<Listeners> opened = Listeners::Open(address, milliseconds(10'000));
  if (opened.ok()) return "was not refused";
  EXPECT_EQ(opened.error().code(), Code::kUnavailable);
  EXPECT_EQ(opened.error().reason(), "CANNOT_LISTEN");
  EXPECT_THAT(opened.error().message(), HasSubstr(address));
  return opened.error().message();
}

// The connection that waits on one of its sockets, or comes within a minute.
Fd Accept(const Listeners& listeners) {
  std::vector<pollfd> polled;
  for (const Fd& socket : listeners.sockets()) {
    polled.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
  }
  EXPECT_GT(poll(polled.data(), polled.size(), 60'000), 0);
  for (const Fd& socket : listeners.sockets()) {
    Fd fd(accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (fd) return fd;
  }
  return Fd();
}

bool HasIpv6() {
  const Fd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_addr = in6addr_loopback;
  return fd && bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0;
}

Fd ConnectTo6(int port) {
  Fd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port));
  address.sin6_addr = in6addr_loopback;
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

template <class Value>
Value Option(const Fd& fd, int level, int name) {
  Value value{};
  socklen_t length = sizeof(value);
  EXPECT_EQ(getsockopt(fd.get(), level, name, &value, &length), 0);
  return value;
}

TEST(Listeners, AFreePortIsTold) {
  const Listeners listeners = Opened("127.0.0.1:0");
  ASSERT_GT(listeners.port(), 0);
  const Fd client = ConnectTo(listeners.port());
  EXPECT_TRUE(Accept(listeners));
}

TEST(Listeners, ConnectionsInheritWhatIsSet) {
  const Listeners listeners = Opened("127.0.0.1:0");
  const Fd client = ConnectTo(listeners.port());
  const Fd accepted = Accept(listeners);
  ASSERT_TRUE(accepted);
  EXPECT_NE(Option<int>(accepted, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(Option<unsigned>(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 10'000u);
}

TEST(Listeners, APortThatIsTakenIsRefused) {
  const Listeners first = Opened("127.0.0.1:0");
  const std::string port = std::to_string(first.port());
  EXPECT_THAT(Refused("127.0.0.1:" + port), HasSubstr("in use"));
  EXPECT_THAT(Refused("0.0.0.0:" + port), HasSubstr("in use"));
  EXPECT_THAT(Refused("localhost:" + port), HasSubstr("in use"));
}

// Connections of the last owner linger; the port is free all the same.
TEST(Listeners, APortIsTakenAgainAtOnce) {
  Listeners first = Opened("127.0.0.1:0");
  const std::string address = "127.0.0.1:" + std::to_string(first.port());
  Fd client = ConnectTo(first.port());
  Fd accepted = Accept(first);
  accepted.Reset();  // this side ends it first, so it lingers here
  first.Close();
  EXPECT_EQ(Opened(address).port(), std::stoi(address.substr(address.rfind(':') + 1)));
}

TEST(Listeners, WildcardsTakeBothFamilies) {
  if (!HasIpv6()) {
    EXPECT_GT(Opened("0.0.0.0:0").port(), 0);
    return;
  }
  for (const char* wildcard : {"0.0.0.0:0", "[::]:0"}) {
    const Listeners listeners = Opened(wildcard);
    const Fd four = ConnectTo(listeners.port());
    EXPECT_TRUE(Accept(listeners)) << wildcard;
    const Fd six = ConnectTo6(listeners.port());
    EXPECT_TRUE(Accept(listeners)) << wildcard;
  }
}

// Each address that the name has here, all with one port.
TEST(Listeners, ANameIsEachOfItsAddresses) {
  const Listeners listeners = Opened("localhost:0");
  ASSERT_FALSE(listeners.sockets().empty());
  for (const Fd& socket : listeners.sockets()) {
    sockaddr_in6 address{};
    socklen_t length = sizeof(address);
    ASSERT_EQ(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    EXPECT_EQ(ntohs(address.sin6_port), listeners.port());  // both families have it in one place
  }
}

TEST(Listeners, Ipv6InBrackets) {
  if (!HasIpv6()) {
    EXPECT_THAT(Refused("[::1]:0"), HasSubstr("cannot listen"));
    return;
  }
  const Listeners listeners = Opened("[::1]:0");
  const Fd client = ConnectTo6(listeners.port());
  EXPECT_TRUE(Accept(listeners));
}

TEST(Listeners, WhatIsNoAddressIsTold) {
  for (const char* address : {"", "localhost", "127.0.0.1", ":7400", "::1:7400", "127.0.0.1:port",
                              "127.0.0.1:65536", "127.0.0.1:-1"}) {
    EXPECT_THAT(Refused(address), HasSubstr("HOST:PORT")) << address;
  }
  EXPECT_THAT(Refused("no.such.host.invalid:1"), HasSubstr("host"));
  EXPECT_THAT(Refused("192.0.2.1:0"), HasSubstr("not an address of this machine"));
}

class UnixListeners : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = name + "/socket";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  bool CanConnect() const {
    const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(UnixListeners, ListensAndIsRemoved) {
  Listeners listeners = Opened("unix:" + path_);
  EXPECT_EQ(listeners.port(), 0);
  EXPECT_TRUE(CanConnect());
  EXPECT_TRUE(Accept(listeners));
  listeners.Close();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixListeners, APathWithAListenerIsRefused) {
  const Listeners first = Opened("unix:" + path_);
  EXPECT_THAT(Refused("unix:" + path_), HasSubstr("in use"));
  EXPECT_TRUE(CanConnect());
}

TEST_F(UnixListeners, WhatADeadListenerLeftIsTaken) {
  {
    const Fd dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  const Listeners listeners = Opened("unix:" + path_);
  EXPECT_TRUE(CanConnect());
}

// What is no socket is somebody's file.
TEST_F(UnixListeners, AFileIsNotRemoved) {
  std::filesystem::create_directory(path_);
  EXPECT_THAT(Refused("unix:" + path_), HasSubstr("in use"));
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_NE(Refused("unix:" + std::string(200, 'x')), "was not refused");
  EXPECT_NE(Refused("unix:"), "was not refused");
}

}  // namespace
}  // namespace sluice
