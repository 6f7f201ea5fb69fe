// SPDX-License-Identifier: Apache-2.0
// Callers and workers on threads of their own: every call gets one outcome, whatever races, and the
// sum is exact at every look.
#include <atomic>
#include <thread>

#include "base/mutex.h"
#include "tests/broker/responder_fixture.h"

namespace sluice::broker {
namespace {

constexpr int kCallers = 3;
constexpr int kWorkers = 3;
constexpr std::uint64_t kCallsEach = 2'000;

// Wakes a thread that waits for it.
class Doorbell final : public Notifier {
 public:
  void Notify() noexcept override {
    MutexLock lock(mutex_);
    has_rung_ = true;
    rung_.NotifyAll();
  }
  void Wait() {
    MutexLock lock(mutex_);
    while (!has_rung_) rung_.Wait(mutex_);
    has_rung_ = false;
  }

 private:
  Mutex mutex_;
  CondVar rung_;
  bool has_rung_ = false;
};

class ResponderThreads : public ResponderFixture {
 protected:
  // Keeps a window of calls open; cancels some. `outcomes` counts what was told, by outcome.
  void Ask(Responder& responder, std::array<std::uint64_t, 32>& outcomes) {
    const auto bell = std::make_shared<Doorbell>();
    Caller caller(bell);
    CallOptions options = Waiting();
    options.retry_on_loss = true;
    std::uint64_t next = 1, open = 0;
    while (next <= kCallsEach || open > 0) {
      for (; next <= kCallsEach && open < 16; ++next) {
        options.wants_parts = next % 7 == 0;
        auto refused = responder.Ask(caller, next, Encoded(std::to_string(next)), options);
        if (refused.has_value()) break;
        ++open;
        if (next % 11 != 0) continue;
        responder.Cancel(caller, next, GivingUp::kCancelled);
        --open;
      }
      CallReplies out;
      responder.TakeReplies(caller, 100, 100'000, out);
      if (out.replies.empty() && open > 0) bell->Wait();
      for (const CallReply& reply : out.replies) {
        if (!reply.is_last) continue;
        ++outcomes[static_cast<std::size_t>(reply.outcome)];
        --open;
        if (reply.outcome == Outcome::kOk && reply.message) {
          EXPECT_EQ(reply.message.payload(), std::to_string(reply.call_id));
        }
      }
    }
    responder.Leave(caller, GivingUp::kCancelled);
  }

  // Serves until the end; now and then releases, or leaves and comes again. A call is released by
  // all but one at most: whom everybody has released waits for somebody new, and nobody would come.
  static void Serve(Responder& responder, int which) {
    for (int life = 0;; ++life) {
      const auto bell = std::make_shared<Doorbell>();
      ResponderWorker worker;
      WorkerOptions options;
      options.credit.messages = 5;
      if (responder.Attach(worker, options, bell).fence == 0) return;
      WorkerNews news;
      std::vector<ReplyResult> results;
      for (int round = which; round < 200 + life; ++round) {
        responder.Take(worker, kDeliveryBytesMax, false, news);
        if (news.ended != ClosedReason::kUnspecified) break;
        if (news.empty()) bell->Wait();
        std::vector<WorkerReply> replies;
        for (const Assignment& one : news.assignments) {
          WorkerReply& reply = replies.emplace_back();
          reply.call_id = one.call_id;
          const bool is_release = round % 3 == 0 && one.attempts < kWorkers;
          reply.kind = is_release ? ReplyKind::kRelease : ReplyKind::kMessage;
          reply.message = Encoded(one.request.payload());
          reply.is_last = true;
        }
        results.clear();
        responder.Reply(worker, replies, results);
        for (const ReplyResult& result : results) {
          EXPECT_TRUE(result.outcome == Outcome::kOk || result.outcome == Outcome::kClosed);
        }
      }
      responder.Detach(worker, Leaving::kLost);
      if (news.ended != ClosedReason::kUnspecified) return;
    }
  }
};

// Clauses: G5 G8 G13 N22 N23 N24 N25 O4
TEST_F(ResponderThreads, EveryCallHasOneOutcomeAndTheSumIsExact) {
  const auto responder = Make({.capacity = 24});
  std::vector<std::array<std::uint64_t, 32>> outcomes(kCallers);
  std::vector<std::thread> callers, workers;
  for (int i = 0; i < kWorkers; ++i) workers.emplace_back([&, i] { Serve(*responder, i); });
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] { Ask(*responder, outcomes[static_cast<std::size_t>(i)]); });
  }
  std::atomic<bool> is_over = false;
  std::thread observer([&] {
    while (!is_over) {
      Look(*responder);
      responder->Look(0, 10);
      timers.RunDue(clock.Now());
    }
  });
  for (std::thread& thread : callers) thread.join();
  responder->Close(ClosedReason::kRequested);
  for (std::thread& thread : workers) thread.join();
  is_over = true;
  observer.join();

  std::uint64_t answered = 0, told = 0;
  for (const auto& counts : outcomes) {
    answered += counts[static_cast<std::size_t>(Outcome::kOk)];
    for (const std::uint64_t count : counts) told += count;
  }
  const ResponderStats stats = Look(*responder);
  // A cancel may have come after the answer, which then nobody took.
  EXPECT_GE(stats.counts.answered, answered);
  EXPECT_EQ(told, answered);
  EXPECT_EQ(stats.counts.accepted, kCallers * kCallsEach);
  EXPECT_EQ(stats.counts.answered + stats.counts.cancelled, stats.counts.accepted);
  EXPECT_TRUE(responder->has_ended());
  EXPECT_EQ(stats.retained_bytes, 0u);
}

}  // namespace
}  // namespace sluice::broker
