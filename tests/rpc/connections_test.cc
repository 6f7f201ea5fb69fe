// SPDX-License-Identifier: Apache-2.0
#include "rpc/connections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/support/sockets.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;
using testing::ManualClock;

std::string Peer(int port, const std::string& host = "10.0.0.1") {
  return "ipv4:" + host + ":" + std::to_string(port);
}

// Both ends of a connection; `ours` is the one that a server would own.
struct Sockets {
  Sockets() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ours.Reset(fds[0]);
    theirs.Reset(fds[1]);
  }
  bool is_cut() const {
    char byte = 0;
    return recv(theirs.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }
  Fd ours, theirs;
};

class ConnectionsTest : public ::testing::Test {
 protected:
  static void Strike(Connections& connections, const std::string& peer, rpc::Strike strike,
                     int times) {
    for (int i = 0; i < times; ++i) connections.Struck(peer, strike);
  }
  ManualClock clock_;
};

TEST_F(ConnectionsTest, CountsWhatIsOpen) {
  Connections connections({}, clock_);
  Sockets first, second;
  EXPECT_TRUE(connections.Admit(first.ours.get(), Peer(1)));
  EXPECT_TRUE(connections.Admit(second.ours.get(), Peer(2)));
  EXPECT_EQ(connections.Counts().open, 2u);
  first.theirs.Reset();  // the peer's end says nothing: the connection is ours to close
  EXPECT_EQ(connections.Counts().open, 2u);
  first.ours.Reset();
  EXPECT_EQ(connections.Counts().open, 1u);
  second.ours.Reset();
  EXPECT_EQ(connections.Counts().open, 0u);
  EXPECT_EQ(connections.Counts().accepted, 2u);
}

// The number of a descriptor is given again at once; the connection behind it is another.
TEST_F(ConnectionsTest, ADescriptorUsedAgainIsAnotherConnection) {
  Connections connections({.connections_max = 1}, clock_);
  Sockets first;
  const int number = first.ours.get();
  ASSERT_TRUE(connections.Admit(number, Peer(1)));
  Sockets second;
  ASSERT_EQ(dup2(second.ours.get(), number), number);
  EXPECT_EQ(connections.Counts().open, 0u);
  ASSERT_TRUE(connections.Admit(number, Peer(2)));
  EXPECT_EQ(connections.Counts().open, 1u);
  // Late news of the first do not meet the second.
  Strike(connections, Peer(1), Strike::kReset, 10'000);
  EXPECT_EQ(connections.Counts().cut[2], 0u);
}

TEST_F(ConnectionsTest, TheBoundInAll) {
  Connections connections({.connections_max = 2}, clock_);
  Sockets first, second, third;
  EXPECT_TRUE(connections.Admit(first.ours.get(), Peer(1)));
  EXPECT_TRUE(connections.Admit(second.ours.get(), Peer(2)));
  EXPECT_FALSE(connections.Admit(third.ours.get(), Peer(3)));
  EXPECT_THAT(connections.Counts().refused, ::testing::ElementsAre(1, 0, 0));
  second.ours.Reset();
  clock_.Advance(milliseconds(100));
  EXPECT_TRUE(connections.Admit(third.ours.get(), Peer(3)));
  EXPECT_EQ(connections.Counts().accepted, 3u);
}

TEST_F(ConnectionsTest, TheBoundOfAnAddress) {
  Connections connections({.connections_per_address_max = 1}, clock_);
  Sockets first, second, other;
  EXPECT_TRUE(connections.Admit(first.ours.get(), Peer(1)));
  EXPECT_FALSE(connections.Admit(second.ours.get(), Peer(2)));
  EXPECT_TRUE(connections.Admit(other.ours.get(), Peer(2, "10.0.0.2")));
  EXPECT_THAT(connections.Counts().refused, ::testing::ElementsAre(0, 1, 0));
  first.ours.Reset();
  clock_.Advance(milliseconds(100));
  EXPECT_TRUE(connections.Admit(second.ours.get(), Peer(3)));
}

// Whoever looks after the daemon is let in when nobody else is.
TEST_F(ConnectionsTest, OurOwnConnectionIsNeitherBoundedNorCounted) {
  OwnPeer own;
  own.Set(Peer(9));
  Connections connections({.connections_max = 1}, clock_, &own);
  Sockets first, probe;
  EXPECT_TRUE(connections.Admit(first.ours.get(), Peer(1)));
  EXPECT_TRUE(connections.Admit(probe.ours.get(), Peer(9)));
  EXPECT_EQ(connections.Counts().open, 1u);
}

TEST_F(ConnectionsTest, AConnectionThatGoesOnIsCut) {
  Connections connections({}, clock_);
  Sockets bad, good;
  ASSERT_TRUE(connections.Admit(bad.ours.get(), Peer(1)));
  ASSERT_TRUE(connections.Admit(good.ours.get(), Peer(2)));
  Strike(connections, Peer(1), Strike::kReset, 2'000);
  EXPECT_FALSE(bad.is_cut());
  Strike(connections, Peer(1), Strike::kReset, 1);
  EXPECT_TRUE(bad.is_cut());
  EXPECT_FALSE(good.is_cut());
  EXPECT_THAT(connections.Counts().cut, ::testing::ElementsAre(0, 0, 1, 0, 0));
  // Once: it is open until its owner closes it.
  Strike(connections, Peer(1), Strike::kReset, 10);
  EXPECT_EQ(connections.Counts().cut[2], 1u);
  EXPECT_EQ(connections.Counts().open, 2u);
}

TEST_F(ConnectionsTest, StrikesWeighDifferently) {
  const std::pair<rpc::Strike, int> most[] = {{Strike::kTooManyStreams, 2'000},
                                              {Strike::kMetadata, 200},
                                              {Strike::kReset, 2'000},
                                              {Strike::kExpired, 20'000}};
  for (const auto& [strike, times] : most) {
    Connections connections({}, clock_);
    Sockets pair;
    ASSERT_TRUE(connections.Admit(pair.ours.get(), Peer(1)));
    Strike(connections, Peer(1), strike, times);
    EXPECT_FALSE(pair.is_cut()) << times;
    Strike(connections, Peer(1), strike, 1);
    EXPECT_TRUE(pair.is_cut()) << times;
    EXPECT_EQ(connections.Counts().cut.at(static_cast<std::size_t>(strike)), 1u);
  }
}

// A hundred calls a second may be reset for ever.
TEST_F(ConnectionsTest, TheBucketLeaks) {
  Connections connections({}, clock_);
  Sockets pair;
  ASSERT_TRUE(connections.Admit(pair.ours.get(), Peer(1)));
  for (int second = 0; second < 1'000; ++second) {
    Strike(connections, Peer(1), Strike::kReset, 100);
    clock_.Advance(std::chrono::seconds(1));
  }
  EXPECT_FALSE(pair.is_cut());
}

// A client that goes cancels everything it has, and may do so again when it comes back to it.
TEST_F(ConnectionsTest, AllCallsMayBeCancelledAtOnceTwice) {
  Connections connections({.calls_max = 50'000}, clock_);
  Sockets pair;
  ASSERT_TRUE(connections.Admit(pair.ours.get(), Peer(1)));
  Strike(connections, Peer(1), Strike::kReset, 100'000);
  EXPECT_FALSE(pair.is_cut());
}

// Between the decision and the cut the descriptor may have become somebody else's.
TEST_F(ConnectionsTest, AStrangerIsNotCut) {
  Connections connections({}, clock_);
  Sockets bad, stranger;
  ASSERT_TRUE(connections.Admit(bad.ours.get(), Peer(1)));
  ASSERT_GE(dup2(stranger.ours.get(), bad.ours.get()), 0);
  Strike(connections, Peer(1), Strike::kReset, 10'000);
  EXPECT_FALSE(stranger.is_cut());
  EXPECT_EQ(connections.Counts().cut[2], 0u);
}

// All of them have one name.
TEST_F(ConnectionsTest, ConnectionsOfAUnixSocketHaveNoStrikes) {
  Connections connections({}, clock_);
  Sockets pair;
  ASSERT_TRUE(connections.Admit(pair.ours.get(), "unix:"));
  Strike(connections, "unix:", Strike::kReset, 10'000);
  EXPECT_FALSE(pair.is_cut());
}

TEST(PeerName, IsWhatGrpcCallsIt) {
  sockaddr_storage address{};
  auto& four = reinterpret_cast<sockaddr_in&>(address);
  four = Loopback(51'234);
  EXPECT_EQ(PeerName(address), "ipv4:127.0.0.1:51234");
  EXPECT_EQ(AddressOf(PeerName(address)), "ipv4:127.0.0.1");
  auto& six = reinterpret_cast<sockaddr_in6&>(address);
  six = {};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(7);
  ASSERT_EQ(inet_pton(AF_INET6, "::1", &six.sin6_addr), 1);
  EXPECT_EQ(PeerName(address), "ipv6:%5B::1%5D:7");
  EXPECT_EQ(AddressOf(PeerName(address)), "ipv6:%5B::1%5D");
  ASSERT_EQ(inet_pton(AF_INET6, "fe80::2", &six.sin6_addr), 1);
  six.sin6_scope_id = 3;
  EXPECT_EQ(PeerName(address), "ipv6:%5Bfe80::2%253%5D:7");
  six.sin6_scope_id = 0;
  ASSERT_EQ(inet_pton(AF_INET6, "::ffff:10.0.0.7", &six.sin6_addr), 1);
  EXPECT_EQ(PeerName(address), "ipv4:10.0.0.7:7");
  address = {};
  address.ss_family = AF_UNIX;
  EXPECT_EQ(PeerName(address), "unix:");
}

}  // namespace
}  // namespace sluice::rpc
