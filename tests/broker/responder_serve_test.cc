// SPDX-License-Identifier: Apache-2.0
// Serving: whose turn it is, credit, what is released or lost, and answers out of order.
#include <gmock/gmock.h>

#include <list>

#include "tests/broker/responder_fixture.h"

namespace sluice::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ResponderServe : public ResponderFixture {};

// Clauses: N27
TEST_F(ResponderServe, X37_CallsGoInTurnToThoseThatHaveCredit) {
  const auto responder = Make();
  Serving one(*responder), two(*responder), paused(*responder, 0);
  Asking asking(*responder);
  for (std::uint64_t id = 1; id <= 6; ++id) asking.Ask(id, {}, std::to_string(id));
  EXPECT_THAT(one.Payloads(), ElementsAre("1", "3", "5"));
  EXPECT_THAT(two.Payloads(), ElementsAre("2", "4", "6"));
  EXPECT_THAT(paused.Payloads(), IsEmpty());
  EXPECT_EQ(paused.told->count, 0);
  EXPECT_EQ(Look(*responder).depth, 0u);
}

// Clauses: N27 N42
TEST_F(ResponderServe, X37_OneThatDoesNotReadLeavesTheRestToOthers) {
  const auto responder = Make();
  Serving stalled(*responder), reading(*responder, 1);
  Asking asking(*responder);
  asking.Ask(1);
  stalled.TakeOne();  // written, and the write does not end: it does not ask again
  for (std::uint64_t id = 2; id <= 9; ++id) {
    asking.Ask(id);
    EXPECT_EQ(reading.Reply(reading.TakeOne().call_id), Outcome::kOk);
    reading.Take();  // idle again
  }
  EXPECT_EQ(asking.Take().size(), 8u);
  EXPECT_EQ(Look(*responder).in_flight, 1u);
}

TEST_F(ResponderServe, ABusyWorkerTakesWhatCameMeanwhileTogether) {
  const auto responder = Make();
  Serving worker(*responder, 3);
  Asking asking(*responder);
  asking.Ask(1);
  worker.TakeOne();
  const int told = worker.told->count;
  for (std::uint64_t id = 2; id <= 5; ++id) asking.Ask(id);
  EXPECT_EQ(worker.told->count, told);  // it will ask when its write is done
  EXPECT_EQ(Look(*responder).depth, 4u);
  EXPECT_EQ(worker.Take().assignments.size(), 2u);
  EXPECT_THAT(worker.Take().assignments, IsEmpty());
  worker.Reply(1);
  EXPECT_GT(worker.told->count, told);
  EXPECT_EQ(worker.TakeOne().call_id, 4u);
}

// Clauses: N21
TEST_F(ResponderServe, CreditBoundsBytesButOnePasses) {
  const auto responder = Make();
  Serving worker(*responder, 64, 8);
  Asking asking(*responder);
  asking.Ask(1, {}, "far more than eight");
  asking.Ask(2, {}, "abcd");
  asking.Ask(3, {}, "x");  // it would fit; but it does not overtake
  EXPECT_THAT(worker.Payloads(), ElementsAre("far more than eight"));
  worker.Reply(1);
  EXPECT_THAT(worker.Payloads(), ElementsAre("abcd"));
  responder->SetCredit(worker.worker, {.messages = 64, .bytes = 0});
  EXPECT_THAT(worker.Payloads(), ElementsAre("x"));
}

TEST_F(ResponderServe, ANewCreditReplacesTheWindow) {
  const auto responder = Make();
  Serving worker(*responder, 2);
  Asking asking(*responder);
  for (std::uint64_t id = 1; id <= 4; ++id) asking.Ask(id);
  EXPECT_EQ(worker.Take().assignments.size(), 2u);
  responder->SetCredit(worker.worker, {.messages = 0, .bytes = 0});  // takes nothing back
  EXPECT_EQ(responder->HeldBy(worker.worker), 2u);
  worker.Reply(1);
  worker.Reply(2);
  EXPECT_THAT(worker.Take().assignments, IsEmpty());
  responder->SetCredit(worker.worker, {.messages = 1, .bytes = 0});
  EXPECT_EQ(worker.TakeOne().call_id, 3u);
}

TEST_F(ResponderServe, AFrameOfAssignmentsIsBounded) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  for (std::uint64_t id = 1; id <= 3; ++id) asking.Ask(id, {}, "0123456789");
  EXPECT_EQ(worker.Take(1).assignments.size(), 1u);
  EXPECT_EQ(worker.Take(24).assignments.size(), 2u);
}

// Clauses: N23
TEST_F(ResponderServe, AWorkerLostIsToldAtOnce) {
  const auto responder = Make();
  Serving worker(*responder, 1);
  Serving other(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1, {}, "in hand");
  asking.Ask(2, {}, "queued");
  worker.TakeOne();
  worker.Detach();
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.call_id, 1u);
  EXPECT_EQ(reply.outcome, Outcome::kResponderGone);
  EXPECT_TRUE(reply.handed_out);
  EXPECT_GT(asking.told->count, 0);
  EXPECT_EQ(Look(*responder).depth, 1u);
  EXPECT_EQ(Look(*responder).counts.responder_gone, 1u);
}

// Clauses: N23
TEST_F(ResponderServe, WhatWasNotFetchedGoesToAnotherUnharmed) {
  const auto responder = Make();
  auto lost = std::make_unique<Serving>(*responder);
  Asking asking(*responder);
  asking.Ask(1, Waiting(), "x");
  EXPECT_EQ(Look(*responder).in_flight, 1u);
  lost.reset();
  EXPECT_EQ(Look(*responder).depth, 1u);
  Serving worker(*responder);
  EXPECT_EQ(worker.TakeOne().attempts, 1u);
  EXPECT_EQ(Look(*responder).counts.redelivered, 0u);
  asking.Ask(2, {}, "hasty");  // assigned, not fetched, and then there is nobody
  worker.Reply(1);
  worker.Detach();
  const std::vector<CallReply> replies = asking.Take();
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[1].outcome, Outcome::kNoResponder);
  EXPECT_FALSE(replies[1].handed_out);
}

// Clauses: N23
TEST_F(ResponderServe, ARetriedCallGoesBackByItsPlace) {
  const auto responder = Make();
  Serving first(*responder, 2), second(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1, Retrying(), "one");
  asking.Ask(2, {}, "two");
  asking.Ask(3, {}, "three");
  EXPECT_THAT(first.Payloads(), ElementsAre("one", "two"));
  first.Detach();
  EXPECT_EQ(asking.Only().call_id, 2u);  // the one that is not to be retried
  responder->SetCredit(second.worker, {.messages = 9, .bytes = 0});
  const WorkerNews news = second.Take();
  ASSERT_EQ(news.assignments.size(), 2u);
  EXPECT_EQ(news.assignments[0].request.payload(), "one");
  EXPECT_EQ(news.assignments[0].attempts, 2u);
  EXPECT_EQ(news.assignments[1].request.payload(), "three");
  EXPECT_EQ(Look(*responder).counts.redelivered, 1u);
  EXPECT_EQ(second.Reply(1), Outcome::kOk);
  EXPECT_EQ(asking.Only().call_id, 1u);
}

// Clauses: N23 N26
TEST_F(ResponderServe, ARetryNeedsAnother) {
  const auto responder = Make();
  Asking asking(*responder);
  {
    Serving worker(*responder);
    asking.Ask(1, Retrying());
    worker.TakeOne();
  }
  const CallReply reply = asking.Only();  // it went back, and there was nobody
  EXPECT_EQ(reply.outcome, Outcome::kNoResponder);
  EXPECT_TRUE(reply.handed_out);
  Serving paused(*responder, 0);
  {
    Serving worker(*responder);
    asking.Ask(2, Retrying());
    worker.TakeOne();
  }
  EXPECT_TRUE(asking.Take().empty());
  paused.Detach();
  const CallReply alone = asking.Only();
  EXPECT_EQ(alone.outcome, Outcome::kNoResponder);
  EXPECT_TRUE(alone.handed_out);  // the first may have done it
}

// Clauses: N25
TEST_F(ResponderServe, AReleasedCallIsForAnother) {
  const auto responder = Make();
  Serving one(*responder, 1), two(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1, {}, "first");
  asking.Ask(2, {}, "second");
  EXPECT_THAT(one.Payloads(), ElementsAre("first"));
  EXPECT_EQ(one.Release(1), Outcome::kOk);
  EXPECT_EQ(one.Release(1), Outcome::kAlreadyDone);
  EXPECT_THAT(one.Payloads(), ElementsAre("second"));  // never again the first
  responder->SetCredit(two.worker, {.messages = 9, .bytes = 0});
  EXPECT_THAT(two.Payloads(), ElementsAre("first"));
  EXPECT_EQ(two.last.attempts, 2u);
  EXPECT_EQ(two.Release(two.last.call_id), Outcome::kOk);  // nobody is left for it
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.outcome, Outcome::kNoResponder);
  EXPECT_FALSE(reply.handed_out);  // it was not begun
}

// Clauses: N26
TEST_F(ResponderServe, AReleasedCallThatWaitsStaysQueued) {
  const auto responder = Make();
  Serving one(*responder);
  Asking asking(*responder);
  asking.Ask(1, Waiting(), "x");
  one.TakeOne();
  one.Release(1);
  EXPECT_TRUE(asking.Take().empty());
  EXPECT_THAT(one.Payloads(), IsEmpty());
  EXPECT_EQ(Look(*responder).depth, 1u);
  Serving two(*responder);
  EXPECT_THAT(two.Payloads(), ElementsAre("x"));
}

// Clauses: N25 N26
TEST_F(ResponderServe, ACallIsForNobodyWhoReleasedItHoweverManyCameAndWent) {
  const auto responder = Make();
  Asking asking(*responder);
  asking.Ask(1, Waiting(), "x");
  Serving stays(*responder);
  stays.TakeOne();
  stays.Release(1);
  for (int i = 0; i < 20; ++i) {
    Serving passes(*responder);
    EXPECT_THAT(passes.Payloads(), ElementsAre("x"));
    EXPECT_EQ(passes.Release(1), Outcome::kOk);
    EXPECT_THAT(passes.Payloads(), IsEmpty());
  }
  EXPECT_THAT(stays.Payloads(), IsEmpty());
  std::list<Serving> many;
  for (int i = 0; i < 20; ++i) {
    many.emplace_back(*responder);
    EXPECT_THAT(many.back().Payloads(), ElementsAre("x"));
    EXPECT_EQ(many.back().Release(1), Outcome::kOk);
  }
  for (Serving& one : many) EXPECT_THAT(one.Payloads(), IsEmpty());
  Serving last(*responder);
  EXPECT_THAT(last.Payloads(), ElementsAre("x"));
  EXPECT_EQ(last.Reply(1), Outcome::kOk);
  EXPECT_EQ(asking.Only().outcome, Outcome::kOk);
}

// Clauses: N26
TEST_F(ResponderServe, AReleasedCallEndsWhenTheOthersLeave) {
  const auto responder = Make();
  Serving one(*responder), two(*responder, 0), three(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1);
  one.TakeOne();
  one.Release(1);
  two.Detach();
  EXPECT_TRUE(asking.Take().empty());
  responder->Finish(three.worker);
  EXPECT_EQ(asking.Only().outcome, Outcome::kNoResponder);
  EXPECT_EQ(asking.Ask(2), Outcome::kUnspecified);  // the one that released serves still
}

// Clauses: N25
TEST_F(ResponderServe, X34_ASecondReplyAndAnInventedOne) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1);
  const std::uint64_t id = worker.TakeOne().call_id;
  EXPECT_EQ(worker.Reply(id), Outcome::kOk);
  EXPECT_EQ(worker.Reply(id), Outcome::kAlreadyDone);
  EXPECT_EQ(worker.Fail(id), Outcome::kAlreadyDone);
  EXPECT_EQ(worker.Reply(id + 1), Outcome::kUnknownCall);
  EXPECT_EQ(worker.Reply(0), Outcome::kUnknownCall);
  EXPECT_EQ(asking.Only().outcome, Outcome::kOk);
  asking.Ask(2);
  EXPECT_EQ(worker.Reply(worker.TakeOne().call_id), Outcome::kOk);
  EXPECT_EQ(Look(*responder).counts.answered, 2u);
}

// Clauses: N25
TEST_F(ResponderServe, AFailureIsTheWorkersAnswer) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1);
  EXPECT_EQ(worker.Fail(worker.TakeOne().call_id), Outcome::kOk);
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.outcome, Outcome::kFailed);
  EXPECT_EQ(reply.failure.code, "code");
  EXPECT_EQ(reply.failure.text, "text");
  EXPECT_TRUE(reply.handed_out);
  const ResponderView view = responder->Look(0, 10);
  ASSERT_EQ(view.workers.size(), 1u);
  EXPECT_EQ(view.workers[0].answered, 1u);
  EXPECT_EQ(view.stats.counts.failed, 1u);
}

// Clauses: N23
TEST_F(ResponderServe, AfterFinishWhatIsHeldMayBeAnswered) {
  const auto responder = Make();
  Serving worker(*responder), other(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1, {}, "held");
  asking.Ask(2, {}, "held, and released at the end");
  EXPECT_EQ(worker.Take().assignments.size(), 2u);
  worker.Take();
  asking.Ask(3, {}, "not fetched");
  EXPECT_EQ(Look(*responder).in_flight, 3u);
  responder->Finish(worker.worker);
  EXPECT_EQ(Look(*responder).depth, 1u);
  EXPECT_THAT(worker.Payloads(), IsEmpty());
  EXPECT_EQ(worker.Reply(1), Outcome::kOk);
  EXPECT_EQ(responder->HeldBy(worker.worker), 1u);
  worker.Detach(Leaving::kFinished);
  EXPECT_EQ(asking.Only().call_id, 1u);
  responder->SetCredit(other.worker, {.messages = 9, .bytes = 0});
  EXPECT_THAT(other.Payloads(), ElementsAre("held, and released at the end", "not fetched"));
}

// Clauses: N43 N18
TEST_F(ResponderServe, WorkersAreShownByAge) {
  const auto responder = Make();
  Serving one(*responder), two(*responder, 5), three(*responder);
  EXPECT_LT(one.attachment.fence, two.attachment.fence);
  EXPECT_GE(one.attachment.fence, 1'700'000'000'000'000u);  // over restarts, too
  Asking asking(*responder);
  asking.Ask(1);
  ResponderView view = responder->Look(0, 2);
  ASSERT_EQ(view.workers.size(), 2u);
  EXPECT_EQ(view.stats.workers, 3u);
  EXPECT_EQ(view.workers[0].fence, one.attachment.fence);
  EXPECT_EQ(view.workers[0].held, 1u);
  EXPECT_EQ(view.workers[1].credit.messages, 5u);
  responder->SetCredit(three.worker, {.messages = kWorkerHoldsMax + 1, .bytes = 0});
  responder->Finish(three.worker);
  view = responder->Look(view.workers[1].fence, 2);
  ASSERT_EQ(view.workers.size(), 1u);
  EXPECT_TRUE(view.workers[0].is_finishing);
  EXPECT_EQ(view.workers[0].credit.messages, kWorkerHoldsMax);
}

}  // namespace
}  // namespace sluice::broker
