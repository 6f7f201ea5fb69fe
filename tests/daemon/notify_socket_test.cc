// SPDX-License-Identifier: Apache-2.0
#include "notify_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace sluice {
namespace {

using std::chrono::microseconds;

// The supervisor's end. `address` as in NOTIFY_SOCKET.
class Supervisor {
 public:
  explicit Supervisor(const std::string& address)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un here{};
    here.sun_family = AF_UNIX;
    address.copy(here.sun_path, sizeof(here.sun_path));
    const bool is_abstract = address.front() == '@';
    if (is_abstract) here.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() +
                                             (is_abstract ? 0 : 1));
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&here), size), 0);
  }
  std::string Next() {
    std::array<char, 256> text{};
    const ssize_t size = recv(fd_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return size < 0 ? "(nothing)" : std::string(text.data(), static_cast<std::size_t>(size));
  }
  void Close() { fd_.Reset(); }

 private:
  Fd fd_;
};

std::string PathOfTest() {
  const std::string path = ::testing::TempDir() + "notify_" + std::to_string(getpid());
  std::filesystem::remove(path);
  return path;
}

TEST(NotifySocket, TellsAPath) {
  const std::string path = PathOfTest();
  Supervisor supervisor(path);
  const NotifySocket socket(path);
  EXPECT_TRUE(socket.Tell("READY=1\nSTATUS=serving"));
  EXPECT_TRUE(socket.Tell("WATCHDOG=1"));
  EXPECT_EQ(supervisor.Next(), "READY=1\nSTATUS=serving");
  EXPECT_EQ(supervisor.Next(), "WATCHDOG=1");
  std::filesystem::remove(path);
}

TEST(NotifySocket, TellsAnAbstractName) {
  const std::string name = "@sluice-test-" + std::to_string(getpid());
  Supervisor supervisor(name);
  EXPECT_TRUE(NotifySocket(name).Tell("READY=1"));
  EXPECT_EQ(supervisor.Next(), "READY=1");
}

TEST(NotifySocket, WithoutASupervisorNobodyIsTold) {
  EXPECT_FALSE(NotifySocket("").Tell("READY=1"));
  EXPECT_FALSE(NotifySocket("/nowhere/notify").Tell("READY=1"));
  EXPECT_FALSE(NotifySocket("/" + std::string(200, 'x')).Tell("READY=1"));
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(NotifySocket::OfEnvironment().Tell("READY=1"));
}

TEST(NotifySocket, ASupervisorThatHasGoneDoesNoHarm) {
  const std::string path = PathOfTest();
  Supervisor supervisor(path);
  const NotifySocket socket(path);
  supervisor.Close();
  EXPECT_FALSE(socket.Tell("WATCHDOG=1"));
  std::filesystem::remove(path);
}

TEST(NotifySocket, TheWatchdogIsThatOfThisProcess) {
  const auto watchdog = [](const char* usec, const std::string& pid) {
    setenv("WATCHDOG_USEC", usec, 1);
    setenv("WATCHDOG_PID", pid.c_str(), 1);
    const microseconds found = NotifySocket::WatchdogOfEnvironment();
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return found;
  };
  const std::string us = std::to_string(getpid());
  EXPECT_EQ(watchdog("20000000", us), std::chrono::seconds(20));
  EXPECT_EQ(watchdog("20000000", ""), std::chrono::seconds(20));
  EXPECT_EQ(watchdog("20000000", "1" + us), microseconds(0));
  for (const char* none : {"", "soon", "-5", "20s", "99999999999999999999"}) {
    EXPECT_EQ(watchdog(none, us), microseconds(0)) << none;
  }
  EXPECT_EQ(NotifySocket::WatchdogOfEnvironment(), microseconds(0));
}

}  // namespace
}  // namespace sluice
