// SPDX-License-Identifier: Apache-2.0
// Going down: everybody is told, nothing hangs.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "sluice/v1/session.pb.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;

class DrainTest : public RpcTest {
 protected:
  void SetUp() override {
    options_.reflection = true;
    RpcTest::SetUp();
  }
  void StartDrain() {
    server_->StopReadiness();
    broker_->StartDrain();
    server_->StartDrain();
  }
  void FinishDrain() {
    lost_ = broker_->FinishDrain();
    server_->EndStreams();
  }
  std::unique_ptr<RawCall> StartUnary(const std::string& method,
                                      const google::protobuf::MessageLite& request) {
    auto call = client().Start(method);
    call->Write(request);
    call->HalfClose();
    return call;
  }
  static void ExpectRefused(const Fault& fault) {
    EXPECT_EQ(fault.code, grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(fault.reason, "DRAINING");
    EXPECT_TRUE(fault.retry.has_value());
  }

  std::vector<broker::Broker::Lost> lost_;
};

// Clauses: X22
TEST_F(DrainTest, N41_SendersAreToldAtOnce) {
  DeclareSized("full", 1);
  Fill("full", 1);
  const auto idle = StartSending(client(), OpenSending("full"));
  const auto waiting = StartSending(client(), OpenSending("full"));
  waiting->Write(Frame({"a", "b"}, 5));
  const auto silent = client().Start(kSendStream);  // has not opened yet
  v1::SendRequest request;
  request.set_queue("full");
  request.set_first_sequence(9);
  request.add_messages();
  const auto unary = StartUnary(kSend, request);
  Eventually([this] { return Describe("full").waiting_sends() == 2; });
  Eventually([this] { return Streams().size() == 5; });
  StartDrain();
  EXPECT_EQ(ReadClosed<v1::SendStreamResponse>(*idle), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(ReadOutcomes(*waiting, 2), All(v1::OUTCOME_CLOSED, 5, 2));
  EXPECT_EQ(ReadClosed<v1::SendStreamResponse>(*waiting), v1::CLOSED_REASON_SHUTTING_DOWN);
  const auto answer = unary->Read<v1::SendResponse>();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(OutcomesOf(answer->acks()), All(v1::OUTCOME_CLOSED, 9, 1));
  EXPECT_EQ(answer->acks(0).reason(), v1::CLOSED_REASON_SHUTTING_DOWN);
  ExpectRefused(silent->EndFault());
  FinishDrain();
  ASSERT_EQ(lost_.size(), 1u);
  EXPECT_EQ(lost_[0].queue, "full");
  EXPECT_EQ(lost_[0].messages, 1u);
  server_->Stop(milliseconds(1'000));
}

TEST_F(DrainTest, N41_ConsumersFinishWhatIsThere) {
  Declare("orders");
  Fill("orders", 2);
  Declare("empty");
  const auto holder = StartReceiving(client(), OpenReceiving("orders", 1));
  holder->ReadMessages(1);
  const auto idle = StartReceiving(client(), OpenReceiving("empty"));
  v1::ReceiveRequest request;
  Declare("polled");
  request.set_queue("polled");
  request.set_wait_ms(600'000);
  const auto poll = StartUnary(kReceive, request);
  Eventually([this] { return Describe("polled").waiting_receives() == 1; });
  StartDrain();
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*idle), v1::CLOSED_REASON_SHUTTING_DOWN);
  const auto polled = poll->Read<v1::ReceiveResponse>();
  ASSERT_TRUE(polled.has_value());
  EXPECT_EQ(polled->outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(polled->reason(), v1::CLOSED_REASON_SHUTTING_DOWN);
  // What is there is still delivered and settled, then comes the end.
  EXPECT_FALSE(broker_->is_drained());
  holder->Ack(1, 1);
  EXPECT_EQ(holder->ReadMessages(1)[0].payload, "2");
  holder->Ack(2, 1);
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*holder), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_TRUE(broker_->is_drained());
  FinishDrain();
  EXPECT_TRUE(lost_.empty());
  server_->Stop(milliseconds(1'000));
}

TEST_F(DrainTest, NewWorkIsRefusedAndWhatEmptiesIsServed) {
  Declare("orders");
  Fill("orders", 2);
  StartDrain();
  v1::DeclareQueueRequest declare;
  declare.set_queue("fresh");
  ExpectRefused(client()
                    .Ask<v1::DeclareQueueResponse>("/sluice.v1.QueueService/DeclareQueue", declare)
                    .fault());
  for (const char* method : {kSend, kSendStream, kReceiveStream, kKeep}) {
    ExpectRefused(client().Start(method)->EndFault());
  }
  EXPECT_EQ(Describe("orders").closed_reason(), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(Consume("orders"), "1");
  EXPECT_TRUE(Live().queues() == 1);
  const auto info = client().Ask<v1::ServerInfoResponse>("/sluice.v1.AdminService/ServerInfo",
                                                         v1::ServerInfoRequest());
  EXPECT_TRUE(info->draining());
  const auto health = client().Ask<grpc::health::v1::HealthCheckResponse>(
      "/grpc.health.v1.Health/Check", grpc::health::v1::HealthCheckRequest());
  EXPECT_EQ(health->status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
}

TEST_F(DrainTest, PastTheGraceEverybodyIsTold) {
  Declare("orders");
  Fill("orders", 3);
  const auto holder = StartReceiving(client(), OpenReceiving("orders", 1));
  holder->ReadMessages(1);
  const auto standby = client().Start(kReceiveStream);
  standby->Write(OpenReceiving("orders", 1, v1::ATTACH_MODE_STANDBY));
  ASSERT_TRUE(standby->Read<v1::ReceiveStreamResponse>()->has_waiting());
  const auto keep = client().Start(kKeep);
  keep->Write(v1::KeepRequest());
  ASSERT_TRUE(keep->Read<v1::KeepResponse>().has_value());
  const auto watch = client().Start("/grpc.health.v1.Health/Watch");
  watch->Write(grpc::health::v1::HealthCheckRequest());
  ASSERT_TRUE(watch->Read().has_value());
  const auto reflection =
      client().Start("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  grpc::reflection::v1::ServerReflectionRequest question;
  question.set_list_services("");
  reflection->Write(question);
  ASSERT_TRUE(reflection->Read().has_value());
  StartDrain();
  EXPECT_TRUE(watch->Read().has_value());  // not serving
  EXPECT_EQ(Describe("orders").in_flight(), 1u);
  FinishDrain();
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*holder), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*standby), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(ReadClosed<v1::KeepResponse>(*keep), v1::CLOSED_REASON_SHUTTING_DOWN);
  ExpectRefused(watch->EndFault());
  ExpectRefused(reflection->EndFault());
  ASSERT_EQ(lost_.size(), 1u);
  EXPECT_EQ(lost_[0].messages, 3u);
  Eventually([this] { return server_->open_calls() == 0; });
  server_->Stop(milliseconds(0));
}

// A consumer at work nearly always has a write under way when the end comes.
TEST_F(DrainTest, N20_ABusyConsumerIsToldToo) {
  constexpr int kTimes = 20;
  for (int time = 0; time < kTimes; ++time) {
    Serve();
    v1::QueueSpec spec;
    spec.set_capacity(2'000);
    Declare("orders", spec);
    v1::SendRequest request;
    request.set_queue("orders");
    for (int i = 0; i < 2'000; ++i) request.add_messages()->set_payload(std::string(2'000, 'x'));
    ASSERT_TRUE(client().Ask<v1::SendResponse>(kSend, request).ok());
    v1::ReceiveStreamRequest open = OpenReceiving("orders", 1);  // many small frames
    open.mutable_open()->set_auto_ack(true);
    const auto consumer = StartReceiving(client(), open);
    consumer->ReadMessages(static_cast<std::size_t>(1 + 7 * time));
    std::thread end([this] {
      StartDrain();
      FinishDrain();
    });
    v1::ClosedReason reason = v1::CLOSED_REASON_UNSPECIFIED;
    while (const auto frame = consumer->Read<v1::ReceiveStreamResponse>()) {
      if (frame->has_closed()) reason = frame->closed().reason();
    }
    end.join();
    EXPECT_EQ(reason, v1::CLOSED_REASON_SHUTTING_DOWN);
    EXPECT_TRUE(consumer->End().ok()) << consumer->End().error_message();
    server_->Stop(milliseconds(1'000));
  }
}

// Clients that do not read, and never would, do not hold the end up.
TEST_F(DrainTest, StopReturnsWhateverClientsDo) {
  v1::QueueSpec spec;
  spec.set_capacity(1'000);
  Declare("orders", spec);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(TrySend("orders", std::string(256 * 1024, 'x')), v1::OUTCOME_OK);
  }
  const auto slow = client().Start(kReceiveStream);
  slow->Write(OpenReceiving("orders", 1'000));
  Eventually([&, this] {
    const auto streams = Streams();
    return !streams.empty() && streams[0].write_stalled_ms() > 1'000;
  });
  StartDrain();
  FinishDrain();
  server_->Stop(milliseconds(50));
  EXPECT_EQ(server_->open_calls(), 0u);
  server_->Stop(milliseconds(50));  // again: nothing
  EXPECT_FALSE(slow->End().ok());
}

TEST_F(DrainTest, StopWithoutADrainCancelsWhatIsOpen) {
  DeclareSized("orders", 1);
  Fill("orders", 1);
  const auto sender = StartSending(client(), OpenSending("orders"));
  sender->Write(Frame({"a"}, 1));
  Eventually([this] { return Describe("orders").waiting_sends() == 1; });
  server_->Stop(milliseconds(0));
  EXPECT_EQ(server_->open_calls(), 0u);
  EXPECT_FALSE(sender->End().ok());
  const broker::Broker::Totals totals = broker_->totals();
  EXPECT_EQ(totals.waiting_sends, 0u);
  EXPECT_EQ(totals.producers, 0u);
}

// What one client does until its daemon goes away.
void Hammer(RawClient& client, int number, const std::atomic<bool>& is_over) {
  const std::string queue = "queue-" + std::to_string(number % 2);
  while (!is_over) {
    v1::SendStreamRequest open = OpenSending(queue, v1::SEND_MODE_WAIT);
    open.mutable_open()->mutable_spec()->set_capacity(4);
    open.mutable_open()->mutable_spec()->set_shared(true);
    const auto sending = client.Start(kSendStream);
    sending->Write(open);
    v1::ReceiveStreamRequest attach = OpenReceiving(queue, 4);
    *attach.mutable_open()->mutable_spec() = open.open().spec();
    const auto receiving = client.Start(kReceiveStream);
    receiving->Write(attach);
    for (int i = 0; i < 5; ++i) {
      if (!sending->Write(Frame({"a", "b", "c"}))) break;
      const auto frame = receiving->Read<v1::ReceiveStreamResponse>();
      if (!frame.has_value() || frame->has_closed()) break;
      for (const Got& got : MessagesOf(frame->messages(), frame->runs())) {
        receiving->Write(Settling(v1::SETTLE_ACTION_ACK, got.position, 1));
      }
    }
    v1::ReceiveRequest poll;
    poll.set_queue(queue);
    poll.set_wait_ms(5);
    const auto polled = client.Ask<v1::ReceiveResponse>(kReceive, poll);
    if (polled.status.error_code() == grpc::StatusCode::UNAVAILABLE) return;
  }
}

TEST_F(DrainTest, FiftyTimesUnderLoad) {
#if defined(__SANITIZE_THREAD__)
  constexpr int kTimes = 17;  // each is as long as three elsewhere
#else
  constexpr int kTimes = 50;
#endif
  constexpr int kClients = 3;
  options_.reflection = false;
  for (int time = 0; time < kTimes; ++time) {
    Serve();
    std::atomic<bool> is_over = false;
    std::vector<std::thread> threads;
    for (int number = 0; number < kClients; ++number) {
      threads.emplace_back([&, number] {
        RawClient own(target());
        Hammer(own, number, is_over);
      });
    }
    // At least one client is at work when the end comes, at another point of it each time.
    const std::uint64_t settled = 1u + static_cast<std::uint64_t>(time * 25 / kTimes);
    Eventually([&, this] {
      std::uint64_t seen = 0;
      for (const auto& queue : broker_->queues().List("", "", 10))
        seen += queue->Describe().settled;
      return seen >= settled;
    });
    if (time % 3 != 0) StartDrain();
    if (time % 3 == 1) FinishDrain();
    server_->Stop(milliseconds(20));
    EXPECT_EQ(server_->open_calls(), 0u);
    is_over = true;
    for (std::thread& thread : threads) thread.join();
    broker_->FinishDrain();
    const broker::Broker::Totals totals = broker_->totals();
    EXPECT_EQ(totals.waiting_sends + totals.waiting_receives + totals.producers, 0u);
  }
}

}  // namespace
}  // namespace sluice::rpc
