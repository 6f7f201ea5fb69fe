// SPDX-License-Identifier: Apache-2.0
#include "sluice/session.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/client/config_case.h"
#include "tests/client/relay.h"

namespace sluice::test {
namespace {

class SessionTest : public ConfigCase {
 protected:
  // Ephemeral, tied to the session.
  Result<SetKeyReply> SetTied(const Session& session, const std::string& key) {
    ConfigWriterOptions options;
    options.session_id = session.id();
    return client_.MakeConfigWriter(options).Set(key, "here", kBound);
  }
};

// Clauses: N40 N3
TEST_F(SessionTest, X56_EphemeralKeysEndWithTheirSession) {
  Watcher watcher = Follow();
  Session session = Open(client_, SessionOptions());
  EXPECT_EQ(session.id().size(), 16u);
  EXPECT_GT(session.fence(), 0u);
  const auto reply = SetTied(session, Key("alive"));
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_TRUE(reply->entry->ephemeral);
  Set(Key("stands"), "1");
  EXPECT_EQ(Told(watcher), "alive=here");
  EXPECT_EQ(Told(watcher), "stands=1");
  const auto end = session.Close(kBound);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(end->kind, StreamEnd::Kind::kClosed);
  EXPECT_EQ(end->reason, ClosedReason::kFinished);
  EXPECT_EQ(Told(watcher), "alive gone");
  EXPECT_NE(watcher.Get(Key("stands")), nullptr);
  EXPECT_EQ(SetTied(session, Key()).status().reason(), "SESSION_GONE");
}

TEST_F(SessionTest, TheDestructorEndsItToo) {
  Watcher watcher = Follow();
  {
    SessionOptions options;
    options.linger = std::chrono::minutes(10);
    Session session = Open(client_, options);
    ASSERT_TRUE(SetTied(session, Key("alive")).ok());
    EXPECT_EQ(Told(watcher), "alive=here");
  }
  EXPECT_EQ(Told(watcher), "alive gone");
}

TEST_F(SessionTest, WhoKnowsItsIdTakesItUp) {
  SessionOptions options;
  options.linger = std::chrono::minutes(10);
  Session first = Open(client_, options);
  ASSERT_TRUE(SetTied(first, Key("alive")).ok());
  options.id = first.id();
  Session second = Open(client_, options);
  EXPECT_TRUE(second.was_resumed());
  EXPECT_EQ(second.id(), first.id());
  EXPECT_GT(second.fence(), first.fence());
  const auto end = first.Close(kBound);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(end->kind, StreamEnd::Kind::kSuperseded) << ToString(*end);
  const auto got = client_.GetKey({Key("alive"), {}, {}, {}, {}}, kBound);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->outcome, Outcome::kOk);
}

TEST_F(SessionTest, LingerMayBeChangedAndIsChecked) {
  Session session = Open(client_, SessionOptions());
  EXPECT_TRUE(session.SetLinger(std::chrono::minutes(1)).ok());
  EXPECT_EQ(session.SetLinger(std::chrono::hours(13)).details().at("field"), "linger");
  SessionOptions options;
  options.id = "short";
  EXPECT_EQ(client_.OpenSession(options, kBound).status().details().at("field"), "id");
}

// Clauses: N3
TEST_F(SessionTest, ALostConnectionWithinTheLingerLosesNothing) {
  Relay relay(daemon_->address());
  ClientOptions through;
  through.address = relay.address();
  auto cut = Client::Connect(through);
  ASSERT_TRUE(cut.ok());
  SessionOptions options;
  options.linger = std::chrono::minutes(10);
  options.on_lost = [](const std::string&) { ADD_FAILURE() << "it was there all the time"; };
  Session session = Open(*cut, std::move(options));
  const std::string before = session.id();
  const std::uint64_t fence = session.fence();
  ASSERT_TRUE(SetTied(session, Key("alive")).ok());
  relay.Cut();
  const Deadline deadline(kBound);
  while (session.stats().resumed == 0) ASSERT_FALSE(deadline.has_passed());
  EXPECT_EQ(session.id(), before);
  EXPECT_GT(session.fence(), fence);
  const auto got = client_.GetKey({Key("alive"), {}, {}, {}, {}}, kBound);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->outcome, Outcome::kOk);
}

TEST_F(SessionTest, AnotherDaemonDoesNotKnowItAndTheNewIdIsTold) {
  Daemon daemon;
  Client client = Connect(daemon);
  std::mutex mutex;
  std::vector<std::string> lost;
  SessionOptions options;
  options.linger = std::chrono::minutes(10);
  options.reconnect.cap = std::chrono::milliseconds(200);
  options.on_lost = [&](const std::string& id) {
    std::lock_guard lock(mutex);
    lost.push_back(id);
  };
  Session session = Open(client, std::move(options));
  const std::string before = session.id();
  daemon.Kill();
  daemon.Restart();
  const Deadline deadline(kBound);
  while (session.stats().reconnects == 0) ASSERT_FALSE(deadline.has_passed());
  EXPECT_EQ(session.stats().lost, 1u);
  EXPECT_NE(session.id(), before);
  std::lock_guard lock(mutex);
  EXPECT_EQ(lost, std::vector<std::string>{session.id()});
}

}  // namespace
}  // namespace sluice::test
