// SPDX-License-Identifier: Apache-2.0
// The accept loop without gRPC behind it.
#include "rpc/acceptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "rpc/connections.h"
#include "tests/support/sockets.h"

namespace sluice::rpc {
namespace {

constexpr std::chrono::seconds kLong{60};

class AcceptorTest : public ::testing::Test {
 protected:
  void Start(ConnectionLimits limits = {}) {
    connections_ = std::make_unique<Connections>(limits, clock_);
    Result<Listeners> listeners = Listeners::Open("127.0.0.1:0", std::chrono::seconds(10));
    ASSERT_TRUE(listeners.ok()) << listeners.error().message();
    acceptor_ =
        std::make_unique<Acceptor>(std::move(*listeners), *connections_, [this](int, int fd) {
          MutexLock lock(mutex_);
          accepted_.emplace_back(fd);
          changed_.NotifyAll();
        });
    acceptor_->Start();
  }
  // As many connections were handed over, or are within a minute.
  bool WaitAccepted(std::size_t count) {
    MutexLock lock(mutex_);
    const TimePoint deadline = clock_.Now() + kLong;
    while (accepted_.size() < count && changed_.WaitUntil(mutex_, deadline)) {
    }
    return accepted_.size() == count;
  }
  Fd Connect() const { return ConnectTo(acceptor_->port()); }
  void EndAccepted() {
    MutexLock lock(mutex_);
    accepted_.clear();
  }

  SystemClock clock_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<Fd> accepted_ GUARDED_BY(mutex_);
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<Acceptor> acceptor_;
};

// Lets this process have so many more descriptors, and no more.
class FewDescriptors {
 public:
  explicit FewDescriptors(int more) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    int last = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      last = std::max(last, std::stoi(entry.path().filename().string()));
    }
    // The lowest free number is given first: beyond the gaps there are `more`.
    do {
      gaps_.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    } while (gaps_.back().get() < last);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(gaps_.back().get() + 1 + more);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
  std::vector<Fd> gaps_;
};

TEST_F(AcceptorTest, HandsOverWhatItAccepts) {
  Start();
  const Fd first = Connect();
  const Fd second = Connect();
  ASSERT_TRUE(WaitAccepted(2));
  MutexLock lock(mutex_);
  for (const Fd& fd : accepted_) {
    EXPECT_NE(fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(connections_->Counts().open, 2u);
}

TEST_F(AcceptorTest, WhoIsOverABoundIsClosedAtOnce) {
  Start({.connections_max = 1});
  const Fd first = Connect();
  ASSERT_TRUE(WaitAccepted(1));
  const Fd second = Connect();
  EXPECT_TRUE(IsEnded(second));
  EXPECT_EQ(connections_->Counts().refused[0], 1u);
  EndAccepted();
  // The place is free as soon as the descriptor is closed, and seen to be within a moment.
  bool is_in = false;
  const TimePoint deadline = clock_.Now() + kLong;
  while (!is_in && clock_.Now() < deadline) {
    const Fd third = Connect();
    pollfd ended{.fd = third.get(), .events = POLLIN, .revents = 0};
    is_in = poll(&ended, 1, 20) == 0;
  }
  EXPECT_TRUE(is_in);
}

TEST_F(AcceptorTest, StopEndsListening) {
  Start();
  const Fd kept = Connect();
  ASSERT_TRUE(WaitAccepted(1));
  const int port = acceptor_->port();
  acceptor_->Stop();
  const Fd late(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  EXPECT_NE(connect(late.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  char byte = 0;
  EXPECT_EQ(recv(kept.get(), &byte, 1, MSG_DONTWAIT), -1);  // what was accepted goes on
  acceptor_->Stop();
}

TEST_F(AcceptorTest, OutOfDescriptorsItClosesWhoComesAndGoesOn) {
  Start();
  // The client's ends are there before they run out: one for each that is accepted, and the rest.
  constexpr std::size_t kClients = 20;
  constexpr int kLeft = 5;
  std::vector<Fd> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  const sockaddr_in address = Loopback(acceptor_->port());
  {
    const FewDescriptors few(kLeft);
    for (const Fd& client : clients) {
      ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
                0);
    }
    ASSERT_TRUE(WaitAccepted(kLeft));
    for (std::size_t i = kLeft; i < kClients; ++i) EXPECT_TRUE(IsEnded(clients[i])) << i;
    EXPECT_EQ(connections_->Counts().refused[2], kClients - kLeft);
    EXPECT_EQ(connections_->Counts().accept_errors, kClients - kLeft);
    // One is given back, and the next is let in.
    {
      MutexLock lock(mutex_);
      accepted_.pop_back();
    }
    const Fd& again = clients[kClients - 1];
    const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
    connect(again.get(), &none, sizeof(none));  // so that it can be connected again
    ASSERT_EQ(connect(again.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    EXPECT_TRUE(WaitAccepted(kLeft));
  }
  const Fd later = Connect();
  EXPECT_TRUE(WaitAccepted(kLeft + 1));
}

}  // namespace
}  // namespace sluice::rpc
