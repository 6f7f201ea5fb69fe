// SPDX-License-Identifier: Apache-2.0
// How a responder closes, is deleted, goes down with the broker; and its place among the names.
#include <gmock/gmock.h>

#include "broker/broker.h"
#include "tests/broker/responder_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class ResponderLife : public ResponderFixture {};

// Clauses: N4
TEST_F(ResponderLife, X36_CloseEndsTheQueueAndLetsTheRestBeAnswered) {
  const auto responder = Make();
  Serving worker(*responder, 1);
  Asking asking(*responder);
  for (std::uint64_t id = 1; id <= 4; ++id) asking.Ask(id);
  worker.TakeOne();
  responder->Close(ClosedReason::kRequested);
  const std::vector<CallReply> ended = asking.Take();
  ASSERT_EQ(ended.size(), 3u);
  for (const CallReply& reply : ended) {
    EXPECT_EQ(reply.outcome, Outcome::kClosed);
    EXPECT_EQ(reply.reason, ClosedReason::kRequested);
    EXPECT_FALSE(reply.handed_out);
  }
  EXPECT_EQ(asking.Ask(9), Outcome::kClosed);
  EXPECT_EQ(asking.reason, ClosedReason::kRequested);
  EXPECT_EQ(Look(*responder).state, ResponderState::kClosed);
  EXPECT_FALSE(responder->has_ended());
  EXPECT_EQ(worker.Take().ended, ClosedReason::kUnspecified);
  responder->Close(ClosedReason::kRequested);  // changes nothing
  const int told = worker.told->count;
  EXPECT_EQ(worker.Reply(1), Outcome::kOk);
  EXPECT_EQ(asking.Only().outcome, Outcome::kOk);
  EXPECT_TRUE(responder->has_ended());
  EXPECT_GT(worker.told->count, told);
  EXPECT_EQ(worker.Take().ended, ClosedReason::kRequested);
  const ResponderStats stats = Look(*responder);
  EXPECT_EQ(stats.state, ResponderState::kEnded);
  EXPECT_EQ(stats.counts.closed, 3u);
  EXPECT_EQ(stats.counts.refused_closed, 1u);
}

// Clauses: N4
TEST_F(ResponderLife, AfterCloseNothingIsHandedToAnother) {
  const auto responder = Make();
  Serving one(*responder, 1), two(*responder, 1), idle(*responder, 0);
  Asking asking(*responder);
  asking.Ask(1, Retrying());
  asking.Ask(2, Waiting());
  one.TakeOne();
  two.TakeOne();
  responder->Close(ClosedReason::kRequested);
  two.Release(1);
  const CallReply released = asking.Only();
  EXPECT_EQ(released.outcome, Outcome::kClosed);
  EXPECT_FALSE(released.handed_out);
  one.Detach();
  const CallReply lost = asking.Only();
  EXPECT_EQ(lost.outcome, Outcome::kClosed);
  EXPECT_TRUE(lost.handed_out);
  EXPECT_EQ(idle.Take().ended, ClosedReason::kRequested);
}

// Clauses: N4
TEST_F(ResponderLife, ACancelledCallHoldsNoClosedResponderOpen) {
  const auto responder = Make();
  Serving worker(*responder);
  Asking asking(*responder);
  asking.Ask(1);
  worker.TakeOne();
  responder->Close(ClosedReason::kRequested);
  EXPECT_FALSE(responder->has_ended());
  asking.Leave();
  EXPECT_TRUE(responder->has_ended());
  EXPECT_EQ(worker.Take().ended, ClosedReason::kRequested);
}

// Clauses: N4
TEST_F(ResponderLife, DeleteEndsAllAtOnce) {
  const auto responder = Make();
  Serving worker(*responder, 2);
  Asking asking(*responder);
  for (std::uint64_t id = 1; id <= 3; ++id) asking.Ask(id);
  EXPECT_EQ(worker.Take().assignments.size(), 2u);
  EXPECT_EQ(responder->Delete(ClosedReason::kDeleted), 3u);
  EXPECT_TRUE(responder->is_deleted());
  EXPECT_TRUE(responder->has_ended());
  int handed_out = 0;
  for (const CallReply& reply : asking.Take()) {
    EXPECT_EQ(reply.outcome, Outcome::kClosed);
    EXPECT_EQ(reply.reason, ClosedReason::kDeleted);
    handed_out += reply.handed_out;
  }
  EXPECT_EQ(handed_out, 2);
  const WorkerNews news = worker.Take();
  EXPECT_EQ(news.ended, ClosedReason::kDeleted);
  EXPECT_TRUE(news.empty());
  EXPECT_EQ(worker.Reply(1), Outcome::kClosed);
  EXPECT_EQ(responder->Delete(ClosedReason::kDeleted), 0u);
  Serving late(*responder);
  EXPECT_EQ(late.attachment.ended, ClosedReason::kDeleted);
  EXPECT_EQ(late.attachment.fence, 0u);
  EXPECT_EQ(Look(*responder).counts.closed, 3u);
  EXPECT_EQ(Look(*responder).retained_bytes, 0u);
}

// Clauses: N41
TEST_F(ResponderLife, TheBrokerGoesDown) {
  Broker broker({}, clock);
  const auto responder = broker.responders().Declare("r", {})->channel;
  const auto idle = broker.responders().Declare("idle", {})->channel;
  Serving worker(*responder, 1), idler(*idle);
  Asking asking(*responder);
  asking.Ask(1);
  asking.Ask(2);
  worker.TakeOne();
  Broker::Totals totals = broker.totals();
  EXPECT_EQ(totals.responders, 2u);
  EXPECT_EQ(totals.workers, 2u);
  EXPECT_EQ(totals.queued_calls, 1u);
  EXPECT_EQ(totals.calls_in_flight, 1u);
  EXPECT_GT(totals.retained_bytes, 0u);
  responder->Close(ClosedReason::kRequested);
  broker.StartDrain();
  EXPECT_EQ(idler.Take().ended, ClosedReason::kShuttingDown);
  EXPECT_EQ(asking.Only().call_id, 2u);
  EXPECT_FALSE(broker.is_drained());
  EXPECT_TRUE(broker.FinishDrain().empty());  // a call that ended is told, not lost
  const CallReply reply = asking.Only();
  EXPECT_EQ(reply.outcome, Outcome::kClosed);
  EXPECT_EQ(reply.reason, ClosedReason::kShuttingDown);
  EXPECT_TRUE(reply.handed_out);
  EXPECT_EQ(worker.Take().ended, ClosedReason::kShuttingDown);
  EXPECT_TRUE(broker.is_drained());
  totals = broker.totals();
  EXPECT_EQ(totals.queued_calls + totals.calls_in_flight, 0u);
}

// Clauses: N5 N6 N43
TEST_F(ResponderLife, NamesAndEpochs) {
  Broker broker({}, clock);
  const auto declared = broker.responders().Declare("r", {.capacity = 5});
  ASSERT_TRUE(declared.ok());
  EXPECT_TRUE(declared->created);
  EXPECT_FALSE(broker.responders().Declare("r", {.capacity = 5})->created);
  const auto otherwise = broker.responders().Declare("r", {});
  ASSERT_FALSE(otherwise.ok());
  EXPECT_EQ(otherwise.error().reason(), "DECLARED_OTHERWISE");
  EXPECT_TRUE(broker.queues().Declare("r", {}).ok());  // a name space of its own
  EXPECT_EQ(broker.responders().LookUp("s").error().reason(), "RESPONDER_NOT_FOUND");
  declared->channel->Close(ClosedReason::kRequested);
  EXPECT_EQ(declared->channel->Describe().state, ResponderState::kEnded);
  EXPECT_TRUE(broker.responders().LookUp("r").ok());
  const auto again = broker.responders().Declare("r", {});
  EXPECT_TRUE(again->created);
  EXPECT_NE(again->channel->epoch(), declared->channel->epoch());
  EXPECT_EQ(*broker.responders().Delete("r"), 0u);
  EXPECT_FALSE(broker.responders().LookUp("r").ok());
}

TEST_F(ResponderLife, TimersRunTheNearestDeadline) {
  const auto responder = Make();
  Asking asking(*responder);
  asking.Ask(1, Within(50ms));
  asking.Ask(2, Within(10ms));
  EXPECT_EQ(timers.next(), clock.Now() + 10ms);
  Pass(10ms);
  EXPECT_EQ(asking.Only().call_id, 2u);
  EXPECT_EQ(timers.next(), clock.Now() + 40ms);
  Pass(40ms);
  EXPECT_EQ(asking.Only().call_id, 1u);
  EXPECT_EQ(timers.next(), kNever);
}

}  // namespace
}  // namespace sluice::broker
