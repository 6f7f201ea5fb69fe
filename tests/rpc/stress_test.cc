// SPDX-License-Identifier: Apache-2.0
// Everything at once, over sockets: producers, consumers that settle as they like, and clients that
// leave at random. In the end every accepted message was settled exactly once.
#include <gmock/gmock.h>

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "tests/rpc/rpc_fixture.h"
#include "tests/support/seed.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;

constexpr int kProducers = 4;
constexpr int kConsumers = 2;
constexpr int kLeavers = 2;
constexpr int kMessagesEach = 1'500;
constexpr int kRoundsEach = 120;

class StressTest : public RpcTest {
 protected:
  using Random = std::mt19937_64;
  static Random SeedOf(std::uint64_t seed, int thread) {
    return Random(seed + static_cast<std::uint64_t>(thread));
  }

  void SetUp() override {
    RpcTest::SetUp();
    v1::QueueSpec spec;
    spec.set_capacity(64);
    spec.set_shared(true);
    Declare("orders", spec);
  }
  void Produce(int producer, Random random) {
    const auto own = Connect();
    const auto stream = StartSending(*own, OpenSending("orders"));
    int sent = 0;
    while (sent < kMessagesEach) {
      const int count = std::min(kMessagesEach - sent, 1 + static_cast<int>(random() % 20));
      std::vector<std::string> payloads;
      for (int i = 0; i < count; ++i) {
        payloads.push_back(std::to_string(producer) + ":" + std::to_string(sent++));
      }
      ASSERT_TRUE(stream->Write(Frame(payloads)));
    }
    stream->HalfClose();
    EXPECT_EQ(ReadOutcomes(*stream, kMessagesEach), All(v1::OUTCOME_OK, 1, kMessagesEach));
    EXPECT_EQ(ReadClosed<v1::SendStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  }
  void Consume(Random random) {
    const auto own = Connect();
    const auto stream = StartReceiving(*own, OpenReceiving("orders", 32));
    std::deque<std::pair<Got, v1::SettleAction>> under_way;
    while (!is_over_ || !under_way.empty()) {
      if (!stream->CanRead(milliseconds(5))) continue;
      const auto frame = stream->Read<v1::ReceiveStreamResponse>();
      ASSERT_TRUE(frame.has_value() && !frame->has_closed());
      for (const v1::SettleResult& result : frame->settled()) {
        ASSERT_EQ(result.outcome(), v1::OUTCOME_OK);
        if (under_way.front().second == v1::SETTLE_ACTION_ACK) Settled(under_way.front().first);
        under_way.pop_front();
      }
      v1::ReceiveStreamRequest settle;
      for (Got& got : MessagesOf(frame->messages(), frame->runs())) {
        const std::uint64_t dice = random() % 100;
        const v1::SettleAction action = dice < 85   ? v1::SETTLE_ACTION_ACK
                                        : dice < 95 ? v1::SETTLE_ACTION_NACK
                                                    : v1::SETTLE_ACTION_RELEASE;
        settle.MergeFrom(Settling(action, got.position, 1));
        under_way.emplace_back(std::move(got), action);
      }
      if (settle.settlements_size() != 0) stream->Write(settle);
    }
    stream->Write(Finishing());
    EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  }
  // One call that is left somewhere on its way.
  void Leave(RawClient& own, Random& random) {
    const bool reads = random() % 2 == 0;
    const std::uint64_t kind = random() % 4;
    std::unique_ptr<RawCall> call;
    if (kind == 0) {
      call = own.Start(kSendStream);
      call->Write(OpenSending("orders"));
      if (reads) call->Read();
      call->Write(Frame({"x", "x", "x"}));
    } else if (kind == 1) {
      call = own.Start(kReceiveStream);
      call->Write(OpenReceiving("orders", 4));
      if (reads) call->Read();
    } else if (kind == 2) {
      v1::SendRequest request;
      request.set_queue("orders");
      request.set_atomic(false);
      for (int i = 0; i < 3; ++i) request.add_messages()->set_payload("x");
      call = own.Start(kSend, milliseconds(reads ? 60'000 : 3));
      call->Write(request);
    } else {
      v1::ReceiveRequest request;
      request.set_queue("orders");
      request.set_wait_ms(1);
      request.set_max_messages(3);
      request.set_lease_ms(50);  // never settled: they come back
      call = own.Start(kReceive);
      call->Write(request);
      if (reads) call->Read();
    }
    if (random() % 2 == 0) call->CanRead(milliseconds(random() % 3));
    call->Cancel();
  }
  // What had come to a worker before has begun. Its tasks are run between turns: the second of two
  // has a whole turn before it.
  void PassWorkers() {
    for (int time = 0; time < 2; ++time) {
      const auto passed = std::make_shared<std::atomic<std::uint32_t>>(0);
      server_->AskWorkers([passed](std::uint32_t) { ++*passed; });
      Eventually([&passed, this] { return *passed == server_->workers(); });
    }
  }
  void Settled(const Got& got) {
    const std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_TRUE(settled_.insert(got.position).second) << "settled twice: " << got.position;
    ++payloads_[got.payload];
  }

  std::atomic<bool> is_over_ = false;
  std::mutex mutex_;
  std::set<std::uint64_t> settled_;
  std::map<std::string, int> payloads_;
};

TEST_F(StressTest, NothingIsLostAndNothingIsSettledTwice) {
  const std::uint64_t seed = testing::Seed("StressTest");
  std::vector<std::thread> sources, consumers;
  for (int i = 0; i < kConsumers; ++i) {
    consumers.emplace_back([this, seed, i] { Consume(SeedOf(seed, 100 + i)); });
  }
  for (int i = 0; i < kProducers; ++i) {
    sources.emplace_back([this, seed, i] { Produce(i, SeedOf(seed, i)); });
  }
  for (int i = 0; i < kLeavers; ++i) {
    sources.emplace_back([this, seed, i] {
      Random random = SeedOf(seed, 200 + i);
      const auto own = Connect();
      for (int round = 0; round < kRoundsEach; ++round) Leave(*own, random);
      // When this is answered the server has read whatever was sent before it.
      EXPECT_TRUE(own->Ask<v1::ServerInfoResponse>("/sluice.v1.AdminService/ServerInfo",
                                                   v1::ServerInfoRequest())
                      .ok());
    });
  }
  for (std::thread& thread : sources) thread.join();
  PassWorkers();
  // None that would still send: the consumers are left, and the one who asks.
  Eventually([this] { return Live().calls() == kConsumers + 1; });
  Eventually([this] {
    const v1::QueueDescription seen = Describe("orders");
    return seen.depth() == 0 && seen.in_flight() == 0 && seen.waiting_sends() == 0 &&
           seen.producers() == 0;
  });
  is_over_ = true;
  for (std::thread& thread : consumers) thread.join();

  const v1::QueueDescription end = Describe("orders");
  EXPECT_EQ(end.settled(), end.accepted());
  EXPECT_EQ(end.retained_bytes(), 0u);
  EXPECT_EQ(settled_.size(), end.accepted());
  EXPECT_EQ(*settled_.rbegin(), end.accepted());  // with the size: exactly 1, 2, ... accepted
  const auto strangers = payloads_.find("x");
  const int left = strangers == payloads_.end() ? 0 : strangers->second;
  EXPECT_EQ(static_cast<int>(end.accepted()), kProducers * kMessagesEach + left);
  for (int producer = 0; producer < kProducers; ++producer) {
    for (int i = 0; i < kMessagesEach; ++i) {
      ASSERT_EQ(payloads_[std::to_string(producer) + ":" + std::to_string(i)], 1);
    }
  }
  ExpectNothingOpen();
  EXPECT_EQ(Describe("orders").leases(), 0u);
}

}  // namespace
}  // namespace sluice::rpc
