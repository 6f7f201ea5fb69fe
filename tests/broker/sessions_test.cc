// SPDX-License-Identifier: Apache-2.0
// Identities that outlive a call, and the one schedule.
#include "broker/sessions.h"

#include <set>

#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

class SessionsTest : public QueueFixture {
 protected:
  std::shared_ptr<Sessions> sessions = std::make_shared<Sessions>(clock, timers, limits);
  std::shared_ptr<CountingNotifier> told = std::make_shared<CountingNotifier>();
};

TEST_F(SessionsTest, AnUnknownIdGivesANewSession) {
  const std::uint64_t created = clock.UnixMicros();
  const auto first = sessions->Keep("", told);
  const auto second = sessions->Keep("not one of ours.", told);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->id.size(), kSessionIdBytes);
  EXPECT_NE(first->id, second->id);
  EXPECT_NE(second->id, "not one of ours.");
  EXPECT_FALSE(first->resumed);
  EXPECT_GE(first->fence, created) << "rises over restarts";
  EXPECT_GT(second->fence, first->fence);
  EXPECT_EQ(sessions->count(), 2u);
}

TEST_F(SessionsTest, AKnownIdIsTakenOverAndTheHolderTold) {
  const auto first = sessions->Keep("", told);
  const auto second = sessions->Keep(first->id, nullptr);
  EXPECT_EQ(told->count, 1);
  EXPECT_TRUE(second->resumed);
  EXPECT_EQ(second->id, first->id);
  EXPECT_GT(second->fence, first->fence);
  EXPECT_EQ(sessions->fence(first->id), second->fence);
  sessions->End(first->id, first->fence);
  EXPECT_EQ(sessions->count(), 1u) << "another holds it";
  sessions->Release(first->id, first->fence, 0s);
  EXPECT_EQ(sessions->count(), 1u);
  sessions->End(first->id, second->fence);
  EXPECT_EQ(sessions->fence(first->id), 0u);
  EXPECT_EQ(sessions->count(), 0u);
}

TEST_F(SessionsTest, ALostSessionLingersAndMayBeTakenUp) {
  const auto first = sessions->Keep("", told);
  sessions->Release(first->id, first->fence, 5s);
  EXPECT_EQ(timers.next(), clock.Now() + 5s);
  Pass(5s - 1ms);
  const auto resumed = sessions->Keep(first->id, told);
  EXPECT_TRUE(resumed->resumed);
  Pass(10s);
  EXPECT_EQ(sessions->count(), 1u);
  sessions->Release(first->id, resumed->fence, 5s);
  Pass(5s);
  EXPECT_EQ(sessions->count(), 0u);
  const auto fresh = sessions->Keep(first->id, told);
  EXPECT_FALSE(fresh->resumed);
  EXPECT_NE(fresh->id, first->id);
}

// Clauses: N3
TEST_F(SessionsTest, WithoutLingerLossIsTheEnd) {
  const auto kept = sessions->Keep("", told);
  sessions->Release(kept->id, kept->fence, 0s);
  EXPECT_EQ(sessions->count(), 0u);
  EXPECT_EQ(told->count, 1);
}

// Clauses: N1 N3
TEST_F(SessionsTest, WhatIsTiedLearnsOfTheEnd) {
  QueueSpec spec;
  spec.lifetime = Lifetime::kTied;
  spec.capacity = 1;
  const auto queue = Make(spec);
  const auto kept = sessions->Keep("", nullptr);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(sessions->Tie(kept->id, queue).ok());
  ASSERT_TRUE(sessions->Tie(kept->id, std::static_pointer_cast<Notifier>(told)).ok());
  for (int i = 0; i < 1000; ++i) {
    const auto gone = std::make_shared<CountingNotifier>();
    ASSERT_TRUE(sessions->Tie(kept->id, std::static_pointer_cast<Notifier>(gone)).ok());
  }
  Try(*queue, {"1"}, InSession(kept->id));
  Sending waiting;
  Start(*queue, waiting, {"2"}, InSession(kept->id));
  sessions->End(kept->id, kept->fence);
  EXPECT_EQ(told->count, 1);
  EXPECT_TRUE(Look(*queue, waiting));
  EXPECT_EQ(waiting.outcomes(), Outcomes{Outcome::kUnknown});
  EXPECT_EQ(queue->Describe().closed_reason, ClosedReason::kProducersGone);
  const Status gone = sessions->Tie(kept->id, queue);
  EXPECT_EQ(gone.code(), Code::kFailedPrecondition);
  EXPECT_EQ(gone.reason(), "SESSION_GONE");
  EXPECT_EQ(sessions->Tie(kept->id, std::static_pointer_cast<Notifier>(told)).reason(),
            "SESSION_GONE");
}

TEST_F(SessionsTest, TooManyAreRefused) {
  limits.sessions_max = 2;
  const auto first = sessions->Keep("", nullptr);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(sessions->Keep("", nullptr).ok());
  const auto refused = sessions->Keep("", nullptr);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.error().reason(), "TOO_MANY_SESSIONS");
  EXPECT_TRUE(sessions->Keep(first->id, nullptr).ok()) << "a known one needs no room";
}

TEST_F(SessionsTest, EndAllTellsEverybody) {
  const auto queue = Make(1);
  for (int i = 0; i < 3; ++i) {
    const auto kept = sessions->Keep("", told);
    Try(*queue, {"1"}, InSession(kept->id));
    ASSERT_TRUE(sessions->Tie(kept->id, queue).ok());
  }
  sessions->EndAll();
  EXPECT_EQ(told->count, 3);
  EXPECT_EQ(queue->Describe().producers, 0u);
  EXPECT_EQ(sessions->count(), 0u);
}

// Runs when told, and says when to be run next.
class Task final : public Scheduled {
 public:
  TimePoint RunDue(TimePoint now) override {
    runs.push_back(now);
    if (during) during();
    return next;
  }
  std::vector<TimePoint> runs;
  TimePoint next = kNever;
  std::function<void()> during;
};

TEST_F(SessionsTest, TimersRunWhatIsDueAndOnlyBringDeadlinesNearer) {
  const auto task = std::make_shared<Task>();
  const TimePoint start = clock.Now();
  timers.RunBy(start + 2s, task);
  timers.RunBy(start + 5s, task);
  EXPECT_EQ(timers.next(), start + 2s);
  timers.RunBy(start + 1s, task);
  EXPECT_EQ(timers.next(), start + 1s);
  timers.RunBy(kNever, task);
  EXPECT_EQ(timers.RunDue(start + 1s - 1ns), start + 1s);
  EXPECT_TRUE(task->runs.empty());
  task->next = start + 9s;
  EXPECT_EQ(timers.RunDue(start + 1s), start + 9s);
  EXPECT_EQ(task->runs.size(), 1u);
}

TEST_F(SessionsTest, ADeadlineSetWhileRunningIsKeptIfNearer) {
  const auto task = std::make_shared<Task>();
  const TimePoint start = clock.Now();
  task->next = start + 9s;
  task->during = [&] { timers.RunBy(start + 3s, task); };
  timers.RunBy(start, task);
  EXPECT_EQ(timers.RunDue(start), start + 3s);
}

// Else others that set deadlines fast enough would keep whoever runs the timers there for good.
TEST_F(SessionsTest, WhoIsDueAgainAtOnceIsRunByTheNextCall) {
  constexpr std::size_t kRuns = 1'000;
  const TimePoint start = clock.Now();
  const auto says_so = std::make_shared<Task>();
  const auto schedules = std::make_shared<Task>();
  const auto later = std::make_shared<Task>();
  says_so->during = [&] { says_so->next = says_so->runs.size() < kRuns ? TimePoint() : kNever; };
  schedules->during = [&] {
    if (schedules->runs.size() < kRuns) timers.RunBy(TimePoint(), schedules);
  };
  timers.RunBy(TimePoint(), says_so);
  timers.RunBy(TimePoint(), schedules);
  timers.RunBy(start, later);
  EXPECT_LE(timers.RunDue(start), start) << "whoever runs the timers comes back at once";
  EXPECT_EQ(says_so->runs.size(), 1u);
  EXPECT_EQ(schedules->runs.size(), 1u);
  EXPECT_EQ(later->runs.size(), 1u);
  EXPECT_LE(timers.RunDue(start), start);
  EXPECT_EQ(says_so->runs.size(), 2u);
  EXPECT_EQ(schedules->runs.size(), 2u);
  EXPECT_EQ(later->runs.size(), 1u);
  for (std::size_t i = 2; i < kRuns; ++i) timers.RunDue(start);
  EXPECT_EQ(timers.next(), kNever);
  EXPECT_EQ(says_so->runs.size(), kRuns);
  EXPECT_EQ(schedules->runs.size(), kRuns);
}

TEST_F(SessionsTest, WhoBecomesDueWhileOthersAreRunIsNotForgotten) {
  int woken = 0;
  timers.SetWake([&] { ++woken; });
  const TimePoint start = clock.Now();
  const auto first = std::make_shared<Task>();
  const auto second = std::make_shared<Task>();
  first->during = [&] { timers.RunBy(TimePoint(), second); };
  timers.RunBy(start, first);
  woken = 0;
  EXPECT_EQ(timers.RunDue(start), TimePoint());
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(timers.RunDue(start), kNever);
  EXPECT_EQ(second->runs.size(), 1u);
}

TEST_F(SessionsTest, WhoIsGoneIsForgottenThoughItsAddressComesBack) {
  const TimePoint start = clock.Now();
  // The same storage, one object after the other.
  alignas(Task) unsigned char storage[sizeof(Task)];
  const auto make = [&] {
    return std::shared_ptr<Task>(new (storage) Task, [](Task* task) { task->~Task(); });
  };
  timers.RunBy(start + 1s, make());
  const auto task = make();
  timers.RunBy(start + 2s, task);
  EXPECT_EQ(timers.RunDue(start + 2s), kNever);
  EXPECT_EQ(task->runs.size(), 1u);
}

TEST_F(SessionsTest, WakeIsCalledWhenTheNearestComesNearer) {
  int woken = 0;
  timers.SetWake([&] { ++woken; });
  const auto first = std::make_shared<Task>();
  const auto second = std::make_shared<Task>();
  timers.RunBy(clock.Now() + 5s, first);
  EXPECT_EQ(woken, 1);
  timers.RunBy(clock.Now() + 6s, second);
  EXPECT_EQ(woken, 1);
  timers.RunBy(clock.Now() + 4s, second);
  EXPECT_EQ(woken, 2);
}

}  // namespace
}  // namespace sluice::broker
