// SPDX-License-Identifier: Apache-2.0
#include "sluice/caller.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/client/request_case.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

class CallerTest : public RequestCase {};

CallOptions Waiting() {
  CallOptions options;
  options.wait_for_responder = true;
  return options;
}

// The outcome of a call, or why there is none.
std::string Of(const Result<CallReply>& reply) {
  return reply.ok() ? ToString(reply->outcome) : reply.status().reason();
}

// Clauses: N22 N25
TEST_F(CallerTest, X30_EachCallGetsItsOwnReply) {
  ResponderOptions options = ServeOptions(Echo);
  options.threads = 4;
  Responder responder = Serve(client_, std::move(options));
  Caller caller = Ask();
  constexpr int kCalls = 1000;
  std::vector<Operation<Result<CallReply>>> calls;
  std::atomic<int> right{0};
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(caller.Call(std::to_string(i)));
    calls.back().Start([&right, i](Result<CallReply> reply) {
      if (reply.ok() && reply->ok() && reply->message.payload == std::to_string(i)) ++right;
    });
  }
  ASSERT_TRUE(caller.Close(kBound).ok());
  EXPECT_EQ(right, kCalls);
  const CallerStats stats = caller.stats();
  EXPECT_EQ(stats.started, static_cast<std::uint64_t>(kCalls));
  EXPECT_EQ(stats.ok, static_cast<std::uint64_t>(kCalls));
  EXPECT_EQ(stats.open + stats.waiting, 0u);
}

TEST_F(CallerTest, EveryFieldOfTheMessagesTravels) {
  Responder responder = Serve([](Request& request, Reply reply) {
    const OwnedMessage& message = request.message();
    const std::string text =
        message.id + message.content_type + std::string(message.HeaderValue("k")) + message.payload;
    const std::vector<Header> headers = {{"h", "v"}};
    (void)reply.Send(Message{text, "reply.id", "text/reply", headers});
  });
  const std::vector<Header> headers = {{"k", "value "}};
  const auto reply = Ask().Call(Message{"payload", "id ", "text/plain ", headers}).Wait(kBound);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_TRUE(reply->has_message);
  EXPECT_EQ(reply->message.payload, "id text/plain value payload");
  EXPECT_EQ(reply->message.id, "reply.id");
  EXPECT_EQ(reply->message.content_type, "text/reply");
  EXPECT_EQ(reply->message.HeaderValue("h"), "v");
  EXPECT_TRUE(reply->handed_out);
}

TEST_F(CallerTest, AUnaryCallDoesTheSame) {
  CallRequest request;
  request.responder = Name();
  request.message.payload = "x";
  const auto nobody = client_.Call(request, kBound);
  ASSERT_TRUE(nobody.ok()) << nobody.status().ToString();
  EXPECT_EQ(nobody->outcome, Outcome::kNoResponder);
  Responder responder = Serve(Echo);
  const auto reply = client_.Call(request, kBound);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->message.payload, "x");
  request.responder = "no.such.responder";
  EXPECT_EQ(client_.Call(request, kBound).status().reason(), "RESPONDER_NOT_FOUND");
}

// Clauses: N26
TEST_F(CallerTest, WithoutAWorkerACallFailsFastOrWaits) {
  Caller caller = Ask();
  const auto fast = caller.Call("x").Wait(kBound);
  ASSERT_TRUE(fast.ok()) << fast.status().ToString();
  EXPECT_EQ(fast->outcome, Outcome::kNoResponder);
  EXPECT_FALSE(fast->handed_out);
  std::optional<Operation<Result<CallReply>>> waits(caller.Call("y", Waiting()));
  std::string outcome;
  waits->Start([&outcome](Result<CallReply> reply) { outcome = Of(reply); });
  Eventually([](const ResponderDescription& d) { return d.depth == 1; });
  Responder responder = Serve(Echo);
  ASSERT_TRUE(caller.Close(kBound).ok());
  EXPECT_EQ(outcome, "OK");
}

// Clauses: N7
TEST_F(CallerTest, EveryOtherOutcomeIsAValue) {
  ResponderSpec spec;
  spec.capacity = 1;
  const std::string small = Name() + ".small";
  ASSERT_TRUE(client_.DeclareResponder(small, spec, kBound).ok());
  Caller caller = Ask();
  CallOptions options = Waiting();
  options.responder = "no.such.responder";
  EXPECT_EQ(Of(caller.Call("x", options).Wait(kBound)), "ABSENT");

  options.responder = small;
  options.timeout = milliseconds(20);
  EXPECT_EQ(Of(caller.Call("x", options).Wait(kBound)), "TIMED_OUT");

  options.timeout = std::chrono::minutes(10);
  std::string queued;
  auto first = caller.Call("x", options);
  first.Start([&queued](Result<CallReply> reply) { queued = Of(reply); });
  EXPECT_EQ(Of(caller.Call("x", options).Wait(kBound)), "FULL");
  ASSERT_TRUE(client_.CloseResponder(small, kBound).ok());
  const auto refused = caller.Call("x", options).Wait(kBound);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->outcome, Outcome::kClosed);
  EXPECT_EQ(refused->reason, ClosedReason::kRequested);
  EXPECT_EQ(queued, "CLOSED");
  EXPECT_EQ(caller.stats().failed, 5u);
}

TEST_F(CallerTest, AFailureIsTheApplicationsOwnWord) {
  Responder responder =
      Serve([](Request&, Reply reply) { (void)reply.Fail("NO_SUCH_USER", "nobody by that name"); });
  const auto reply = Ask().Call("x").Wait(kBound);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->outcome, Outcome::kFailed);
  EXPECT_EQ(reply->failure.code, "NO_SUCH_USER");
  EXPECT_EQ(reply->failure.text, "nobody by that name");
}

// Clauses: N24
TEST_F(CallerTest, GivingUpCancelsTheCallAtItsWorker) {
  Responder responder = Pull();
  Caller caller = Ask();
  std::optional<Operation<Result<CallReply>>> call(caller.Call("x"));
  call->Start([](Result<CallReply>) { ADD_FAILURE() << "it was given up"; });
  ReceivedRequest held = Next(responder);
  EXPECT_FALSE(held.request.is_cancelled());
  call.reset();
  const Deadline deadline(kBound);
  while (!held.request.is_cancelled()) ASSERT_FALSE(deadline.has_passed());
  EXPECT_TRUE(held.request.stop_token().stop_requested());
  EXPECT_TRUE(held.reply.Send("late").ok());
  while (responder.stats().late == 0) ASSERT_FALSE(deadline.has_passed());
  EXPECT_EQ(responder.stats().cancelled, 1u);
  EXPECT_EQ(caller.stats().cancelled, 1u);
}

TEST_F(CallerTest, AWaitThatEndsGivesUpTheCall) {
  Responder responder = Pull();
  Caller caller = Ask();
  EXPECT_EQ(Of(caller.Call("x").Wait(kAWhile)), "DEADLINE");
  Eventually([](const ResponderDescription& d) { return d.cancelled == 1; });
}

// Clauses: N23
TEST_F(CallerTest, ALostWorkerIsToldAtOnceOrAnotherTakesOver) {
  Caller caller = Ask();
  CallOptions retried;
  retried.retry_on_responder_loss = true;
  retried.wait_for_responder = true;
  std::string gone;
  std::string done;
  auto first = caller.Call("x");
  auto second = caller.Call("x", retried);
  std::vector<ReceivedRequest> held;
  {
    Responder dies = Pull();
    first.Start([&gone](Result<CallReply> reply) { gone = Of(reply); });
    second.Start([&done](Result<CallReply> reply) { done = Of(reply); });
    for (int i = 0; i < 2; ++i) held.push_back(Next(dies));
  }
  Responder lives = Serve(
      [](Request& request, Reply reply) { (void)reply.Send(std::to_string(request.attempts())); });
  ASSERT_TRUE(caller.Close(kBound).ok());
  EXPECT_EQ(gone, "RESPONDER_GONE");
  EXPECT_EQ(done, "OK");
}

TEST_F(CallerTest, CallsBeyondTheBoundWaitOrAreRefused) {
  Responder responder = Pull();
  CallerOptions options = CallOptionsFor();
  options.open_calls_max = 2;
  Caller waits = Ask(client_, options);
  options.when_pending = WhenPending::kRefuse;
  Caller refuses = Ask(client_, options);
  std::vector<Operation<Result<CallReply>>> calls;
  std::atomic<int> answered{0};
  for (Caller* caller : {&waits, &refuses}) {
    for (int i = 0; i < 2; ++i) {
      calls.push_back(caller->Call("x"));
      calls.back().Start([&answered](Result<CallReply> reply) { answered += reply.ok() ? 1 : 0; });
    }
  }
  Eventually([](const ResponderDescription& d) { return d.in_flight == 4; });
  EXPECT_EQ(Of(refuses.Call("x").Wait(kBound)), "PENDING_FULL");
  calls.push_back(waits.Call("third"));
  calls.back().Start([&answered](Result<CallReply> reply) { answered += reply.ok() ? 1 : 0; });
  EXPECT_EQ(waits.stats().waiting, 1u);
  EXPECT_EQ(waits.stats().open, 2u);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Next(responder).reply.Send("y").ok());
  ASSERT_TRUE(waits.Close(kBound).ok());
  ASSERT_TRUE(refuses.Close(kBound).ok());
  EXPECT_EQ(answered, 5);
}

TEST_F(CallerTest, ABadMessageIsRefusedHereAndTheCallerGoesOn) {
  Responder responder = Serve(Echo);
  Caller caller = Ask();
  EXPECT_EQ(Of(caller.Call(Message{"x", "\xff", {}, {}}).Wait(kBound)), "BAD_OPTION");
  EXPECT_EQ(Of(caller.Call(std::string(2 << 20, 'x')).Wait(kBound)), "BAD_OPTION");
  EXPECT_EQ(Of(caller.Call("x").Wait(kBound)), "OK");
}

// The daemon ends the stream for it: that call is told why, and the others of its frame go on.
TEST_F(CallerTest, ACallThatTheDaemonRefusesIsToldWhyAndTheStreamComesBack) {
  ResponderSpec spec;
  spec.message_bytes_max = 100;
  const std::string small = Name() + ".small";
  ASSERT_TRUE(client_.DeclareResponder(small, spec, kBound).ok());
  Responder responder = Serve(Echo);
  Caller caller = Ask();
  CallOptions options;
  options.responder = small;
  const auto refused = caller.Call(std::string(200, 'x'), options).Wait(kBound);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().reason(), "OUT_OF_BOUNDS") << refused.status().ToString();
  EXPECT_EQ(refused.status().details().at("limit"), "100");
  EXPECT_EQ(Of(caller.Call("x").Wait(kBound)), "OK");
  EXPECT_EQ(caller.stats().reconnects, 1u);
}

TEST_F(CallerTest, CallbacksMayAskAgainButNotWait) {
  Responder responder = Serve(Echo);
  Caller caller = Ask();
  std::string waited;
  auto second = caller.Call("second");
  auto first = caller.Call("first");
  std::atomic<int> answered{0};
  first.Start([&](Result<CallReply>) {
    waited = Of(caller.Call("x").Wait(kBound));
    EXPECT_EQ(caller.Close(kBound).status().reason(), "WOULD_BLOCK");
    second.Start([&answered](Result<CallReply> reply) { answered += reply.ok() ? 1 : 0; });
  });
  const Deadline deadline(kBound);
  while (answered == 0) ASSERT_FALSE(deadline.has_passed());
  EXPECT_EQ(waited, "WOULD_BLOCK");
}

TEST_F(CallerTest, OptionsAreCheckedBeforeAnythingIsSent) {
  CallerOptions options = CallOptionsFor();
  options.open_calls_max = 1025;
  EXPECT_EQ(client_.OpenCaller(options, kBound).status().details().at("field"), "open_calls_max");
  EXPECT_EQ(Ask().CallParts(Message{}, {}, 0).status().details().at("field"), "window");
}

}  // namespace
}  // namespace sluice::test
