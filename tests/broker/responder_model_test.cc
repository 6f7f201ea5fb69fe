// SPDX-License-Identifier: Apache-2.0
// Random operations on small responders: every call gets exactly the one outcome that it must, when
// it must; nothing is with two workers; nobody waits for what is there; and the sum is exact.
#include <algorithm>

#include "tests/broker/responder_model.h"
#include "tests/support/seed.h"

namespace sluice::broker {

void ResponderModel::SeeReply(std::size_t caller, const CallReply& reply) {
  ASSERT_EQ(calls.count(reply.call_id), 1u);
  Call& call = calls[reply.call_id];
  EXPECT_EQ(call.caller, caller);
  EXPECT_FALSE(call.is_over);
  if (!reply.is_last) {
    EXPECT_TRUE(call.options.wants_parts);
    EXPECT_EQ(reply.outcome, Outcome::kOk);
    return;
  }
  call.is_over = true;
  ++counts[reply.outcome];
  EXPECT_EQ(reply.handed_out, call.may_be_done || call.holder != 0);
  const auto expected = due.find(reply.call_id);
  if (expected != due.end()) {
    EXPECT_EQ(reply.outcome, expected->second);
    due.erase(expected);
  } else if (reply.outcome == Outcome::kClosed) {
    EXPECT_TRUE(is_closed && call.holder == 0);
  } else {
    EXPECT_EQ(reply.outcome, Outcome::kNoResponder);
    EXPECT_TRUE(!call.options.wait_for_responder && call.holder == 0 && !HasOther(call));
  }
  for (Worker& worker : workers) {
    for (const auto& [id, number] : worker.held) {
      if (number == reply.call_id) worker.cancelled.insert(id);
    }
  }
}

void ResponderModel::Drain() {
  for (std::size_t i = 0; i < callers.size(); ++i) {
    for (const CallReply& reply : callers[i]->Take()) SeeReply(i, reply);
  }
  EXPECT_TRUE(due.empty());
}

// G8: whoever asked and found nothing is told when there is something for it.
void ResponderModel::ExpectNobodyForgotten(const ResponderStats& stats) {
  for (const auto& [number, call] : calls) {
    const bool is_lost = !call.is_over && call.holder == 0 && !call.options.wait_for_responder;
    EXPECT_TRUE(!is_lost || HasOther(call));
  }
  for (const Worker& worker : workers) {
    if (worker.serving == nullptr || worker.is_finishing || !worker.wants) continue;
    if (worker.held.size() >= worker.credit || stats.depth == 0) continue;
    const bool is_told = worker.serving->told->count > worker.told_before;
    const bool excludes = std::any_of(calls.begin(), calls.end(), [&](const auto& entry) {
      return !entry.second.is_over && entry.second.excluded.count(worker.fence()) > 0;
    });
    EXPECT_TRUE(is_told || excludes);
  }
}

void ResponderModel::ExpectAgrees() {
  const ResponderStats stats = Look(*responder);
  std::uint64_t open = 0, held = 0;
  for (const auto& [number, call] : calls) {
    open += !call.is_over;
    held += !call.is_over && call.holder != 0;
  }
  EXPECT_EQ(stats.counts.accepted, calls.size());
  EXPECT_EQ(stats.depth + stats.in_flight, open);
  EXPECT_GE(stats.in_flight, held);
  EXPECT_EQ(stats.counts.cancelled, cancelled);
  EXPECT_EQ(stats.counts.late_replies, late);
  EXPECT_EQ(stats.counts.redelivered, redelivered);
  EXPECT_EQ(stats.counts.answered, counts[Outcome::kOk]);
  EXPECT_EQ(stats.counts.failed, counts[Outcome::kFailed]);
  EXPECT_EQ(stats.counts.responder_gone, counts[Outcome::kResponderGone]);
  EXPECT_EQ(stats.counts.no_responder, counts[Outcome::kNoResponder]);
  EXPECT_EQ(stats.counts.too_large, counts[Outcome::kReplyTooLarge]);
  EXPECT_EQ(stats.counts.timed_out, counts[Outcome::kTimedOut]);
  EXPECT_EQ(stats.counts.closed, counts[Outcome::kClosed]);
  EXPECT_EQ(responder->has_ended(), is_closed && open == 0);
  if (open == 0) {
    EXPECT_EQ(stats.retained_bytes, 0u);
  }
  ExpectNobodyForgotten(stats);
}

void ResponderModel::Step() {
  const std::uint32_t choice = Pick(100);
  if (choice < 25) {
    AskSome();
  } else if (choice < 45) {
    TakeSome();
  } else if (choice < 70) {
    ReplySome();
  } else if (choice < 78) {
    AttachSome();
  } else if (choice < 84) {
    LeaveSome();
  } else if (choice < 89) {
    CancelSome();
  } else if (choice < 94) {
    AllowSome();
  } else {
    LifeSome();
  }
  Drain();
  ExpectAgrees();
}

void ResponderModel::End() {
  for (Worker& worker : workers) worker.serving.reset();
  for (auto& caller : callers) caller->Leave();
  const ResponderStats stats = Look(*responder);
  EXPECT_EQ(stats.depth + stats.in_flight + stats.retained_bytes, 0u);
  EXPECT_EQ(stats.workers, 0u);
  for (auto& caller : callers) caller.reset();
}

void ResponderModel::Run(std::uint64_t seed) {
  random.seed(seed);
  Begin();
  for (int step = 0; step < 300 && !is_deleted && !HasFailure(); ++step) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " step " + std::to_string(step));
    Step();
  }
  End();
}

namespace {

class ResponderModelOf : public ResponderModel {
 public:
  void TestBody() override {}
  using ResponderModel::Run;
};

// Clauses: N4 N14 N22 N23 N24 N25 N26 N27 G2 G3 G8 O4 O5
TEST(ResponderConservation, RandomOperationsAgreeWithTheModel) {
#if defined(__SANITIZE_THREAD__)
  constexpr std::uint64_t kRuns = 500;
#else
  constexpr std::uint64_t kRuns = 1'500;
#endif
  const std::uint64_t seed = testing::Seed("ResponderConservation");
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    ResponderModelOf one;
    one.Run(seed + run);
    if (::testing::Test::HasFailure()) {
      FAIL() << "SLUICE_SEED=" << seed + run << " begins with the failing run";
    }
  }
}

}  // namespace
}  // namespace sluice::broker
