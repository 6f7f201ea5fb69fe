// SPDX-License-Identifier: Apache-2.0
// Random operations on small topics, each compared with what must be true: every subscriber gets
// each message from its position on, in order, or is told exactly how many it missed.
#include <array>
#include <list>
#include <map>
#include <random>

#include "tests/broker/topic_fixture.h"
#include "tests/support/seed.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;

struct Pending {
  Sending sending;
  std::uint64_t first = 0;  // the number its first message carries
  std::uint32_t count = 0;
  TimePoint arrived{};
  TimePoint deadline = kNever;
};

class TopicConservation : public TopicFixture {
 protected:
  struct Follower {
    Reader reader;
    std::uint64_t next = 0;  // position
    bool is_live = false;
    bool wants = false;
    int told_before = 0;
    bool end_on_lag = false;
  };

  std::uint32_t Pick(std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); }
  bool Chance(std::uint32_t percent) { return Pick(100) < percent; }

  void Begin() {
    TopicSpec spec;
    spec.capacity = std::uint64_t{1} << Pick(4);
    spec.policy = static_cast<SlowPolicy>(1 + Pick(3));
    if (spec.policy == SlowPolicy::kBlock) spec.block_ms = 300;
    spec.resume_window_ms = Pick(3) * 200;
    if (Chance(30)) spec.bytes_max = kBytesMaxLeast;
    topic = MakeTopic(spec);
  }

  void PublishSome() {
    Pending& pending = publishes.emplace_back();
    SendOptions options;
    options.mode = Chance(40) ? SendMode::kTry : SendMode::kWait;
    options.is_atomic = Chance(25);
    if (Chance(30)) options.deadline = Later(clock.Now(), Pick(5) * 100ms);
    const std::uint64_t most = topic->spec().capacity;
    pending.count =
        1 +
        Pick(options.is_atomic ? static_cast<std::uint32_t>(std::min<std::uint64_t>(most, 4)) : 6);
    pending.first = next_number;
    pending.arrived = clock.Now();
    pending.deadline = options.deadline;
    next_number += pending.count;
    options.first_sequence = pending.first;
    Strings payloads;
    const bool is_short_of_bytes = topic->spec().bytes_max < limits.bytes_max;
    for (std::uint32_t i = 0; i < pending.count; ++i) {
      std::string number = std::to_string(pending.first + i);
      if (is_short_of_bytes) number.insert(0, 100 - number.size(), '0');
      payloads.push_back(std::move(number));
    }
    const bool stores = topic->Describe().stores;
    Start(*topic, pending.sending, payloads, options);
    ASSERT_TRUE(pending.sending.status.ok()) << pending.sending.status.message();
    if (!stores && !is_closed) {
      EXPECT_EQ(pending.sending.outcomes(), Outcomes(pending.count, Outcome::kNoSubscribers));
    }
    if (topic->spec().policy != SlowPolicy::kBlock) {
      EXPECT_TRUE(Look(*topic, pending.sending)) << "publishing never waits";
    }
  }

  void CancelSome() {
    if (publishes.empty()) return;
    auto it = std::next(publishes.begin(), Pick(static_cast<std::uint32_t>(publishes.size())));
    Collect(*it);
    topic->CancelPublish(it->sending.ticket);
    publishes.erase(it);
  }

  void SubscribeSome() {
    Follower& follower = followers[Pick(4)];
    if (follower.is_live) return;
    const std::uint64_t known = follower.next;
    std::destroy_at(&follower);
    std::construct_at(&follower);
    SubscriberOptions options;
    options.from = static_cast<SubscribeFrom>(Pick(4));
    options.epoch = Chance(80) ? 7 : 8;
    options.position = std::max<std::uint64_t>(known, 1);
    options.end_on_lag = follower.end_on_lag = Chance(20);
    const TopicStats before = topic->Describe();
    Subscribe(*topic, follower.reader, options);
    follower.is_live = true;
    const Announced& announced = follower.reader.announced;
    follower.next = announced.next_position;
    switch (announced.continuity) {
      case Continuity::kContinued:
        EXPECT_EQ(announced.next_position, options.position);
        EXPECT_GE(announced.next_position, before.oldest_position);
        break;
      case Continuity::kGap:
        EXPECT_EQ(announced.next_position, before.oldest_position);
        EXPECT_GT(announced.missed, 0u);
        EXPECT_EQ(announced.next_position - announced.missed,
                  options.from == SubscribeFrom::kBeginning ? 1 : options.position);
        break;
      case Continuity::kReset:
        EXPECT_EQ(announced.next_position, before.oldest_position);
        EXPECT_TRUE(options.epoch == 8 || options.position > before.next_position);
        break;
      case Continuity::kFresh:
        EXPECT_NE(options.from, SubscribeFrom::kPosition);
        break;
      default:
        ADD_FAILURE();
    }
    EXPECT_EQ(announced.missed > 0, announced.continuity == Continuity::kGap);
    missed += announced.missed;
  }

  void TakeSome() {
    Follower& follower = followers[Pick(4)];
    if (!follower.is_live) return;
    const TopicStats before = topic->Describe();
    const Taken taken = Take(*topic, follower.reader, Chance(30) ? 10 : kDeliveryBytesMax);
    const std::uint64_t behind =
        before.oldest_position - std::min(before.oldest_position, follower.next);
    EXPECT_TRUE(behind == 0 || has_waited_out || topic->spec().policy != SlowPolicy::kBlock);
    const bool ends_on_lag = follower.end_on_lag || topic->spec().policy == SlowPolicy::kDisconnect;
    if (behind > 0 && ends_on_lag) {
      EXPECT_EQ(taken.ended, ClosedReason::kLagged);
    } else {
      EXPECT_EQ(taken.missed, behind);
      missed += behind;
      follower.next += behind;
      EXPECT_TRUE(behind == 0 || taken.next_position == follower.next);
    }
    const Strings payloads = Payloads(taken.delivery);
    std::size_t i = 0;
    for (const std::uint64_t position : Positions(taken.delivery)) {
      EXPECT_EQ(position, follower.next++) << "in order, none left out";
      // Known when its publish is looked at next.
      seen[position] = std::stoull(payloads.at(i++));
    }
    delivered += taken.delivery.messages;
    follower.wants = taken.delivery.messages == 0 && taken.missed == 0;
    follower.told_before = follower.reader.told->count;
    if (taken.ended == ClosedReason::kUnspecified) {
      EXPECT_TRUE(!follower.wants || (follower.next == before.next_position && !is_closed));
      return;
    }
    if (taken.ended != ClosedReason::kLagged) {
      EXPECT_TRUE(is_closed);
      EXPECT_EQ(follower.next, before.next_position) << "it got all that was its own";
    }
    follower.is_live = follower.wants = false;
  }

  void LeaveSome() {
    Follower& follower = followers[Pick(4)];
    if (!follower.is_live) return;
    topic->Unsubscribe(follower.reader.subscriber);
    follower.is_live = follower.wants = false;
  }

  void TimePasses() {
    clock.Advance((1 + Pick(3)) * 100ms);
    for (const Pending& pending : publishes) {
      has_waited_out |= pending.arrived + 300ms <= clock.Now();
    }
    timers.RunDue(clock.Now());
    EXPECT_GT(timers.next(), clock.Now());
    for (Pending& pending : publishes) {
      const bool is_due = pending.deadline <= clock.Now() || pending.arrived + 300ms <= clock.Now();
      EXPECT_TRUE(!is_due || Look(*topic, pending.sending)) << "nobody waits longer than that";
    }
  }

  // Outcomes come in order, one for each message; accepted ones at the positions that are told.
  bool Collect(Pending& pending) {
    const bool is_done = Look(*topic, pending.sending);
    std::uint64_t number = pending.first;
    for (const Ack& ack : pending.sending.acks) {
      EXPECT_EQ(ack.first_sequence, number);
      EXPECT_EQ(ack.first_position != 0, ack.outcome == Outcome::kOk);
      for (std::uint32_t i = 0; i < ack.count; ++i, ++number) {
        if (ack.outcome == Outcome::kOk) accepted_at[ack.first_position + i] = number;
      }
    }
    EXPECT_TRUE(!is_done || number == pending.first + pending.count);
    return is_done;
  }

  void Check() {
    for (auto it = publishes.begin(); it != publishes.end();) {
      it = Collect(*it) ? publishes.erase(it) : std::next(it);
    }
    const TopicStats stats = topic->Describe();
    ExpectConserved(*topic);
    EXPECT_EQ(accepted_at.size(), stats.accepted) << "each position was told, once";
    for (const auto& [position, number] : seen) EXPECT_EQ(accepted_at[position], number);
    seen.clear();
    EXPECT_EQ(stats.missed, missed);
    EXPECT_EQ(stats.delivered, delivered);
    EXPECT_EQ(stats.waiting_publishes, publishes.size());
    std::uint32_t live = 0;
    for (const Follower& follower : followers) {
      live += follower.is_live;
      // G8: whoever asked and found nothing is told when there is something.
      const bool has_news = follower.next < stats.next_position || is_closed;
      EXPECT_TRUE(!follower.wants || !has_news ||
                  follower.reader.told->count > follower.told_before);
    }
    EXPECT_EQ(stats.subscribers, live);
    EXPECT_EQ(topic->has_ended(), is_ended = is_ended || (is_closed && live == 0));
  }

  void Run(std::uint64_t seed) {
    random.seed(seed);
    Begin();
    for (int step = 0; step < 300 && !HasFailure(); ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + " step " + std::to_string(step));
      const std::uint32_t choice = Pick(1'000);
      if (choice < 330) {
        PublishSome();
      } else if (choice < 360) {
        CancelSome();
      } else if (choice < 660) {
        TakeSome();
      } else if (choice < 800) {
        SubscribeSome();
      } else if (choice < 860) {
        LeaveSome();
      } else if (choice < 998) {
        TimePasses();
      } else {
        topic->Close(ClosedReason::kRequested);
        is_closed = true;
      }
      Check();
    }
    for (Pending& pending : publishes) topic->CancelPublish(pending.sending.ticket);
    for (Follower& follower : followers) {
      if (follower.is_live) topic->Unsubscribe(follower.reader.subscriber);
    }
    const std::uint64_t depth = topic->Describe().depth;
    EXPECT_EQ(topic->Delete(ClosedReason::kDeleted), depth);
    EXPECT_EQ(topic->Describe().retained_bytes, 0u);
  }

  std::mt19937_64 random;
  std::shared_ptr<Topic> topic;
  std::array<Follower, 4> followers;
  std::list<Pending> publishes;
  std::map<std::uint64_t, std::uint64_t> accepted_at;  // number by position
  std::map<std::uint64_t, std::uint64_t> seen;         // likewise, as delivered
  std::uint64_t next_number = 1;
  std::uint64_t missed = 0;
  std::uint64_t delivered = 0;
  bool has_waited_out = false;  // a publish waited block_ms, and overwrote
  bool is_closed = false;
  bool is_ended = false;
};

class OneTopic : public TopicConservation {
 public:
  void TestBody() override {}
  using TopicConservation::Run;
};

// Clauses: B5 B8 B9 B10 B11 B12 B14 B16 B27 N8 N11 N28 N29 N30 N31 G2 G8
TEST(TopicConservationTest, RandomOperationsLeaveNothingOut) {
#if defined(__SANITIZE_THREAD__)
  constexpr std::uint64_t kRuns = 700;
#else
  constexpr std::uint64_t kRuns = 2'000;
#endif
  const std::uint64_t seed = testing::Seed("TopicConservation");
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    OneTopic one;
    one.Run(seed + run);
    if (::testing::Test::HasFailure()) {
      FAIL() << "SLUICE_SEED=" << seed + run << " begins with the failing run";
    }
  }
}

}  // namespace
}  // namespace sluice::broker
