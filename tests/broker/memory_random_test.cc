// SPDX-License-Identifier: Apache-2.0
// Every byte that was charged is given back, whatever was done.
#include <random>

#include "tests/broker/memory_broker_fixture.h"
#include "tests/support/seed.h"

namespace sluice::broker {
namespace {

// Random work on channels of all kinds.
class MemoryOfAllKinds : public MemoryOfBroker {
 protected:
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(random() % n); }
  std::size_t Size() { return std::size_t{1} << Below(19); }
  std::string Name() { return std::string(1, static_cast<char>('a' + Below(3))); }
  std::string Key() { return "k" + std::to_string(Below(20)); }
  std::shared_ptr<Queue> SomeQueue() {
    return *broker.queues().Open(Name(), QueueSpec{.capacity = 64, .bytes_max = kLimit});
  }
  std::shared_ptr<Topic> SomeTopic() {
    const std::string name = Name();
    const SlowPolicy policy = name == "a" ? SlowPolicy::kBlock : SlowPolicy::kLag;
    return *broker.topics().Open(name, TopicSpec{.capacity = 16, .policy = policy});
  }
  SendOptions Sending() {
    SendOptions options = Trying();
    options.is_atomic = Below(2) == 0;
    return options;
  }

  void Send() {
    const auto queue = SomeQueue();
    SendTicket ticket;
    std::vector<Ack> acks;
    SendOptions options = Sending();
    if (Below(2) == 0) options.mode = SendMode::kWait;
    ASSERT_TRUE(queue->Send(ticket, Frame(Size()), options, notifier).ok());
    if (!queue->TakeAcks(ticket, acks)) broker.timers().RunDue(clock.Now());
    queue->CancelSend(ticket);
  }
  void Publish() {
    const auto topic = SomeTopic();
    SendTicket ticket;
    std::vector<Ack> acks;
    Subscriber subscriber;
    topic->Subscribe(subscriber, {}, notifier);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(topic->Publish(ticket, Frame(Size()), Sending(), notifier).ok());
      ASSERT_TRUE(topic->TakeAcks(ticket, acks));
    }
    topic->Unsubscribe(subscriber);
    if (Below(100) == 0) topic->Close(ClosedReason::kRequested);
  }
  void Receive() {
    const auto queue = SomeQueue();
    ReceiveTicket receive;
    Received received;
    ASSERT_TRUE(queue->Receive(receive, AtOnce(10), nullptr).ok());
    ASSERT_TRUE(queue->TakeReceived(receive, received));
    std::vector<SettleResult> results;
    for (const broker::Run& run : received.delivery.runs) {
      Settlement settlement;
      settlement.lease = received.lease;
      settlement.first_position = run.first_position;
      settlement.count = run.count;
      settlement.action = Below(3) == 0 ? SettleAction::kNack : SettleAction::kAck;
      queue->Settle({&settlement, 1}, 0, results);
    }
  }
  void Call() {
    const auto responder = *broker.responders().Open(Name(), ResponderSpec{});
    Caller caller(notifier);
    CallOptions waiting;
    waiting.wait_for_responder = true;
    for (std::uint64_t id = 1; id <= 4; ++id) {
      (void)responder->Ask(caller, id, Blob(Size()), waiting);
    }
    ResponderWorker worker;
    WorkerOptions options;
    options.credit.messages = 3;
    responder->Attach(worker, options, notifier);
    WorkerNews news;
    responder->Take(worker, 1'000'000, false, news);
    std::vector<ReplyResult> results;
    for (const Assignment& assignment : news.assignments) {
      WorkerReply reply;
      reply.call_id = assignment.call_id;
      reply.kind = ReplyKind::kMessage;
      reply.message = Blob(Size());
      reply.is_last = Below(2) == 0;
      responder->Reply(worker, {&reply, 1}, results);
    }
    CallReplies out;
    responder->TakeReplies(caller, 2, 100'000, out);
    if (Below(2) == 0) responder->Leave(caller, GivingUp::kCancelled);
    responder->Detach(worker, Leaving::kLost);
    responder->Leave(caller, GivingUp::kCancelled);
  }
  void Pass() {
    if (Below(10) == 0) (void)broker.queues().Delete(Name());
    if (Below(10) == 0) (void)broker.topics().Delete(Name());
    clock.Advance(std::chrono::seconds(Below(20)));
    broker.timers().RunDue(clock.Now());
  }
  void Step() {
    switch (Below(9)) {
      case 0:
      case 1:
        return Send();
      case 2:
        return Publish();
      case 3:
        return Receive();
      case 4:
        return Call();
      case 5:
      case 6:
        ASSERT_TRUE(broker.config()->Set(Setting(Key(), Size())).ok());
        return;
      case 7:
        ASSERT_TRUE(broker.config()->Delete(Key(), {}).ok());
        return;
      default:
        return Pass();
    }
  }
  void DeleteAll() {
    (void)broker.queues().Delete("filler");
    for (const char* name : {"a", "b", "c"}) {
      (void)broker.queues().Delete(name);
      (void)broker.topics().Delete(name);
      (void)broker.responders().Delete(name);
    }
    for (int i = 0; i < 20; ++i) (void)broker.config()->Delete("k" + std::to_string(i), {});
  }

  std::mt19937_64 random;
  std::shared_ptr<CountingNotifier> notifier = std::make_shared<CountingNotifier>();
};

// The budget is the sum of what channels say of themselves, at every moment, and nothing but
// tombstones at the end.
TEST_F(MemoryOfAllKinds, N14_EveryByteIsGivenBack) {
  const std::uint64_t seed = testing::Seed("MemoryOfAllKinds");
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed));
  random.seed(seed);
  Fill(kLimit / 4);
  for (int step = 0; step < 4'000; ++step) {
    Step();
    ASSERT_FALSE(HasFatalFailure());
    const MemoryBudget::Snapshot memory = broker.memory().snapshot();
    ASSERT_EQ(memory.used, broker.totals().retained_bytes) << "step " << step;
    ASSERT_EQ(memory.waiting, 0u);
    ASSERT_LE(memory.used, kLimit);
  }
  EXPECT_GT(broker.memory().snapshot().refused, 0u);
  DeleteAll();
  const std::uint64_t tombstones = broker.config()->Describe().retained_bytes;
  EXPECT_EQ(broker.memory().snapshot().used, tombstones);
  EXPECT_LT(tombstones, 20 * 100u);
}

}  // namespace
}  // namespace sluice::broker
