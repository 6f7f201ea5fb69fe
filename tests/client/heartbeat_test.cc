// SPDX-License-Identifier: Apache-2.0
// Silence on a connection, and what is not silence.
#include <gtest/gtest.h>

#include "tests/client/daemon.h"
#include "tests/client/short_forms.h"
#include "tests/client/states.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

class HeartbeatTest : public DaemonTest {
 protected:
  static Client Watching(const Daemon& daemon, milliseconds interval) {
    ClientOptions options;
    options.address = daemon.address();
    options.heartbeat_interval = interval;
    auto client = Client::Connect(options);
    if (!client.ok()) throw std::runtime_error(client.status().ToString());
    return *std::move(client);
  }

  States states_;
};

// A daemon that is stopped keeps its connections; only its silence tells.
TEST_F(HeartbeatTest, AFrozenDaemonIsNoticedByItsSilence) {
  Daemon daemon;
  Client client = Watching(daemon, milliseconds(100));
  SenderOptions options;
  options.queue = "jobs";
  options.on_state = states_.Callback();
  options.reconnect.base = milliseconds(5);
  options.spec = Room(10);
  auto sender = client.OpenSender(options, kBound);
  ASSERT_TRUE(sender.ok());
  ASSERT_TRUE(sender->Send(Text("before")).Wait(kBound).ok());
  daemon.Freeze();
  const StreamState lost = states_.WaitFor(StreamState::Phase::kBackingOff);
  EXPECT_EQ(lost.status.reason(), "NO_HEARTBEAT") << lost.status.ToString();
  EXPECT_GE(client.stats().heartbeats_lost, 1u);
  ASSERT_TRUE(sender->Post(Text("meanwhile")).ok());
  daemon.Thaw();
  EXPECT_TRUE(sender->Flush(kBound).ok());
  EXPECT_EQ(sender->counts().ok, 2u);
  const auto description = client.DescribeQueue("jobs", kBound);
  ASSERT_TRUE(description.ok());
  EXPECT_EQ(description->accepted, 2u);
}

TEST_F(HeartbeatTest, AnIdleConnectionToALivingDaemonIsLeftAlone) {
  Client client = Watching(*daemon_, milliseconds(1500));  // A busy machine takes its time.
  ReceiverOptions options;
  options.queue = Declare();
  auto receiver = client.OpenReceiver(options, kBound);
  ASSERT_TRUE(receiver.ok());
  Batch none;
  EXPECT_EQ(receiver->Next(none, milliseconds(4000)), NextOutcome::kTimedOut);
  EXPECT_EQ(client.stats().heartbeats_lost, 0u);
  EXPECT_EQ(receiver->stats().reconnects, 0u);
}

}  // namespace
}  // namespace sluice::test
