// SPDX-License-Identifier: Apache-2.0
// Unary Receive and Settle over a socket.
#include <gmock/gmock.h>

#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

class ReceiveTest : public RpcTest {
 protected:
  void SetUp() override {
    RpcTest::SetUp();
    epoch_ = Declare("orders").epoch();
  }
  // A Receive that waits.
  std::unique_ptr<RawCall> StartWaiting(std::uint32_t wait_ms = 600'000) {
    v1::ReceiveRequest request;
    request.set_queue("orders");
    request.set_wait_ms(wait_ms);
    auto call = client().Start(kReceive);
    call->Write(request);
    call->HalfClose();
    Eventually([this] { return Describe("orders").waiting_receives() == 1; });
    return call;
  }
  v1::SettleResult SettleOne(std::uint64_t lease, v1::SettleAction action,
                             std::uint64_t first_position, std::uint32_t count) {
    const auto settled = Settle("orders", lease, action, first_position, count);
    EXPECT_TRUE(settled.ok()) << settled.status.error_message();
    EXPECT_EQ(settled->results_size(), 1);
    return settled->results_size() == 1 ? settled->results(0) : v1::SettleResult();
  }

  std::uint64_t epoch_ = 0;
};

TEST_F(ReceiveTest, GivesUnderALease) {
  Fill("orders", 3);
  const auto received = Receive("orders", 2);
  ASSERT_TRUE(received.ok());
  EXPECT_EQ(received->outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(received->epoch(), epoch_);
  EXPECT_GT(received->lease(), 0u);
  EXPECT_EQ(received->lease_ms(), 30'000u);
  const auto messages = MessagesOf(received->messages(), received->runs());
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].payload, "1");
  EXPECT_EQ(messages[1].payload, "2");
  EXPECT_EQ(messages[1].position, 2u);
  EXPECT_EQ(messages[0].attempts, 1u);
  EXPECT_EQ(messages[0].failures, 0u);
  const v1::SettleResult settled = SettleOne(received->lease(), v1::SETTLE_ACTION_ACK, 1, 2);
  EXPECT_EQ(settled.outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(settled.settled(), 2u);
  EXPECT_EQ(Describe("orders").settled(), 2u);
  EXPECT_EQ(Describe("orders").depth(), 1u);
}

TEST_F(ReceiveTest, WhatIsSettledTwiceOrByAnotherIsStale) {
  Fill("orders", 2);
  const auto received = Receive("orders");
  SettleOne(received->lease(), v1::SETTLE_ACTION_ACK, 1, 1);
  const v1::SettleResult twice = SettleOne(received->lease(), v1::SETTLE_ACTION_ACK, 1, 1);
  EXPECT_EQ(twice.outcome(), v1::OUTCOME_STALE);
  EXPECT_EQ(twice.settled(), 0u);
  EXPECT_EQ(twice.not_held(), 1u);
  const auto second = Receive("orders");
  const v1::SettleResult other = SettleOne(second->lease() + 1'000, v1::SETTLE_ACTION_ACK, 2, 1);
  EXPECT_EQ(other.outcome(), v1::OUTCOME_STALE);
  EXPECT_EQ(Describe("orders").in_flight(), 1u);
}

TEST_F(ReceiveTest, WhatComesBackTellsItsHistory) {
  Fill("orders", 1);
  auto received = Receive("orders");
  SettleOne(received->lease(), v1::SETTLE_ACTION_NACK, 1, 1);
  received = Receive("orders");
  auto messages = MessagesOf(received->messages(), received->runs());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].position, 1u);
  EXPECT_EQ(messages[0].attempts, 2u);
  EXPECT_EQ(messages[0].failures, 1u);
  SettleOne(received->lease(), v1::SETTLE_ACTION_RELEASE, 1, 1);
  received = Receive("orders");
  messages = MessagesOf(received->messages(), received->runs());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].attempts, 3u);
  EXPECT_EQ(messages[0].failures, 1u);  // a release counts none
}

// Clauses: X16
TEST_F(ReceiveTest, N17_AnEmptyQueueIsAnAnswer) {
  const auto at_once = Receive("orders");
  EXPECT_TRUE(at_once.ok());
  EXPECT_EQ(at_once->outcome(), v1::OUTCOME_EMPTY);
  EXPECT_EQ(at_once->lease(), 0u);
  EXPECT_EQ(at_once->lease_ms(), 0u);
  const auto waited = Receive("orders", 1, 20);
  EXPECT_TRUE(waited.ok());
  EXPECT_EQ(waited->outcome(), v1::OUTCOME_EMPTY);
}

TEST_F(ReceiveTest, WaitsForAMessage) {
  const auto waiting = StartWaiting();
  Fill("orders", 1);
  const auto response = waiting->Read<v1::ReceiveResponse>();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->outcome(), v1::OUTCOME_OK);
  ASSERT_EQ(response->messages_size(), 1);
  EXPECT_EQ(response->messages(0).payload(), "1");
  EXPECT_TRUE(waiting->End().ok());
}

TEST_F(ReceiveTest, N17_WhoLeavesWhileWaitingConsumesNothing) {
  auto waiting = StartWaiting();
  waiting->Cancel();
  EXPECT_EQ(waiting->End().error_code(), grpc::StatusCode::CANCELLED);
  Eventually([this] { return Describe("orders").waiting_receives() == 0; });
  v1::ReceiveRequest request;
  request.set_queue("orders");
  request.set_wait_ms(600'000);
  const auto late =
      client().Ask<v1::ReceiveResponse>(kReceive, request, std::chrono::milliseconds(30));
  EXPECT_EQ(late.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  Fill("orders", 1);
  EXPECT_EQ(Consume("orders"), "1");
  ExpectNothingOpen();
}

TEST_F(ReceiveTest, ALeaseThatRunsOutCountsAFailure) {
  Fill("orders", 1);
  v1::ReceiveRequest request;
  request.set_queue("orders");
  request.set_lease_ms(20);
  const auto first = client().Ask<v1::ReceiveResponse>(kReceive, request);
  ASSERT_EQ(first->outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(first->lease_ms(), 20u);
  const auto second = Receive("orders", 1, 30'000);
  const auto messages = MessagesOf(second->messages(), second->runs());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].attempts, 2u);
  EXPECT_EQ(messages[0].failures, 1u);
  const v1::SettleResult late = SettleOne(first->lease(), v1::SETTLE_ACTION_ACK, 1, 1);
  EXPECT_EQ(late.outcome(), v1::OUTCOME_STALE);
  EXPECT_EQ(late.expired(), 1u);
}

TEST_F(ReceiveTest, BytesAreBoundedButOneAlwaysPasses) {
  for (int i = 0; i < 3; ++i) TrySend("orders", std::string(1'000, 'x'));
  v1::ReceiveRequest request;
  request.set_queue("orders");
  request.set_max_messages(3);
  request.set_max_bytes(1);
  EXPECT_EQ(client().Ask<v1::ReceiveResponse>(kReceive, request)->messages_size(), 1);
  request.set_max_bytes(3'000);
  EXPECT_EQ(client().Ask<v1::ReceiveResponse>(kReceive, request)->messages_size(), 2);
}

TEST_F(ReceiveTest, AStreamInTheSeatRefusesOthers) {
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  const Fault fault = Receive("orders").fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(fault.reason, "CONSUMER_PRESENT");
}

TEST_F(ReceiveTest, FieldsAreChecked) {
  const auto field_of = [this](const v1::ReceiveRequest& request) {
    const Fault fault = client().Ask<v1::ReceiveResponse>(kReceive, request).fault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    const auto field = fault.details.find("field");
    return field == fault.details.end() ? "none, " + fault.message : field->second;
  };
  v1::ReceiveRequest request;
  request.set_queue("orders");
  request.set_consumer(std::string(256, 'c'));
  EXPECT_EQ(field_of(request), "consumer");
  request.set_consumer(std::string(255, 'c'));
  request.set_session_id("short");
  EXPECT_EQ(field_of(request), "session_id");
  request.clear_session_id();
  request.set_lease_ms(43'200'001);
  EXPECT_EQ(field_of(request), "lease_ms");
  request.set_lease_ms(43'200'000);
  EXPECT_TRUE(client().Ask<v1::ReceiveResponse>(kReceive, request).ok());
}

TEST_F(ReceiveTest, SettlementsAreChecked) {
  const Fault no_lease = Settle("orders", 0, v1::SETTLE_ACTION_ACK, 1, 1).fault();
  EXPECT_EQ(no_lease.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(no_lease.details.at("field"), "settlements.lease");
  EXPECT_EQ(no_lease.details.at("index"), "0");
  v1::SettleRequest request;
  request.set_queue("orders");
  for (int i = 0; i < 10'001; ++i) *request.add_settlements() = v1::Settlement();
  const Fault many = client().Ask<v1::SettleResponse>(kSettle, request).fault();
  EXPECT_EQ(many.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(many.details.at("limit"), "10000");
}

}  // namespace
}  // namespace sluice::rpc
