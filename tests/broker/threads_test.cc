// SPDX-License-Identifier: Apache-2.0
// Producers and consumers on threads of their own: nothing is lost, nothing is received twice, and
// the sums are exact at every look.
#include <atomic>
#include <set>
#include <thread>

#include "base/mutex.h"
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {
namespace {

constexpr int kProducers = 3;
constexpr int kConsumers = 3;
constexpr int kPerProducer = 2'000;

// Wakes a thread that waits for it.
class Bell final : public Notifier {
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

class QueueThreads : public QueueFixture {
 protected:
  void Produce(Queue& queue, int producer) {
    const auto bell = std::make_shared<Bell>();
    std::vector<Ack> acks;
    for (int sent = 0; sent < kPerProducer; sent += 10) {
      SendTicket ticket;
      const Strings payloads = Numbered(producer * kPerProducer + sent, 10);
      Status status = queue.Send(ticket, Messages(payloads), SendOptions(), bell);
      ASSERT_TRUE(status.ok());
      while (!queue.TakeAcks(ticket, acks)) bell->Wait();
    }
    for (const Ack& ack : acks) EXPECT_EQ(ack.outcome, Outcome::kOk);
  }

  // Takes until the end; now and then gives something back.
  void Consume(Queue& queue, int consumer, std::multiset<std::string>& received) {
    const auto bell = std::make_shared<Bell>();
    Consumer stream;
    ConsumerOptions options;
    options.credit.messages = 7;
    ASSERT_TRUE(queue.Attach(stream, options, bell).ok());
    const std::uint64_t lease = queue.Poll(stream).attached->lease;
    Delivery delivery;
    std::vector<SettleResult> results;
    for (int round = consumer;; ++round) {
      queue.Take(stream, kDeliveryBytesMax, delivery);
      if (delivery.messages == 0) {
        if (queue.Poll(stream).ended != ClosedReason::kUnspecified) break;
        bell->Wait();
        continue;
      }
      const bool gives_back = round % 5 == 0;
      std::vector<Settlement> settlements;
      for (const broker::Run& run : delivery.runs) {
        Settlement settlement;
        settlement.first_position = run.first_position;
        settlement.count = run.count;
        settlement.action = gives_back ? SettleAction::kNack : SettleAction::kAck;
        settlements.push_back(settlement);
      }
      if (!gives_back) {
        for (std::string& payload : Payloads(delivery)) received.insert(std::move(payload));
      }
      results.clear();
      queue.Settle(settlements, lease, results);
      for (const SettleResult& result : results) EXPECT_EQ(result.outcome, Outcome::kOk);
    }
    queue.Detach(stream, Leaving::kFinished);
  }
};

// Clauses: G5 G8 G13 M5 N15
TEST_F(QueueThreads, EveryMessageIsSettledOnceAndTheSumsAreExact) {
  QueueSpec spec;
  spec.capacity = 16;
  spec.shared = true;
  const auto queue = Make(spec);
  std::vector<std::multiset<std::string>> received(kConsumers);
  std::vector<std::thread> producers, consumers;
  for (int i = 0; i < kConsumers; ++i) {
    consumers.emplace_back([&, i] { Consume(*queue, i, received[static_cast<std::size_t>(i)]); });
  }
  for (int i = 0; i < kProducers; ++i) producers.emplace_back([&, i] { Produce(*queue, i); });
  std::atomic<bool> is_over = false;
  std::thread observer([&] {
    Delivery seen;
    while (!is_over) {
      ExpectConserved(*queue);
      queue->Peek(1, 5, kDeliveryBytesMax, seen);
      timers.RunDue(clock.Now());
    }
  });
  for (std::thread& thread : producers) thread.join();
  queue->Close(ClosedReason::kRequested);
  for (std::thread& thread : consumers) thread.join();
  is_over = true;
  observer.join();

  std::multiset<std::string> all;
  for (const auto& part : received) all.insert(part.begin(), part.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kProducers * kPerProducer));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  const QueueStats stats = queue->Describe();
  EXPECT_EQ(stats.settled, stats.accepted);
  EXPECT_EQ(stats.retained_bytes, 0u);
  EXPECT_EQ(stats.state, QueueState::kEnded);
}

// Clauses: N17 M43 N9
TEST_F(QueueThreads, X16_CancelledReceivesAndSendsLoseNothing) {
  QueueSpec spec;
  spec.capacity = 2;
  const auto queue = Make(spec);
  std::atomic<std::uint64_t> cancelled = 0;
  std::thread producer([&] {
    const auto bell = std::make_shared<Bell>();
    for (int i = 0; i < 500; ++i) {
      SendTicket ticket;
      std::vector<Ack> acks;
      ASSERT_TRUE(queue->Send(ticket, Messages({std::to_string(i)}), SendOptions(), bell).ok());
      if (i % 3 == 0) {
        if (!queue->TakeAcks(ticket, acks)) {
          queue->CancelSend(ticket);
          ++cancelled;
        }
        continue;
      }
      while (!queue->TakeAcks(ticket, acks)) bell->Wait();
    }
    queue->Close(ClosedReason::kRequested);
  });
  std::uint64_t received = 0;
  const auto bell = std::make_shared<Bell>();
  for (int i = 0;; ++i) {
    ReceiveTicket ticket;
    Received result;
    ASSERT_TRUE(queue->Receive(ticket, ReceiveOptions(), bell).ok());
    if (i % 2 == 0) {
      queue->CancelReceive(ticket);
      continue;
    }
    while (!queue->TakeReceived(ticket, result)) bell->Wait();
    if (result.outcome == Outcome::kClosed) break;
    Settlement settlement;
    settlement.lease = result.lease;
    settlement.first_position = result.delivery.runs.at(0).first_position;
    settlement.count = 1;
    received += Settle(*queue, settlement).settled;
  }
  producer.join();
  const QueueStats stats = queue->Describe();
  EXPECT_EQ(stats.settled, received);
  EXPECT_EQ(stats.accepted, received);
  EXPECT_LE(stats.accepted, 500u);
  EXPECT_GE(stats.accepted + cancelled, 500u) << "only what was cancelled may be missing";
  EXPECT_EQ(stats.retained_bytes, 0u);
}

}  // namespace
}  // namespace sluice::broker
