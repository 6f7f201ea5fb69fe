// SPDX-License-Identifier: Apache-2.0
// Callers and workers that lose their connection, or their daemon.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "sluice/caller.h"
#include "tests/client/relay.h"
#include "tests/client/request_case.h"

namespace sluice::test {
namespace {

class CallerLossTest : public RequestCase {
 protected:
  Client Through(const Relay& relay) {
    ClientOptions options;
    options.address = relay.address();
    auto client = Client::Connect(options);
    if (!client.ok()) throw std::runtime_error(client.status().ToString());
    return *std::move(client);
  }

  Relay relay_{daemon_->address()};
  Client cut_ = Through(relay_);
};

// What a call became, when it did.
struct Outcomes {
  std::string Wait() {
    const Deadline deadline(kBound);
    while (!is_told) {
      if (deadline.has_passed()) return "nothing";
    }
    return outcome;
  }
  void operator()(Result<CallReply> reply) {
    outcome = reply.ok() ? ToString(reply->outcome) : ToString(reply.status().code());
    handed_out = reply.ok() && reply->handed_out;
    payload = reply.ok() ? reply->message.payload : "";
    is_told = true;
  }
  std::string outcome;
  std::string payload;
  bool handed_out = false;
  std::atomic<bool> is_told{false};
};

// Clauses: N23 N25
TEST_F(CallerLossTest, WhatWasOpenIsInDoubtAndWhatMayBeRepeatedIsAskedAgain) {
  Responder responder = Pull();
  Caller caller = Ask(cut_, CallOptionsFor());
  CallOptions safe;
  safe.retry_safe = true;
  Outcomes doubtful;
  Outcomes repeated;
  auto first = caller.Call("doubtful");
  auto second = caller.Call("safe", safe);
  first.Start(std::ref(doubtful));
  second.Start(std::ref(repeated));
  ReceivedRequest one = Next(responder);
  ReceivedRequest two = Next(responder);
  relay_.Cut();
  EXPECT_EQ(doubtful.Wait(), "UNKNOWN");
  EXPECT_TRUE(doubtful.handed_out) << "it may have been done";
  ReceivedRequest again = Next(responder);
  EXPECT_EQ(again.request.payload(), "safe");
  const Deadline deadline(kBound);  // That the old stream is gone may come after the new call.
  while (!one.request.is_cancelled() || !two.request.is_cancelled()) {
    ASSERT_FALSE(deadline.has_passed());
  }
  EXPECT_TRUE(again.reply.Send("done").ok());
  EXPECT_EQ(repeated.Wait(), "OK");
  EXPECT_EQ(repeated.payload, "done");
  const CallerStats stats = caller.stats();
  EXPECT_EQ(stats.unknown, 1u);
  EXPECT_EQ(stats.retried, 1u);
  EXPECT_EQ(stats.reconnects, 1u);
}

TEST_F(CallerLossTest, WhatWasNotWrittenWaitsForTheNextStream) {
  Responder responder = Serve(Echo);
  Caller caller = Ask(cut_, CallOptionsFor());
  relay_.Refuse(true);
  relay_.Cut();
  const Deadline deadline(kBound);
  while (caller.state().phase == StreamState::Phase::kReady) ASSERT_FALSE(deadline.has_passed());
  Outcomes outcome;
  auto call = caller.Call("x");
  call.Start(std::ref(outcome));
  EXPECT_EQ(caller.stats().waiting, 1u);
  relay_.Refuse(false);
  EXPECT_EQ(outcome.Wait(), "OK");
  EXPECT_EQ(caller.stats().retried, 0u);
}

TEST_F(CallerLossTest, ACallsTimeRunsWithoutAConnectionToo) {
  Caller caller = Ask(cut_, CallOptionsFor());
  relay_.Refuse(true);
  relay_.Cut();
  const Deadline deadline(kBound);
  while (caller.state().phase == StreamState::Phase::kReady) ASSERT_FALSE(deadline.has_passed());
  CallOptions options;
  options.timeout = kAWhile;
  Outcomes outcome;
  auto call = caller.Call("x", options);
  call.Start(std::ref(outcome));
  EXPECT_EQ(outcome.Wait(), "TIMED_OUT");
  EXPECT_FALSE(outcome.handed_out) << "it was never written";
  EXPECT_EQ(caller.stats().waiting, 0u);
}

TEST_F(CallerLossTest, ADestroyedCallerTellsEveryCall) {
  Responder responder = Pull();
  Outcomes open;
  Outcomes waiting;
  std::optional<Operation<Result<CallReply>>> first;
  std::optional<Operation<Result<CallReply>>> second;
  std::optional<ReceivedRequest> held;
  {
    CallerOptions options = CallOptionsFor();
    options.open_calls_max = 1;
    Caller caller = Ask(client_, options);
    first.emplace(caller.Call("open"));
    second.emplace(caller.Call("waiting"));
    first->Start(std::ref(open));
    second->Start(std::ref(waiting));
    held.emplace(Next(responder));
  }
  EXPECT_EQ(open.Wait(), "UNKNOWN");
  EXPECT_EQ(waiting.Wait(), "CANCELLED") << "it was not begun";
}

TEST_F(CallerLossTest, AfterAKilledDaemonBothEndsGoOnWithTheNext) {
  auto own = std::make_unique<Daemon>();
  Client client = Connect(*own);
  Responder responder = Serve(client, ServeOptions(Echo));
  Caller caller = Ask(client, CallOptionsFor());
  const auto before = caller.Call("x").Wait(kBound);
  ASSERT_TRUE(before.ok()) << before.status().ToString();
  EXPECT_TRUE(before->ok());
  own->Kill();
  own->Restart();
  const Deadline deadline(kBound);
  while (responder.stats().reconnects == 0) ASSERT_FALSE(deadline.has_passed());
  CallOptions options;
  options.retry_safe = true;
  const auto after = caller.Call("x", options).Wait(kBound);
  ASSERT_TRUE(after.ok()) << after.status().ToString();
  EXPECT_EQ(after->outcome, Outcome::kOk);
}

// Clauses: N41
TEST_F(CallerLossTest, ADaemonThatGoesDownClosesCallsAndTheCallerLivesOn) {
  auto own = std::make_unique<Daemon>(std::vector<std::string>{"--drain-grace-ms", "500"});
  Client client = Connect(*own);
  ASSERT_TRUE(client.DeclareResponder(Name(), {}, kBound).ok());
  Caller caller = Ask(client, CallOptionsFor());
  CallOptions options;
  options.wait_for_responder = true;
  Outcomes outcome;
  auto call = caller.Call("x", options);
  call.Start(std::ref(outcome));
  const Deadline deadline(kBound);
  while (caller.stats().open == 0) ASSERT_FALSE(deadline.has_passed());
  while (client.DescribeResponder(Name(), kBound)->description.depth == 0) {
    ASSERT_FALSE(deadline.has_passed());
  }
  ASSERT_TRUE(client.Drain(std::chrono::milliseconds(200), kBound).ok());
  EXPECT_EQ(outcome.Wait(), "CLOSED");
  EXPECT_FALSE(outcome.handed_out);
  EXPECT_FALSE(caller.end().has_value());
}

// Clauses: N23
TEST_F(CallerLossTest, AWorkerComesBackAndItsOldRepliesAreDropped) {
  Responder responder = Serve(cut_, ServeOptions(nullptr));
  Caller caller = Ask();
  Outcomes gone;
  auto call = caller.Call("x");
  call.Start(std::ref(gone));
  ReceivedRequest held = Next(responder);
  relay_.Cut();
  EXPECT_EQ(gone.Wait(), "RESPONDER_GONE");
  const Deadline deadline(kBound);
  while (!held.request.is_cancelled()) ASSERT_FALSE(deadline.has_passed());
  EXPECT_EQ(held.reply.Send("too late").reason(), "STREAM_ENDED");
  while (responder.stats().reconnects == 0) ASSERT_FALSE(deadline.has_passed());
  Outcomes answered;
  auto again = caller.Call("y");
  again.Start(std::ref(answered));
  EXPECT_TRUE(Next(responder).reply.Send("in time").ok());
  EXPECT_EQ(answered.Wait(), "OK");
  const ResponderStats stats = responder.stats();
  EXPECT_EQ(stats.lost, 1u);
  EXPECT_EQ(stats.dropped, 1u);
}

}  // namespace
}  // namespace sluice::test
