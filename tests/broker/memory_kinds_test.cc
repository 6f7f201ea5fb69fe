// SPDX-License-Identifier: Apache-2.0
// The memory of a whole broker: what each kind answers when it is used up, who is woken, and what
// is counted.
#include <atomic>
#include <list>
#include <thread>

#include "tests/broker/memory_broker_fixture.h"

namespace sluice::broker {
namespace {

TEST_F(MemoryOfBroker, N14_OneChannelThatDoesNotSayTakesHalf) {
  EXPECT_EQ(broker.limits().bytes_max, kLimit / 2);
  EXPECT_EQ(broker.queues().Declare("q", {})->channel->spec().bytes_max, kLimit / 2);
  EXPECT_EQ(broker.queues().Declare("r", {.bytes_max = kLimit * 2})->channel->spec().bytes_max,
            kLimit * 2);
}

// Clauses: N14 N22
TEST_F(MemoryOfBroker, ACallIsFullAndARepliedOneIsNot) {
  const auto responder = broker.responders().Declare("r", {})->channel;
  ResponderWorker worker;
  const auto notifier = std::make_shared<CountingNotifier>();
  responder->Attach(worker, {}, notifier);
  WorkerNews news;
  responder->Take(worker, 1'000'000, false, news);
  Caller caller(notifier);
  EXPECT_FALSE(responder->Ask(caller, 1, Blob(100), {}).has_value());
  responder->Take(worker, 1'000'000, false, news);
  ASSERT_EQ(news.assignments.size(), 1u);
  Fill(100);
  const auto refused = responder->Ask(caller, 2, Blob(100), {});
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->outcome, Outcome::kFull);
  EXPECT_EQ(refused->full_reason, FullReason::kServerMemory);
  EXPECT_EQ(responder->Describe().counts.refused_memory, 1u);
  WorkerReply reply;
  reply.call_id = news.assignments.front().call_id;
  reply.kind = ReplyKind::kMessage;
  reply.message = Blob(100'000);
  reply.is_last = true;
  std::vector<ReplyResult> results;
  responder->Reply(worker, {&reply, 1}, results);
  EXPECT_EQ(results.at(0).outcome, Outcome::kOk);
  EXPECT_GT(broker.memory().snapshot().used, kLimit);
  CallReplies out;
  responder->TakeReplies(caller, 10, 1'000'000, out);
  EXPECT_EQ(out.replies.at(0).message.size(), 100'000u);
  responder->Leave(caller, GivingUp::kCancelled);
  responder->Detach(worker, Leaving::kFinished);
  EXPECT_LE(broker.memory().snapshot().used, kLimit);
}

// Clauses: N14 N35
TEST_F(MemoryOfBroker, AKeyIsSetWhileItTakesNoMore) {
  Config& config = *broker.config();
  EXPECT_EQ(config.Set(Setting("k", 1'000))->outcome, Outcome::kOk);
  Fill(100);
  const auto refused = config.Set(Setting("k", 2'000));
  EXPECT_EQ(refused->outcome, Outcome::kFull);
  EXPECT_EQ(refused->full_reason, FullReason::kServerMemory);
  EXPECT_EQ(config.Get("k")->entry->value.size(), 1'000u);
  EXPECT_EQ(config.Set(Setting("other", 100))->outcome, Outcome::kFull);
  EXPECT_EQ(config.Set(Setting("k", 1'000))->outcome, Outcome::kOk);
  EXPECT_EQ(config.Delete("k", std::nullopt)->outcome, Outcome::kOk);
  EXPECT_EQ(config.Set(Setting("k", 500))->outcome, Outcome::kOk);
}

// Clauses: N39
TEST_F(MemoryOfBroker, WaitsHoldTheValuesThatTheyAreFor) {
  Config& config = *broker.config();
  const auto told = std::make_shared<CountingNotifier>();
  KeyCondition condition;
  condition.kind = KeyCondition::Kind::kEquals;
  condition.equals = std::string(100'000, 'v');
  std::list<GetTicket> waits;
  Status last;
  while (last.ok()) {
    ASSERT_LT(waits.size(), 10'000u);
    last = config.Wait(waits.emplace_back(), "k", condition, kNever, told);
  }
  EXPECT_EQ(last.reason(), "SERVER_MEMORY");
  const MemoryBudget::Snapshot full = broker.memory().snapshot();
  EXPECT_EQ(full.waiting, (waits.size() - 1) * condition.equals.size());
  EXPECT_LE(full.waiting, full.waiting_max);
  config.CancelWait(waits.front());
  EXPECT_TRUE(config.Wait(waits.back(), "k", condition, kNever, told).ok());
  for (GetTicket& wait : waits) config.CancelWait(wait);
  EXPECT_EQ(broker.memory().snapshot().waiting, 0u);
}

// Clauses: N9
TEST_F(MemoryOfBroker, ARememberedProducerIsCountedUntilItIsForgotten) {
  const auto queue = broker.queues().Declare("q", {})->channel;
  SendTicket ticket;
  SendOptions options;
  options.producer_id = std::string(kProducerIdBytes, 'p');
  options.first_sequence = 1;
  ASSERT_TRUE(queue->Send(ticket, Frame(100), options, nullptr).ok());
  EXPECT_EQ(broker.memory().snapshot().used, 100 + kMessageOverheadBytes + kProducerBytes);
  EXPECT_EQ(queue->Purge(), 1u);
  EXPECT_EQ(broker.memory().snapshot().used, kProducerBytes);
  clock.Advance(kProducerMemory);
  broker.timers().RunDue(clock.Now());
  EXPECT_EQ(broker.memory().snapshot().used, 0u);
}

// Senders on threads of their own, in far less memory than they want, wait and all get through.
TEST_F(MemoryOfBroker, N11_NoWakeUpIsLost) {
  constexpr int kChannels = 4;
  constexpr int kFrames = 300;
  constexpr std::size_t kSize = 200'000;
  std::atomic<bool> is_over = false;
  std::thread timers([&] {
    while (!is_over) {
      broker.timers().RunDue(clock.Now());
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  std::atomic<int> taken = 0;
  for (int channel = 0; channel < kChannels; ++channel) {
    const auto queue =
        broker.queues().Declare("q" + std::to_string(channel), {.bytes_max = kLimit})->channel;
    threads.emplace_back([queue] {
      const auto told = std::make_shared<CountingNotifier>();
      for (int i = 0; i < kFrames; ++i) {
        SendTicket ticket;
        std::vector<Ack> acks;
        ASSERT_TRUE(queue->Send(ticket, Frame(kSize), {}, told).ok());
        while (!queue->TakeAcks(ticket, acks)) std::this_thread::yield();
        ASSERT_EQ(acks.at(0).outcome, Outcome::kOk);
      }
    });
    threads.emplace_back([queue, &taken, this] {
      for (int i = 0; i < kFrames;) {
        ReceiveTicket ticket;
        Received received;
        ASSERT_TRUE(queue->Receive(ticket, AtOnce(1), nullptr).ok());
        ASSERT_TRUE(queue->TakeReceived(ticket, received));
        std::this_thread::yield();
        if (received.delivery.messages == 0) continue;
        std::vector<SettleResult> results;
        Settlement settlement;
        settlement.lease = received.lease;
        settlement.first_position = received.delivery.runs.at(0).first_position;
        settlement.count = 1;
        queue->Settle({&settlement, 1}, 0, results);
        ++i;
        ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  is_over = true;
  timers.join();
  EXPECT_EQ(taken, kChannels * kFrames);
  EXPECT_EQ(broker.memory().snapshot().used, 0u);
  EXPECT_EQ(broker.memory().snapshot().waiting, 0u);
}

}  // namespace
}  // namespace sluice::broker
