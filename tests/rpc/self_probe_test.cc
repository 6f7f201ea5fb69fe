// SPDX-License-Identifier: Apache-2.0
// The daemon asks itself: a real server, and faults that a plain connect would not see.
#include "rpc/self_probe.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/fd.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// The kernel accepts for it, and nobody ever answers: what a listener looks like that has died
// inside its process.
class SilentListener {
 public:
  SilentListener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_.get(), any, size), 0);
    EXPECT_EQ(listen(fd_.get(), 16), 0);
    EXPECT_EQ(getsockname(fd_.get(), any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  int port() const { return port_; }
  void Close() { fd_.Reset(); }

 private:
  Fd fd_;
  int port_ = 0;
};

class SelfProbeTest : public RpcTest {
 protected:
  std::unique_ptr<SelfProbe> Probe(const std::string& listen = "127.0.0.1:0") {
    return std::make_unique<SelfProbe>(listen, server_->port(), clock_, server_->own_peer());
  }
  Status Check(SelfProbe& probe, Duration patience = kPatience) {
    return probe.Check(clock_.Now() + patience);
  }
};

TEST_F(SelfProbeTest, ADaemonThatServesAnswers) {
  const auto probe = Probe();
  for (int i = 0; i < 20; ++i) {
    const Status checked = Check(*probe);
    EXPECT_TRUE(checked.ok()) << checked.message();
  }
  server_->StopReadiness();  // not ready is an answer, too
  EXPECT_TRUE(Check(*probe).ok());
  server_->StartDrain();
  EXPECT_TRUE(Check(*probe).ok());
}

TEST_F(SelfProbeTest, AWildcardIsAskedOnLoopback) {
  options_.listen = "0.0.0.0:0";
  Serve();
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "localhost:0"}) {
    const Status checked = Check(*Probe(listen));
    EXPECT_TRUE(checked.ok()) << listen << ": " << checked.message();
  }
}

TEST_F(SelfProbeTest, AUnixSocketIsAskedToo) {
  options_.listen = "unix:" + ::testing::TempDir() + "probe_" + std::to_string(getpid());
  client_.reset();
  server_ = std::make_unique<RpcServer>(options_, *broker_);
  ASSERT_TRUE(server_->Start().ok());
  EXPECT_TRUE(Check(*Probe(options_.listen)).ok());
}

// Nobody who is bounded or counted: a full house is not a dead daemon.
TEST_F(SelfProbeTest, ItIsNoClient) {
  options_.streams.streams_max = 1;
  options_.connections.connections_max = 1;
  Serve();
  const auto keep = client().Start(kKeep);
  Eventually([this] { return server_->open_calls() == 1; });
  const auto probe = Probe();
  std::atomic<bool> is_over = false;
  std::atomic<std::size_t> most = 0;
  std::thread watcher([this, &is_over, &most] {
    while (!is_over) most = std::max(most.load(), server_->open_calls());
  });
  for (int i = 0; i < 50; ++i) {
    const Status checked = Check(*probe);
    EXPECT_TRUE(checked.ok()) << checked.message();
  }
  is_over = true;
  watcher.join();
  EXPECT_EQ(most, 1u);
}

TEST_F(SelfProbeTest, AListenerThatNeverAnswersIsSeen) {
  SilentListener silent;
  OwnPeer own;
  SelfProbe probe("127.0.0.1:0", silent.port(), clock_, own);
  for (int i = 0; i < 3; ++i) {
    const TimePoint began = clock_.Now();
    const Status checked = Check(probe, milliseconds(50));
    EXPECT_EQ(checked.reason(), "NO_ANSWER");
    EXPECT_THAT(checked.message(), HasSubstr("127.0.0.1:0"));
    EXPECT_GE(clock_.Now() - began, milliseconds(50));
  }
  silent.Close();
  EXPECT_EQ(Check(probe).reason(), "NO_ANSWER");  // refused: at once
}

TEST_F(SelfProbeTest, AnAddressThatIsNoneHasNoAnswer) {
  OwnPeer own;
  for (const char* listen : {"nowhere", "no.such.host.invalid:1", "unix:/nowhere/socket"}) {
    SelfProbe probe(listen, 1, clock_, own);
    EXPECT_EQ(Check(probe).reason(), "NO_ANSWER") << listen;
  }
}

TEST_F(SelfProbeTest, ACancelEndsACheckUnderWayAndEveryOther) {
  SilentListener silent;
  OwnPeer own;
  SelfProbe probe("127.0.0.1:0", silent.port(), clock_, own);
  std::thread canceller([&probe] { probe.Cancel(); });
  EXPECT_EQ(Check(probe, std::chrono::hours(1)).reason(), "NO_ANSWER");
  canceller.join();
  EXPECT_EQ(Check(probe, std::chrono::hours(1)).reason(), "NO_ANSWER");
}

// Without descriptors nobody can ask, and the daemon may be as well as ever.
TEST_F(SelfProbeTest, OutOfDescriptorsItKnowsNothing) {
  const auto probe = Probe();
  ASSERT_TRUE(Check(*probe).ok());
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Status checked = Check(*probe);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(checked.code(), Code::kResourceExhausted);
  EXPECT_EQ(checked.reason(), "CANNOT_ASK");
  EXPECT_TRUE(Check(*probe).ok());
}

// An address that this machine has no more, or has no port left for, is a lack of our own end.
TEST_F(SelfProbeTest, WithoutAnAddressOfItsOwnItKnowsNothing) {
  OwnPeer own;
  SelfProbe probe("192.0.2.1:1", 1, clock_, own);
  EXPECT_EQ(Check(probe).reason(), "CANNOT_ASK");
}

TEST_F(SelfProbeTest, AFullHouseOnAUnixSocketAnswers) {
  options_.listen = "unix:" + ::testing::TempDir() + "full_" + std::to_string(getpid());
  options_.streams.streams_max = 1;
  options_.connections.connections_max = 1;
  client_.reset();
  server_ = std::make_unique<RpcServer>(options_, *broker_);
  ASSERT_TRUE(server_->Start().ok());
  RawClient local(options_.listen);
  const auto keep = local.Start(kKeep);
  Eventually([this] { return server_->open_calls() == 1; });
  const auto probe = Probe(options_.listen);
  for (int i = 0; i < 10; ++i) {
    const Status checked = Check(*probe);
    EXPECT_TRUE(checked.ok()) << checked.message();
  }
  EXPECT_EQ(server_->connections().Counts().open, 1u);
  EXPECT_EQ(server_->connections().Counts().refused, decltype(ConnectionCounts::refused){});
}

TEST_F(SelfProbeTest, EveryWorkerIsAsked) {
  std::atomic<int> first = 0;
  std::atomic<int> second = 0;
  for (int i = 0; i < 3; ++i) {
    server_->AskWorkers([&](std::uint32_t worker) { ++(worker == 0 ? first : second); });
  }
  Eventually([&] { return first == 3 && second == 3; });
}

}  // namespace
}  // namespace sluice::rpc
