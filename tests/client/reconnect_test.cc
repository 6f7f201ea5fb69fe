// SPDX-License-Identifier: Apache-2.0
// Queues whose ends lose their connection, or their daemon, and come back.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/client/daemon.h"
#include "tests/client/relay.h"
#include "tests/client/short_forms.h"
#include "tests/client/states.h"
#include "tests/support/seed.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using Phase = StreamState::Phase;

class ReconnectTest : public DaemonTest {
 protected:
  static Client Through(const std::string& address) {
    ClientOptions options;
    options.address = address;
    auto client = Client::Connect(options);
    if (!client.ok()) throw std::runtime_error(client.status().ToString());
    return *std::move(client);
  }
  SenderOptions To(const std::string& queue) {
    SenderOptions options;
    options.queue = queue;
    options.reconnect.base = milliseconds(5);
    options.on_state = states_.Callback();
    return options;
  }
  ReceiverOptions From(const std::string& queue) {
    ReceiverOptions options;
    options.queue = queue;
    options.reconnect.base = milliseconds(5);
    options.on_state = states_.Callback();
    return options;
  }

  States states_;
};

// Clauses: N9 N10
TEST_F(ReconnectTest, CutAtRandomPointsNothingIsLostTwiceOrOutOfOrder) {
  constexpr int kMessages = 3000;
  const std::uint64_t seed = testing::Seed("ReconnectTest.CutAtRandomPoints");
  std::mt19937_64 random(seed);
  const std::string queue = Declare(Room(kMessages));
  Relay relay(daemon_->address());
  Client client = Through(relay.address());
  std::mutex mutex;
  std::vector<SendOutcome> outcomes;
  SenderOptions options = To(queue);
  options.frame_bytes_max = 200;
  options.on_outcome = [&](const SendOutcome& outcome) {
    std::lock_guard lock(mutex);
    outcomes.push_back(outcome);
  };
  auto sender = client.OpenSender(std::move(options), kBound);
  ASSERT_TRUE(sender.ok()) << sender.status().ToString();
  for (int i = 1; i <= kMessages; ++i) {
    ASSERT_TRUE(sender->Post(Text(std::to_string(i)), kBound).ok());
    if (random() % 300 == 0 || i == kMessages / 2) relay.Cut();
  }
  relay.Cut();
  ASSERT_TRUE(sender->Flush(kBound).ok()) << "seed " << seed;
  const SendStats stats = sender->stats();
  EXPECT_EQ(stats.counts.ok, std::uint64_t{kMessages}) << "seed " << seed;
  EXPECT_GE(stats.reconnects, 1u);
  EXPECT_EQ(stats.resent_new_epoch, 0u);
  // Every message has been told once, in order.
  std::uint64_t next = 1;
  for (const SendOutcome& outcome : outcomes) {
    ASSERT_EQ(outcome.first_sequence, next) << "seed " << seed;
    next += outcome.count;
  }
  ASSERT_EQ(next, std::uint64_t{kMessages} + 1);
  // And stands in the queue once, in order.
  const QueueDescription description = Describe(queue);
  ASSERT_EQ(description.depth, std::uint64_t{kMessages}) << "seed " << seed;
  Receiver receiver = OpenReceiver(From(queue));
  Batch batch;
  for (int i = 1; i <= kMessages;) {
    ASSERT_EQ(receiver.Next(batch, kBound), NextOutcome::kGiven);
    for (const Delivery& delivery : batch) ASSERT_EQ(delivery.payload, std::to_string(i++));
    ASSERT_TRUE(receiver.Ack(batch).ok());
  }
}

// Clauses: N15 N18
TEST_F(ReconnectTest, AReceiverThatWasCutGetsEverythingAndSettlesUnderItsNewLeaseAlone) {
  const std::string queue = Declare();
  Fill(queue, 5);
  Relay relay(daemon_->address());
  Client client = Through(relay.address());
  std::atomic<int> stale{0};
  ReceiverOptions options = From(queue);
  options.credit.messages = 2;
  options.on_settled = [&stale](const SettleResult& result) {
    if (result.outcome == Outcome::kStale) ++stale;
  };
  auto receiver = client.OpenReceiver(std::move(options), kBound);
  ASSERT_TRUE(receiver.ok()) << receiver.status().ToString();
  const std::uint64_t old_fence = receiver->attachment()->fence;
  const auto first = receiver->Recv().Wait(kBound);
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(receiver->is_stale(*first));
  relay.Cut();
  states_.WaitFor(Phase::kBackingOff);
  states_.WaitFor(Phase::kReady, 2);
  // What was held comes again, marked; the old delivery cannot be settled any more.
  ASSERT_TRUE(receiver->Recv().Wait(kBound).ok());
  EXPECT_TRUE(receiver->is_stale(*first));
  ASSERT_TRUE(receiver->Ack(first->range()).ok());
  EXPECT_EQ(stale, 1);
  EXPECT_EQ(receiver->counts().stale, 1u);
  EXPECT_GT(receiver->attachment()->fence, old_fence);
  EXPECT_EQ(Describe(queue).settled, 0u);
  ASSERT_TRUE(receiver->Ack(PositionRange{1, 1}).ok());
  EXPECT_TRUE(receiver->FlushSettlements(kBound).ok());
  EXPECT_EQ(Describe(queue).settled, 1u);
  EXPECT_EQ(receiver->stats().reconnects, 1u);
  EXPECT_TRUE(receiver->Close(kBound).ok());
}

TEST_F(ReconnectTest, SettlementsOfALostLeaseAreToldAndAFlushSaysSo) {
  const std::string queue = Declare();
  Fill(queue, 1);
  Relay relay(daemon_->address());
  Client client = Through(relay.address());
  auto receiver = client.OpenReceiver(From(queue), kBound);
  ASSERT_TRUE(receiver.ok());
  Batch batch;
  ASSERT_EQ(receiver->Next(batch, kBound), NextOutcome::kGiven);
  relay.Hold(true);
  ASSERT_TRUE(receiver->Ack(batch).ok());
  std::thread cutter([&] {
    relay.Cut();
    relay.Hold(false);
  });
  EXPECT_EQ(receiver->FlushSettlements(kBound).reason(), "LEASE_LOST");
  cutter.join();
  // The ack may have reached the daemon: then it is done. If not, the message comes again.
  const QueueDescription description = Eventually(
      queue, [](const QueueDescription& d) { return d.settled == 1 || d.redelivered == 1; });
  if (description.redelivered == 1) {
    EXPECT_EQ(receiver->Next(batch, kBound), NextOutcome::kGiven);
    EXPECT_EQ(batch[0].failures, 1u);
  }
}

// Clauses: N6 N9
TEST_F(ReconnectTest, AfterAnotherDaemonEverythingUnansweredIsSentAgain) {
  Daemon daemon;
  Client client = Through(daemon.address());
  SenderOptions options = To("jobs");
  options.spec = Room(1);
  auto sender = client.OpenSender(std::move(options), kBound);
  ASSERT_TRUE(sender.ok());
  const std::uint64_t epoch = sender->opened().epoch;
  ASSERT_TRUE(sender->Post(Text("enters")).ok());
  ASSERT_TRUE(sender->Flush(kBound).ok());
  ASSERT_TRUE(sender->Post(Text("waits")).ok());
  daemon.Kill();
  states_.WaitFor(Phase::kBackingOff);
  ASSERT_TRUE(sender->Post(Text("posted while it was away")).ok());
  daemon.Restart();
  ReceiverOptions from = From("jobs");
  from.spec = Room(1);
  auto receiver = client.OpenReceiver(from, kBound);
  ASSERT_TRUE(receiver.ok()) << receiver.status().ToString();
  for (const char* expected : {"waits", "posted while it was away"}) {
    const auto received = receiver->Recv().Wait(kBound);
    ASSERT_TRUE(received.ok()) << received.status().ToString();
    EXPECT_EQ(received->payload, expected);
    ASSERT_TRUE(receiver->Ack(received->range()).ok());
  }
  ASSERT_TRUE(sender->Flush(kBound).ok());
  EXPECT_NE(sender->opened().epoch, epoch);
  EXPECT_EQ(sender->counts().ok, 3u);
  EXPECT_EQ(sender->stats().resent_new_epoch, 1u);
  EXPECT_TRUE(sender->Close(kBound).ok());
}

TEST_F(ReconnectTest, OrItIsReportedAsUnknownIfThatIsWished) {
  Daemon daemon;
  Client client = Through(daemon.address());
  SenderOptions options = To("jobs");
  options.spec = Room(1);
  options.on_new_epoch = OnNewEpoch::kReport;
  auto sender = client.OpenSender(std::move(options), kBound);
  ASSERT_TRUE(sender.ok());
  ASSERT_TRUE(sender->Post(Text("enters")).ok());
  ASSERT_TRUE(sender->Flush(kBound).ok());
  ASSERT_TRUE(sender->Post(Text("waits")).ok());
  daemon.Kill();
  states_.WaitFor(Phase::kBackingOff);
  const Operation<SendOutcome> unstarted = sender->Send(Text("never"));
  daemon.Restart();
  const SendOutcome later = sender->Send(Text("later")).Wait(kBound);
  EXPECT_TRUE(later.ok()) << ToString(later.outcome);
  EXPECT_EQ(sender->counts().unknown, 1u);
  EXPECT_EQ(sender->stats().unknown_new_epoch, 1u);
  EXPECT_EQ(sender->counts().ok, 2u);
}

TEST_F(ReconnectTest, WithoutDeduplicationWhatWasOutIsUnknownAndTheStreamGoesOn) {
  const std::string queue = Declare(Room(1));
  Relay relay(daemon_->address());
  Client client = Through(relay.address());
  SenderOptions options = To(queue);
  options.deduplicate = false;
  auto sender = client.OpenSender(std::move(options), kBound);
  ASSERT_TRUE(sender.ok());
  ASSERT_TRUE(sender->Post(Text("enters")).ok());
  ASSERT_TRUE(sender->Flush(kBound).ok());
  ASSERT_TRUE(sender->Post(Text("waits")).ok());
  Eventually(queue, [](const QueueDescription& d) { return d.waiting_sends == 1; });
  relay.Cut();
  states_.WaitFor(Phase::kReady, 2);
  EXPECT_EQ(sender->counts().unknown, 1u);
  ASSERT_TRUE(client_.PurgeQueue(queue, kBound).ok());
  EXPECT_TRUE(sender->Send(Text("after")).Wait(kBound).ok());
}

TEST_F(ReconnectTest, WhatIsRefusedOnceIsNotTriedAgain) {
  Daemon daemon;
  Client client = Through(daemon.address());
  ASSERT_TRUE(client.DeclareQueue("jobs", {}, kBound).ok());
  auto sender = client.OpenSender(To("jobs"), kBound);  // Without a spec.
  ASSERT_TRUE(sender.ok());
  daemon.Kill();
  daemon.Restart();
  states_.WaitFor(Phase::kClosed);
  ASSERT_TRUE(sender->end().has_value());
  EXPECT_EQ(sender->end()->status.reason(), "QUEUE_NOT_FOUND");
  EXPECT_EQ(sender->Post(Text("x")).status().reason(), "QUEUE_NOT_FOUND");
}

TEST_F(ReconnectTest, WhileItIsAwayItsStateSaysWhyAndTheEndsStayBounded) {
  Daemon daemon;
  Client client = Through(daemon.address());
  SenderOptions options = To("jobs");
  options.spec = Room(100);
  options.pending_messages_max = 3;
  options.reconnect.base = options.reconnect.cap = milliseconds(60'000);
  options.reconnect.random = [] { return 0.5; };
  auto sender = client.OpenSender(options, kBound);
  ASSERT_TRUE(sender.ok());
  daemon.Kill();
  states_.WaitFor(Phase::kBackingOff);
  const StreamState state = sender->state();
  EXPECT_EQ(state.phase, Phase::kBackingOff);
  EXPECT_EQ(state.delay, milliseconds(30'000));
  EXPECT_EQ(state.status.code(), Code::kUnavailable);
  EXPECT_NE(ToString(state).find("backing off for 30000 ms: UNAVAILABLE"), std::string::npos);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender->Post(Text("kept")).ok());
  EXPECT_EQ(sender->Post(Text("too many"), kAWhile).status().reason(), "DEADLINE");
  const SendOutcome refused = sender->Send(Text("too many")).Wait(kAWhile);
  EXPECT_EQ(refused.outcome, Outcome::kTimedOut);
  EXPECT_EQ(refused.status.reason(), "DEADLINE");
  EXPECT_EQ(sender->Close(kAWhile).status().reason(), "DEADLINE");
  states_.WaitFor(Phase::kClosed);
  EXPECT_EQ(sender->counts().unknown, 3u);
}

TEST_F(ReconnectTest, AnEndThatIsAwayGoesAtOnce) {
  Daemon daemon;
  Client client = Through(daemon.address());
  const auto began = std::chrono::steady_clock::now();
  {
    ReceiverOptions options = From("jobs");
    options.spec = Room(1);
    options.reconnect.base = options.reconnect.cap = milliseconds(60'000);
    options.reconnect.random = [] { return 1.0; };
    auto receiver = client.OpenReceiver(options, kBound);
    ASSERT_TRUE(receiver.ok());
    auto closed = client.OpenReceiver(options, kBound);
    EXPECT_EQ(closed.status().reason(), "CONSUMER_PRESENT");
    daemon.Kill();
    states_.WaitFor(Phase::kBackingOff);
    const auto end = receiver->Close(kBound);  // There is nothing to wait for.
    ASSERT_TRUE(end.ok()) << end.status().ToString();
    EXPECT_EQ(end->kind, StreamEnd::Kind::kLost);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(60'000));
}

TEST_F(ReconnectTest, OpeningWithoutADaemonSaysWhyAtTheDeadline) {
  Daemon daemon;
  Client client = Through(daemon.address());
  daemon.Kill();
  const auto sender = client.OpenSender(To("jobs"), milliseconds(5000));
  EXPECT_EQ(sender.status().code(), Code::kUnavailable) << sender.status().ToString();
  daemon.Restart();
}

// Clauses: N41
TEST_F(ReconnectTest, MessagesThatADaemonRefusesAsItGoesDownAreForTheNextOne) {
  auto daemon = std::make_unique<Daemon>(std::vector<std::string>{"--drain-grace-ms", "100"});
  Client client = Through(daemon->address());
  SenderOptions options = To("jobs");
  options.spec = Room(1);
  auto sender = client.OpenSender(options, kBound);
  ASSERT_TRUE(sender.ok());
  ASSERT_TRUE(sender->Send(Text("enters")).Wait(kBound).ok());
  ASSERT_TRUE(sender->Post(Text("waits")).ok());
  ASSERT_TRUE(client.Drain(milliseconds(0), kBound).ok());
  const StreamState lost = states_.WaitFor(Phase::kBackingOff);
  EXPECT_EQ(lost.status.reason(), "STREAM_ENDED");
  EXPECT_EQ(sender->counts().closed, 0u);
  EXPECT_EQ(sender->counts().pending, 1u);
}

}  // namespace
}  // namespace sluice::test
