// SPDX-License-Identifier: Apache-2.0
// What holds for every call, whatever its method: names, missing and malformed requests, and how
// many may be open.
#include <gmock/gmock.h>

#include <thread>

#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

using CallTest = RpcTest;

const std::vector<std::string>& UnaryMethods() {
  static const std::vector<std::string> kMethods = {
      kSend,
      kReceive,
      kSettle,
      "/sluice.v1.QueueService/DeclareQueue",
      "/sluice.v1.QueueService/DescribeQueue",
      "/sluice.v1.QueueService/ListQueues",
      "/sluice.v1.QueueService/CloseQueue",
      "/sluice.v1.QueueService/DeleteQueue",
      "/sluice.v1.QueueService/PurgeQueue",
      "/sluice.v1.QueueService/PeekQueue",
      "/sluice.v1.TopicService/DeclareTopic",
      "/sluice.v1.TopicService/DescribeTopic",
      "/sluice.v1.TopicService/ListTopics",
      "/sluice.v1.TopicService/CloseTopic",
      "/sluice.v1.TopicService/DeleteTopic",
      "/sluice.v1.TopicService/Publish",
      "/sluice.v1.TopicService/Subscribe",
      "/sluice.v1.AdminService/ServerInfo",
      "/sluice.v1.AdminService/ListStreams",
      "/sluice.v1.AdminService/Drain",
      "/grpc.health.v1.Health/Check",
  };
  return kMethods;
}

TEST_F(CallTest, WhatIsNotServedIsUnimplemented) {
  for (const char* method : {"/sluice.v1.QueueService/Sent", "/sluice.v2.QueueService/Send",
                             "/sluice.v1.TopicService/Published", "/x"}) {
    const auto call = client().Start(method);
    const Fault fault = call->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::UNIMPLEMENTED) << method;
    EXPECT_EQ(fault.reason, "METHOD_NOT_SERVED") << method;
    EXPECT_THAT(fault.message, ::testing::HasSubstr(method));
  }
  ExpectNothingOpen();
}

TEST_F(CallTest, AUnaryCallWithoutAMessageIsOutOfOrder) {
  for (const std::string& method : UnaryMethods()) {
    const auto call = client().Start(method);
    call->HalfClose();
    const Fault fault = call->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_EQ(fault.reason, "OUT_OF_ORDER") << method;
  }
  ExpectNothingOpen();
}

TEST_F(CallTest, AMalformedRequestIsToldAsSuchByEveryMethod) {
  for (const std::string& method : UnaryMethods()) {
    for (const std::string& bytes : {std::string("\xff\xff\xff\xff"), std::string("\x0a\x7fzz")}) {
      const auto call = client().Start(method);
      call->Write(std::string_view(bytes));
      const Fault fault = call->EndFault();
      EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT) << method;
      EXPECT_EQ(fault.reason, "MALFORMED") << method;
    }
  }
  for (const char* method : {kSendStream, kReceiveStream, kKeep}) {
    const auto call = client().Start(method);
    call->Write("\x0a\x7fzz");
    EXPECT_EQ(call->EndFault().reason, "MALFORMED") << method;
  }
  ExpectNothingOpen();
}

TEST_F(CallTest, ATooLargeRequestIsToldAsSuchByEveryMethod) {
  const std::string large((4u << 20) + 1, '\x01');
  for (const std::string& method : UnaryMethods()) {
    const auto call = client().Start(method);
    call->Write(std::string_view(large));
    const Fault fault = call->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS") << method;
    EXPECT_EQ(fault.details.at("limit"), "4194304") << method;
  }
  ExpectNothingOpen();
}

TEST_F(CallTest, UnknownFieldsArePassedOver) {
  Declare("orders");
  v1::DescribeQueueRequest request;
  request.set_queue("orders");
  const auto call = client().Start("/sluice.v1.QueueService/DescribeQueue");
  call->Write(request.SerializeAsString() + "\xf8\x07\x01");  // field 127
  call->HalfClose();
  EXPECT_TRUE(call->Read<v1::DescribeQueueResponse>().has_value());
  EXPECT_TRUE(call->End().ok());
}

TEST_F(CallTest, TooManyStreamsInAll) {
  options_.streams.streams_max = 3;
  Serve();
  Declare("orders");
  std::vector<std::unique_ptr<RawCall>> open;
  for (int i = 0; i < 3; ++i) open.push_back(StartSending(client(), OpenSending("orders")));
  for (const char* method : {kSendStream, kSend}) {  // unary calls count, too
    const auto fourth = client().Start(method);
    const Fault fault = fourth->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(fault.reason, "TOO_MANY_STREAMS");
    EXPECT_EQ(fault.details.at("limit"), "3");
    EXPECT_EQ(fault.details.at("scope"), "in all");
    EXPECT_TRUE(fault.retry.has_value());
  }
  open.back()->HalfClose();
  EXPECT_EQ(ReadClosed<v1::SendStreamResponse>(*open.back()), v1::CLOSED_REASON_FINISHED);
  open.pop_back();
  Eventually([this] { return server_->open_calls() == 2; });
  open.push_back(StartSending(client(), OpenSending("orders")));
}

TEST_F(CallTest, TooManyStreamsFromOneAddress) {
  options_.streams.streams_per_address_max = 2;
  Serve();
  Declare("orders");
  const auto other = Connect();
  const auto first = StartSending(client(), OpenSending("orders"));
  const auto second = StartSending(*other, OpenSending("orders"));
  const auto third = other->Start(kSendStream);
  const Fault fault = third->EndFault();
  EXPECT_EQ(fault.reason, "TOO_MANY_STREAMS");
  EXPECT_EQ(fault.details.at("scope"), "from this address");
}

// The transport lets more calls through, so that the refusal is typed and no client hangs.
TEST_F(CallTest, TooManyStreamsOnOneConnection) {
  options_.streams.streams_per_connection_max = 2;
  Serve();
  Declare("orders");
  auto first = StartSending(client(), OpenSending("orders"));
  const auto second = StartSending(client(), OpenSending("orders"));
  const auto other = Connect();
  const auto elsewhere = StartSending(*other, OpenSending("orders"));
  for (const char* method : {kSendStream, kSend}) {
    const auto third = client().Start(method);
    const Fault fault = third->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(fault.reason, "TOO_MANY_STREAMS");
    EXPECT_EQ(fault.details.at("limit"), "2");
    EXPECT_EQ(fault.details.at("scope"), "on this connection");
    EXPECT_TRUE(fault.retry.has_value());
  }
  first.reset();
  Eventually([this] { return server_->open_calls() == 2; });
  EXPECT_EQ(TrySend("orders", "x"), v1::OUTCOME_OK);
}

TEST_F(CallTest, AnAddressThatIsTakenIsAFault) {
  RpcServerOptions same = options_;
  same.listen = target();
  RpcServer second(same, *broker_);
  const Status started = second.Start();
  EXPECT_EQ(started.code(), Code::kUnavailable);
  EXPECT_EQ(started.reason(), "CANNOT_LISTEN");
  EXPECT_THAT(started.message(), ::testing::HasSubstr(target()));
  second.Stop(std::chrono::milliseconds(0));
  Declare("orders");  // the first goes on
}

TEST_F(CallTest, AServerThatWasNeverStartedGoesQuietly) {
  const RpcServer idle(options_, *broker_);
  EXPECT_EQ(idle.port(), 0);
}

// One connection, many calls at once that all wait, and one event that answers them.
TEST_F(CallTest, ManyCallsWaitOnOneConnection) {
  constexpr int kCalls = 300;
  v1::QueueSpec spec;
  spec.set_shared(true);
  Declare("orders", spec);
  v1::ReceiveRequest request;
  request.set_queue("orders");
  request.set_wait_ms(600'000);
  std::vector<std::unique_ptr<RawCall>> calls;
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(client().Start(kReceive));
    calls.back()->Write(request);
  }
  Eventually([this] { return Describe("orders").waiting_receives() == kCalls; });
  v1::SendRequest send;
  send.set_queue("orders");
  for (int i = 0; i < kCalls; ++i) send.add_messages()->set_payload(std::to_string(i));
  ASSERT_TRUE(client().Ask<v1::SendResponse>(kSend, send).ok());
  std::vector<bool> seen(kCalls, false);
  for (const auto& call : calls) {
    const auto response = call->Read<v1::ReceiveResponse>();
    ASSERT_TRUE(response.has_value() && response->messages_size() == 1);
    const auto number = static_cast<std::size_t>(std::stoi(response->messages(0).payload()));
    EXPECT_FALSE(seen.at(number));
    seen.at(number) = true;
  }
}

}  // namespace
}  // namespace sluice::rpc
