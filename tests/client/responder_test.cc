// SPDX-License-Identifier: Apache-2.0
#include "sluice/responder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/client/request_case.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

class ResponderTest : public RequestCase {
 protected:
  // What one call becomes: "OK: payload", "FAILED: CODE", or the outcome.
  std::string Call(const std::string& payload = "x") {
    const auto reply = caller_.Call(payload).Wait(kBound);
    if (!reply.ok()) return reply.status().ToString();
    if (reply->ok()) return "OK: " + reply->message.payload;
    const std::string outcome = ToString(reply->outcome);
    return reply->outcome == Outcome::kFailed ? outcome + ": " + reply->failure.code : outcome;
  }

  Caller caller_ = Ask();
};

TEST_F(ResponderTest, HandlersRunOnAsManyThreadsAsAsked) {
  std::atomic<int> running{0};
  ResponderOptions options = ServeOptions([&running](Request&, Reply reply) {
    ++running;
    const Deadline deadline(kBound);
    while (running < 3 && !deadline.has_passed()) std::this_thread::yield();
    (void)reply.Send("together");
  });
  options.threads = 3;
  Responder responder = Serve(client_, std::move(options));
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([this] { EXPECT_EQ(Call(), "OK: together"); });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ResponderTest, WhatAHandlerThrowsIsAFailureAndItGoesOn) {
  Responder responder = Serve([](Request& request, Reply reply) {
    if (request.payload() == "throw") throw std::runtime_error("why");
    if (request.payload() == "throw what") throw 7;
    (void)reply.Send("fine");
  });
  const auto reply = caller_.Call("throw").Wait(kBound);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->failure.code, "EXCEPTION");
  EXPECT_EQ(reply->failure.text, "why");
  EXPECT_EQ(Call("throw what"), "FAILED: EXCEPTION");
  EXPECT_EQ(Call("x"), "OK: fine");
  EXPECT_EQ(responder.stats().exceptions, 2u);
}

TEST_F(ResponderTest, AnAnswerThatWasGivenBeforeTheThrowStands) {
  Responder responder = Serve([](Request&, Reply reply) {
    (void)reply.Send("given");
    throw std::runtime_error("afterwards");
  });
  EXPECT_EQ(Call(), "OK: given");
}

TEST_F(ResponderTest, ADroppedReplyIsNoAnswer) {
  Responder responder = Serve([](Request&, Reply) {});
  EXPECT_EQ(Call(), "FAILED: NO_ANSWER");
  EXPECT_EQ(responder.stats().no_answer, 1u);
}

TEST_F(ResponderTest, AReplyMayBeGivenLaterFromAnotherThread) {
  std::thread later;
  {
    Responder responder = Serve([&later](Request&, Reply reply) {
      later = std::thread([held = std::move(reply)]() mutable { (void)held.Send("later"); });
    });
    EXPECT_EQ(Call(), "OK: later");
  }
  later.join();
}

// Clauses: N25
TEST_F(ResponderTest, X34_ASecondAnswerIsRefused) {
  Responder responder = Pull();
  std::thread asks([this] { EXPECT_EQ(Call(), "OK: first"); });
  ReceivedRequest held = Next(responder);
  EXPECT_TRUE(held.reply.Send("first").ok());
  EXPECT_EQ(held.reply.Send("second").reason(), "ALREADY_ANSWERED");
  asks.join();
}

TEST_F(ResponderTest, BadAnswersAreRefusedAndAnotherMayFollow) {
  Responder responder = Pull();
  std::thread asks([this] { EXPECT_EQ(Call(), "FAILED: own"); });
  ReceivedRequest held = Next(responder);
  EXPECT_EQ(held.reply.Send(std::string(2 << 20, 'x')).reason(), "BAD_OPTION");
  EXPECT_EQ(held.reply.Fail("_OURS", "").reason(), "BAD_OPTION");
  EXPECT_TRUE(held.reply.Fail("own", std::string(20'000, 'x') + "\xff").ok());
  asks.join();
}

TEST_F(ResponderTest, AnEmptyAnswerHasNoMessage) {
  Responder responder = Serve([](Request&, Reply reply) { (void)reply.Finish(); });
  const auto reply = caller_.Call("x").Wait(kBound);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_TRUE(reply->ok());
  EXPECT_FALSE(reply->has_message);
}

// Clauses: N27
TEST_F(ResponderTest, X37_AReleasedRequestGoesToAnotherWorker) {
  Responder lazy = Serve([](Request&, Reply reply) { (void)reply.Release(); });
  EXPECT_EQ(Call(), "NO_RESPONDER") << "there is no other";
  Responder busy = Serve([](Request& request, Reply reply) {
    (void)reply.Send("attempt " + std::to_string(request.attempts()));
  });
  for (int i = 0; i < 10; ++i) {
    const std::string outcome = Call();
    EXPECT_TRUE(outcome == "OK: attempt 1" || outcome == "OK: attempt 2") << outcome;
  }
}

TEST_F(ResponderTest, ARequestKnowsItsTimeAndWhenItIsOver) {
  Responder responder = Pull();
  CallOptions options;
  options.timeout = milliseconds(1'000);
  auto call = caller_.Call("x", options);
  std::atomic<bool> is_told{false};
  call.Start([&is_told](Result<CallReply> reply) {
    EXPECT_EQ(reply->outcome, Outcome::kTimedOut);
    is_told = true;
  });
  ReceivedRequest held = Next(responder);
  ASSERT_TRUE(held.request.remaining().has_value());
  EXPECT_LE(*held.request.remaining(), milliseconds(1'000));
  const Deadline deadline(kBound);
  while (!held.reply.is_cancelled() || !is_told) ASSERT_FALSE(deadline.has_passed());
  EXPECT_EQ(held.reply.SendPart("x", kBound).code(), Code::kCancelled);
}

TEST_F(ResponderTest, WhoseCallerWentBeforeItWasBegunIsNotHandedOut) {
  std::atomic<int> begun{0};
  std::atomic<bool> goes_on{false};
  Responder responder = Serve([&](Request&, Reply reply) {
    ++begun;
    while (!goes_on) std::this_thread::yield();
    (void)reply.Send("done");
  });
  std::thread first([this] { EXPECT_EQ(Call(), "OK: done"); });
  while (begun == 0) std::this_thread::yield();
  const Deadline deadline(kBound);
  {
    auto call = caller_.Call("given up");
    call.Start([](const Result<CallReply>&) { ADD_FAILURE() << "it was given up"; });
    while (responder.stats().assigned < 2) ASSERT_FALSE(deadline.has_passed());
  }
  while (responder.stats().cancelled == 0) ASSERT_FALSE(deadline.has_passed());
  goes_on = true;
  first.join();
  EXPECT_EQ(Call(), "OK: done");
  EXPECT_EQ(begun, 2);
}

// Clauses: N27
TEST_F(ResponderTest, ClosingHandsBackWhatNobodyHasPulled) {
  Responder responder = Pull();
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) callers.emplace_back([this] { EXPECT_EQ(Call(), "OK: other"); });
  const Deadline deadline(kBound);
  while (responder.stats().assigned < 3) ASSERT_FALSE(deadline.has_passed());
  Responder other = Serve([](Request&, Reply reply) { (void)reply.Send("other"); });
  const auto end = responder.Close(kBound);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(end->kind, StreamEnd::Kind::kClosed);
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ResponderTest, CreditBoundsWhatIsInHand) {
  ResponderOptions options = ServeOptions(nullptr);
  options.credit = {2, 0};
  options.worker = "the.worker";
  Responder responder = Serve(client_, std::move(options));
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back([this] { EXPECT_EQ(Call(), "OK: y"); });
  Eventually([](const ResponderDescription& d) { return d.depth == 2 && d.in_flight == 2; });
  const auto described = client_.DescribeResponder(Name(), kBound);
  ASSERT_TRUE(described.ok());
  ASSERT_EQ(described->workers.size(), 1u);
  EXPECT_EQ(described->workers[0].worker, "the.worker");
  EXPECT_EQ(described->workers[0].credit_messages, 2u);
  EXPECT_EQ(described->workers[0].held, 2u);
  ASSERT_TRUE(responder.SetCredit({10, 0}).ok());
  Eventually([](const ResponderDescription& d) { return d.in_flight == 4; });
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Next(responder).reply.Send("y").ok());
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ResponderTest, CloseFinishesWhatIsInHandAndTakesNoMore) {
  std::atomic<bool> goes_on{false};
  std::atomic<bool> is_begun{false};
  Responder responder = Serve([&](Request&, Reply reply) {
    is_begun = true;
    while (!goes_on) std::this_thread::yield();
    (void)reply.Send("finished");
  });
  std::thread asks([this] { EXPECT_EQ(Call(), "OK: finished"); });
  while (!is_begun) std::this_thread::yield();
  std::thread closes([&responder] {
    const auto end = responder.Close(kBound);
    ASSERT_TRUE(end.ok()) << end.status().ToString();
    EXPECT_EQ(end->reason, ClosedReason::kFinished) << ToString(*end);
  });
  const Deadline deadline(kBound);
  for (;;) {
    const auto described = client_.DescribeResponder(Name(), kBound);
    ASSERT_TRUE(described.ok());
    if (!described->workers.empty() && described->workers[0].finishing) break;
    ASSERT_FALSE(deadline.has_passed());
  }
  EXPECT_EQ(Call(), "NO_RESPONDER");
  goes_on = true;
  asks.join();
  closes.join();
}

TEST_F(ResponderTest, CloseGivesUpAtItsDeadline) {
  Responder responder = Pull();
  // Which of the two it becomes is the daemon's to say.
  std::thread asks([this] {
    const std::string outcome = Call();
    EXPECT_TRUE(outcome == "RESPONDER_GONE" || outcome == "NO_RESPONDER") << outcome;
  });
  ReceivedRequest held = Next(responder);
  EXPECT_EQ(responder.Close(kAWhile).status().reason(), "DEADLINE");
  asks.join();
}

// Clauses: N4
TEST_F(ResponderTest, X36_AClosedResponderEndsItsWorkers) {
  Responder responder = Pull();
  ASSERT_TRUE(client_.CloseResponder(Name(), kBound).ok());
  EXPECT_FALSE(responder.Next(kBound).ok());
  ASSERT_TRUE(responder.end().has_value());
  EXPECT_EQ(responder.end()->reason, ClosedReason::kRequested);
  const auto deleted = client_.DeleteResponder(Name(), kBound);
  ASSERT_TRUE(deleted.ok()) << deleted.status().ToString();
  EXPECT_EQ(*deleted, 0u);
}

TEST_F(ResponderTest, AHandlerMayDestroyItsResponder) {
  std::unique_ptr<Responder> responder;
  std::atomic<bool> is_destroyed{false};
  ResponderOptions options = ServeOptions([&](Request&, Reply) {
    responder.reset();
    is_destroyed = true;
  });
  responder = std::make_unique<Responder>(Serve(client_, std::move(options)));
  EXPECT_EQ(Call(), "RESPONDER_GONE");
  const Deadline deadline(kBound);
  while (!is_destroyed) ASSERT_FALSE(deadline.has_passed());
}

TEST_F(ResponderTest, TheDestructorDoesNotWaitForAHandlerThatDoesNotReturn) {
  std::atomic<bool> is_begun{false};
  const auto goes_on = std::make_shared<std::atomic<bool>>(false);
  const auto has_returned = std::make_shared<std::atomic<bool>>(false);
  auto began = std::chrono::steady_clock::now();
  std::thread asks;
  {
    Responder responder = Serve([&is_begun, goes_on, has_returned](Request&, Reply reply) {
      is_begun = true;
      while (!*goes_on) std::this_thread::yield();
      EXPECT_EQ(reply.Send("nobody").reason(), "STREAM_ENDED");
      *has_returned = true;
    });
    asks = std::thread([this] { EXPECT_EQ(Call(), "RESPONDER_GONE"); });
    while (!is_begun) std::this_thread::yield();
    began = std::chrono::steady_clock::now();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  asks.join();
  *goes_on = true;
  const Deadline deadline(kBound);
  while (!*has_returned) ASSERT_FALSE(deadline.has_passed());
}

TEST_F(ResponderTest, OptionsAreCheckedBeforeAnythingIsSent) {
  ResponderOptions options = ServeOptions(nullptr);
  options.threads = 1;
  EXPECT_EQ(client_.OpenResponder(options, kBound).status().details().at("field"), "handler");
  options = ServeOptions(nullptr);
  options.spec.reset();
  options.responder = "no.such.responder";
  EXPECT_EQ(client_.OpenResponder(options, kBound).status().reason(), "RESPONDER_NOT_FOUND");
}

TEST_F(ResponderTest, RespondersAreListedAndDescribed) {
  Responder responder = Serve(Echo);
  EXPECT_EQ(Call(), "OK: x");
  const auto listed = client_.ListResponders(Name(), kBound);
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->responders.size(), 1u);
  EXPECT_EQ(listed->responders[0].answered, 1u);
  EXPECT_EQ(ToString(listed->responders[0].state), "OPEN");
  const auto again = client_.DeclareResponder(Name(), {}, kBound);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->description.spec.capacity, 1024u);
}

}  // namespace
}  // namespace sluice::test
