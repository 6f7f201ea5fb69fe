// SPDX-License-Identifier: Apache-2.0
// Random operations on small queues, each step compared with the model: nothing is lost, nothing is
// with two, everything comes in order, and nobody waits for what is there.
#include <algorithm>

#include "tests/broker/conservation.h"
#include "tests/support/seed.h"

namespace sluice::broker {

using namespace std::chrono_literals;

// Outcomes come in order, one for each message; what is not accepted has no position, ever.
void Conservation::SyncSends() {
  for (auto it = sends.begin(); it != sends.end();) {
    WaitingSend& send = *it;
    const bool is_done = Look(*queue, send.sending);
    std::uint64_t number = send.first_number;
    for (const Ack& ack : send.sending.acks) {
      EXPECT_EQ(ack.first_sequence, number);
      EXPECT_FALSE(ack.duplicate);
      EXPECT_EQ(ack.first_position != 0, ack.outcome == Outcome::kOk);
      for (std::uint32_t i = 0; i < ack.count; ++i, ++number) {
        if (ack.outcome == Outcome::kOk) {
          model.See(ack.first_position + i, number);
        } else {
          model.forbidden[number] = 0;
        }
      }
    }
    if (!is_done) {
      ++it;
      continue;
    }
    EXPECT_EQ(number, send.first_number + send.count);
    it = sends.erase(it);
  }
}

void Conservation::Sync() {
  SyncSends();
  for (Stream& stream : streams) {
    if (!stream.is_live) continue;
    const ConsumerNews news = queue->Poll(stream.receiver.consumer);
    if (!news.attached) continue;
    stream.receiver.lease = news.attached->lease;
    model.leases[stream.receiver.lease].period = stream.ack_timeout;
  }
  for (auto it = receives.begin(); it != receives.end();) {
    Received& received = it->receiving.received;
    if (!queue->TakeReceived(it->receiving.ticket, received)) {
      ++it;
      continue;
    }
    if (received.outcome == Outcome::kOk) {
      QueueModel::ModelLease& lease = model.leases[received.lease];
      lease.is_unary = true;
      lease.period = it->lease;
      lease.group = it->group;
      lease.session = it->session;
      model.Deliver(received.lease, received.delivery, clock.Now());
    }
    it = receives.erase(it);
  }
}

// The answer of a receive could not be sent.
void Conservation::ReturnSome() {
  for (auto& [id, lease] : model.leases) {
    if (!lease.is_unary || lease.held.empty() || !Chance(50)) continue;
    queue->ReturnLease(id);
    model.LeaseGoesBack(id, false);
    return;
  }
}

// G8: whoever asked and found nothing is told when there is something; a waiting receive is served
// at once.
void Conservation::ExpectNobodyForgotten(const QueueStats& stats) {
  const std::uint64_t fresh_room =
      spec.max_in_flight -
      std::min<std::uint64_t>(spec.max_in_flight,
                              stats.in_flight + stats.come_back + stats.delayed);
  const std::uint64_t fresh = stats.accepted + 1 - model.next_fresh;
  const bool is_available = stats.in_flight < spec.max_in_flight &&
                            (stats.come_back > 0 || std::min(fresh, fresh_room) > 0);
  EXPECT_TRUE(spec.shared || !is_available || stats.waiting_receives == 0);
  bool is_somebody_told = !is_available;
  bool has_wanting = false;
  for (const Stream& stream : streams) {
    if (!stream.is_live || !stream.wants || stream.receiver.lease == 0) continue;
    is_somebody_told |= stream.receiver.told->count > stream.told_before;
    const std::size_t held = model.leases[stream.receiver.lease].held.size();
    has_wanting |= held < stream.credit.messages && (held == 0 || stream.credit.bytes == 0);
  }
  EXPECT_TRUE(is_somebody_told || !(has_wanting || stats.waiting_receives > 0));
  EXPECT_TRUE(stats.waiting_sends == 0 || stats.free_slots == 0);
  EXPECT_LE(stats.depth + stats.in_flight, spec.capacity + spec.max_in_flight);
  EXPECT_LE(stats.retained_bytes, spec.bytes_max);
}

void Conservation::Step() {
  const std::uint32_t choice = Pick(100);
  if (choice < 25) {
    SendSome();
  } else if (choice < 30) {
    CancelSome();
  } else if (choice < 45) {
    TakeSome();
  } else if (choice < 62) {
    SettleSome();
  } else if (choice < 70) {
    AttachSome();
  } else if (choice < 75) {
    DetachSome();
  } else if (choice < 84) {
    ReceiveSome();
  } else if (choice < 87) {
    CancelReceiveSome();
  } else if (choice < 89) {
    ReturnSome();
  } else {
    LifeSome();
  }
  Sync();
  const QueueStats stats = queue->Describe();
  model.ExpectAgrees(stats);
  ExpectNobodyForgotten(stats);
  is_ended = is_closed && stats.depth + stats.in_flight == 0;
  EXPECT_EQ(queue->has_ended(), is_ended);
}

void Conservation::End() {
  for (WaitingSend& send : sends) queue->CancelSend(send.sending.ticket);
  for (WaitingReceive& receive : receives) queue->CancelReceive(receive.receiving.ticket);
  for (Stream& stream : streams) {
    if (stream.is_live) queue->Detach(stream.receiver.consumer, Leaving::kFinished);
  }
  queue->Delete(ClosedReason::kDeleted);
  const QueueStats stats = queue->Describe();
  EXPECT_EQ(stats.retained_bytes, 0u);
  EXPECT_EQ(stats.depth + stats.in_flight, 0u);
  EXPECT_EQ(stats.leases + stats.consumers + stats.standby, 0u);
  EXPECT_EQ(stats.waiting_sends + stats.waiting_receives, 0u);
  EXPECT_EQ(stats.accepted, stats.settled + stats.purged + stats.deleted);
  sends.clear();
  receives.clear();
}

void Conservation::Run(std::uint64_t seed) {
  random.seed(seed);
  Begin();
  for (int step = 0; step < 400 && !is_ended && !HasFailure(); ++step) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " step " + std::to_string(step));
    Step();
  }
  End();
}

namespace {

class ConservationOf : public Conservation {
 public:
  void TestBody() override {}
  using Conservation::Run;
};

// Clauses: M5 M7 M8 M12 M13 M14 M15 M30 M31 N3 N4 N8 N14 N15 N16 N17 N18 N21 G2 G3 G8
TEST(QueueConservation, RandomOperationsAgreeWithTheModel) {
#if defined(__SANITIZE_THREAD__)
  constexpr std::uint64_t kRuns = 700;
#else
  constexpr std::uint64_t kRuns = 2'000;
#endif
  const std::uint64_t seed = testing::Seed("QueueConservation");
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    ConservationOf one;
    one.Run(seed + run);
    if (::testing::Test::HasFailure()) {
      FAIL() << "SLUICE_SEED=" << seed + run << " begins with the failing run";
    }
  }
}

}  // namespace
}  // namespace sluice::broker
