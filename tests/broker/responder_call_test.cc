// SPDX-License-Identifier: Apache-2.0
// Asking: what is refused at once, what waits, who gets which outcome, and giving up.
#include <gmock/gmock.h>

#include "tests/broker/responder_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class ResponderCall : public ResponderFixture {};

// Clauses: N22 N25
TEST_F(ResponderCall, X30_TheReplyIsTheCallersOwn) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking one(*responder), two(*responder);
  ASSERT_EQ(one.Ask(1, {}, "one"), Outcome::kUnspecified);
  ASSERT_EQ(two.Ask(1, {}, "two"), Outcome::kUnspecified);
  EXPECT_EQ(Look(*responder).in_flight, 2u);
  EXPECT_GT(worker.told->count, 0);
  EXPECT_THAT(worker.Payloads(), ElementsAre("one", "two"));
  EXPECT_TRUE(one.Take().empty());
  EXPECT_EQ(worker.Reply(2, "to two"), Outcome::kOk);
  EXPECT_EQ(one.told->count, 0);
  EXPECT_GT(two.told->count, 0);
  EXPECT_EQ(worker.Reply(1, "to one"), Outcome::kOk);
  for (auto [asking, expected] : {std::pair(&one, "to one"), std::pair(&two, "to two")}) {
    const CallReply reply = asking->Only();
    EXPECT_EQ(reply.outcome, Outcome::kOk);
    EXPECT_EQ(reply.message.payload(), expected);
    EXPECT_TRUE(reply.is_last);
    EXPECT_TRUE(reply.handed_out);
  }
  const ResponderStats stats = Look(*responder);
  EXPECT_EQ(stats.counts.answered, 2u);
  EXPECT_EQ(stats.retained_bytes, 0u);
}

// Clauses: N26
TEST_F(ResponderCall, WithoutAWorkerItFailsAtOnce) {
  const auto responder = Make();
  Asking asking(*responder);
  EXPECT_EQ(asking.Ask(1), Outcome::kNoResponder);
  Serving worker(*responder, 0);  // pauses, and serves all the same
  EXPECT_EQ(asking.Ask(1), Outcome::kUnspecified);
  responder->Finish(worker.worker);
  EXPECT_EQ(asking.Only().outcome, Outcome::kNoResponder);
  EXPECT_EQ(asking.Ask(1), Outcome::kNoResponder);
  const ResponderStats stats = Look(*responder);
  EXPECT_EQ(stats.counts.refused_no_responder, 2u);
  EXPECT_EQ(stats.counts.no_responder, 1u);
  EXPECT_EQ(stats.counts.accepted, 1u);
}

// Clauses: N26
TEST_F(ResponderCall, TheLastWorkerLeavesWhileCallsAreQueued) {
  const auto responder = Make();
  Serving first(*responder, 0), second(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1, {}, "hasty");
  asking.Ask(2, Waiting(), "patient");
  first.Detach();
  EXPECT_TRUE(asking.Take().empty());
  second.Detach();
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.call_id, 1u);
  EXPECT_EQ(reply.outcome, Outcome::kNoResponder);
  EXPECT_FALSE(reply.handed_out);
  EXPECT_EQ(Look(*responder).depth, 1u);
  Serving third(*responder);
  EXPECT_THAT(third.Payloads(), ElementsAre("patient"));
}

// Clauses: N26 N24
TEST_F(ResponderCall, X33_WhoGaveUpIsSkipped) {
  const auto responder = Make();
  Asking a(*responder), b(*responder);
  a.Ask(1, Within(200ms), "A");
  b.Ask(1, Within(60s), "B");
  Pass(200ms);
  EXPECT_EQ(a.Only().outcome, Outcome::kTimedOut);
  Serving worker(*responder);
  EXPECT_THAT(worker.Payloads(), ElementsAre("B"));
  EXPECT_EQ(worker.last.deadline - clock.Now(), 60s - 200ms);
  EXPECT_EQ(Look(*responder).counts.timed_out, 1u);
}

TEST_F(ResponderCall, WhatIsOverIsNotHandedOutThoughItsTimerIsLate) {
  const auto responder = Make();
  Asking asking(*responder);
  asking.Ask(1, Within(10ms), "over");
  asking.Ask(2, Waiting(), "good");
  clock.Advance(10ms);
  Serving worker(*responder);
  EXPECT_THAT(worker.Payloads(), ElementsAre("good"));
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.outcome, Outcome::kTimedOut);
  EXPECT_FALSE(reply.handed_out);
}

// Clauses: N22 N24
TEST_F(ResponderCall, TimeIsOverInTheWorkersHand) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1, Within(10ms));
  const std::uint64_t id = worker.TakeOne().call_id;
  Pass(9ms);
  EXPECT_TRUE(asking.Take().empty());
  Pass(1ms);
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.outcome, Outcome::kTimedOut);
  EXPECT_TRUE(reply.handed_out);
  EXPECT_THAT(worker.Take().cancelled, ElementsAre(id));
  EXPECT_THAT(worker.Take().cancelled, ElementsAre());  // each at most once
  EXPECT_EQ(worker.Reply(id), Outcome::kClosed);
  EXPECT_EQ(worker.Reply(id), Outcome::kAlreadyDone);
  const ResponderStats stats = Look(*responder);
  EXPECT_EQ(stats.counts.late_replies, 1u);
  EXPECT_EQ(stats.counts.answered, 0u);
}

// Clauses: N26 N14
TEST_F(ResponderCall, FullIsToldAtOnce) {
  const auto responder = Make({.capacity = 2});
  Asking asking(*responder);
  asking.Ask(1, Waiting());
  asking.Ask(2, Waiting());
  EXPECT_EQ(asking.Ask(3, Waiting()), Outcome::kFull);
  asking.responder.Cancel(asking.caller, 1, GivingUp::kCancelled);  // its place is free at once
  EXPECT_EQ(asking.Ask(4, Waiting()), Outcome::kUnspecified);
  Serving worker(*responder, 1);
  EXPECT_EQ(asking.Ask(5), Outcome::kUnspecified);  // what is in flight takes no place
  EXPECT_EQ(asking.Ask(6), Outcome::kFull);
  const ResponderStats stats = Look(*responder);
  EXPECT_EQ(stats.depth, 2u);
  EXPECT_EQ(stats.in_flight, 1u);
  EXPECT_EQ(stats.counts.refused_full, 2u);
}

// Clauses: N14
TEST_F(ResponderCall, BytesAreBounded) {
  const auto responder = Make({.bytes_max = 1'024});
  EXPECT_EQ(responder->spec().message_bytes_max, 1'024u - 64);
  Asking asking(*responder);
  const std::string payload(100, 'x');
  std::uint64_t id = 0;
  while (asking.Ask(++id, Waiting(), payload) == Outcome::kUnspecified) {
  }
  const std::uint64_t each = Encoded(payload).size() + kMessageOverheadBytes;
  EXPECT_EQ(id - 1, 1'024 / each);
  EXPECT_EQ(Look(*responder).retained_bytes, (id - 1) * each);
  Serving worker(*responder);
  worker.Take();
  EXPECT_EQ(asking.Ask(99, {}, payload), Outcome::kFull);  // in flight it is retained, too
  worker.Reply(1, payload);
  EXPECT_EQ(asking.Ask(99, {}, payload), Outcome::kFull);  // and so is a reply, until taken
  asking.Take();
  EXPECT_EQ(asking.Ask(99, {}, payload), Outcome::kUnspecified);
  asking.Leave();
  EXPECT_EQ(Look(*responder).retained_bytes, 0u);
}

// Clauses: N24
TEST_F(ResponderCall, ACallerThatGoesIsToldToTheWorker) {
  const auto responder = Make();
  Serving worker(*responder, 2);
  Asking asking(*responder);
  for (std::uint64_t id : {1, 2, 3}) asking.Ask(id, {}, std::to_string(id));
  EXPECT_THAT(worker.Payloads(), ElementsAre("1", "2"));
  const int told = worker.told->count;
  asking.Leave();
  EXPECT_GT(worker.told->count, told);
  const ResponderStats stats = Look(*responder);
  EXPECT_EQ(stats.counts.cancelled, 3u);
  EXPECT_EQ(stats.in_flight + stats.depth + stats.retained_bytes, 0u);
  WorkerNews news = worker.Take();
  EXPECT_THAT(news.cancelled, ::testing::UnorderedElementsAre(1u, 2u));
  // They hold credit until they are answered; a release is good enough.
  Asking other(*responder);
  other.Ask(1);
  EXPECT_TRUE(worker.Take().assignments.empty());
  EXPECT_EQ(worker.Release(1), Outcome::kClosed);
  EXPECT_EQ(worker.TakeOne().call_id, 3u);
  EXPECT_EQ(Look(*responder).counts.late_replies, 0u);
  EXPECT_EQ(worker.Part(2), Outcome::kClosed);  // it ends the assignment, the last or not
  EXPECT_EQ(worker.End(2), Outcome::kAlreadyDone);
  EXPECT_EQ(Look(*responder).counts.late_replies, 1u);
}

// Clauses: N25 O4
TEST_F(ResponderCall, X35_WhoeverIsFirstDecides) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1);
  EXPECT_EQ(worker.Reply(worker.TakeOne().call_id), Outcome::kOk);
  asking.responder.Cancel(asking.caller, 1, GivingUp::kCancelled);
  EXPECT_TRUE(asking.Take().empty());
  EXPECT_EQ(Look(*responder).counts.answered, 1u);
  asking.Ask(2);
  const std::uint64_t id = worker.TakeOne().call_id;
  asking.responder.Cancel(asking.caller, 2, GivingUp::kTimedOut);
  EXPECT_EQ(worker.Reply(id), Outcome::kClosed);
  EXPECT_TRUE(asking.Take().empty());
  EXPECT_EQ(Look(*responder).counts.timed_out, 1u);
}

TEST_F(ResponderCall, WhatWasNotFetchedIsTakenBackInSilence) {
  const auto responder = Make();
  Serving worker(*responder, 1);
  Asking asking(*responder);
  asking.Ask(1, {}, "one");
  asking.Ask(2, {}, "two");
  asking.responder.Cancel(asking.caller, 1, GivingUp::kCancelled);
  EXPECT_EQ(Look(*responder).depth, 0u);  // its credit is the next one's at once
  const WorkerNews news = worker.Take();
  EXPECT_TRUE(news.cancelled.empty());
  ASSERT_EQ(news.assignments.size(), 1u);
  EXPECT_EQ(news.assignments[0].request.payload(), "two");
  EXPECT_EQ(news.assignments[0].call_id, 1u);
}

TEST_F(ResponderCall, RepliesAreTakenWithinBounds) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  for (std::uint64_t id = 1; id <= 4; ++id) asking.Ask(id);
  for (const Assignment& one : worker.Take().assignments) worker.Reply(one.call_id, "0123456789");
  EXPECT_EQ(asking.Take(3).size(), 3u);
  EXPECT_EQ(asking.Take(1'000, 1).size(), 1u);  // one passes whatever its size
  EXPECT_TRUE(asking.Take().empty());
}

TEST_F(ResponderCall, SpecsAreFilledInAndCompared) {
  const ResponderSpec spec = Make()->spec();
  EXPECT_EQ(spec.capacity, limits.capacity);
  EXPECT_EQ(spec.bytes_max, limits.bytes_max);
  EXPECT_EQ(spec.message_bytes_max, limits.message_bytes_max);
  EXPECT_FALSE(FirstDifference(spec, spec).has_value());
  ResponderSpec other = spec;
  other.message_bytes_max = 5;
  EXPECT_EQ(FirstDifference(spec, other)->field, "spec.message_bytes_max");
  other.capacity = 5;
  EXPECT_EQ(FirstDifference(spec, other)->field, "spec.capacity");
  EXPECT_FALSE(Effective(ResponderSpec{.capacity = kCapacityMax + 1}, limits).ok());
  EXPECT_FALSE(Effective(ResponderSpec{.bytes_max = kBytesMaxLeast - 1}, limits).ok());
  EXPECT_FALSE(
      Effective(ResponderSpec{.message_bytes_max = limits.message_bytes_max + 1}, limits).ok());
}

}  // namespace
}  // namespace sluice::broker
