// SPDX-License-Identifier: Apache-2.0
// Unary Send over a socket.
#include <gmock/gmock.h>

#include "rpc/limits.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

using ::testing::ElementsAre;

class SendTest : public RpcTest {
 protected:
  static v1::SendRequest Request(const std::string& queue, int messages,
                                 v1::SendMode mode = v1::SEND_MODE_TRY) {
    v1::SendRequest request;
    request.set_queue(queue);
    request.set_mode(mode);
    request.set_first_sequence(1);
    for (int i = 1; i <= messages; ++i) request.add_messages()->set_payload(std::to_string(i));
    return request;
  }
  RawClient::Answer<v1::SendResponse> Send(const v1::SendRequest& request) {
    return client().Ask<v1::SendResponse>(kSend, request);
  }
  // A Send that stands in line.
  std::unique_ptr<RawCall> StartWaiting(const v1::SendRequest& request) {
    const std::uint32_t before = Describe(request.queue()).waiting_sends();
    auto call = client().Start(kSend);
    call->Write(request);
    call->HalfClose();
    Eventually([&] { return Describe(request.queue()).waiting_sends() == before + 1; });
    return call;
  }
};

TEST_F(SendTest, TellsOfEveryMessage) {
  const std::uint64_t epoch = DeclareSized("orders", 9).epoch();
  const auto sent = Send(Request("orders", 3));
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(sent->epoch(), epoch);
  EXPECT_EQ(sent->capacity(), 9u);
  ASSERT_EQ(sent->acks_size(), 1);
  EXPECT_EQ(sent->acks(0).first_sequence(), 1u);
  EXPECT_EQ(sent->acks(0).count(), 3u);
  EXPECT_EQ(sent->acks(0).outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(sent->acks(0).first_position(), 1u);
  EXPECT_EQ(sent->acks(0).durability(), v1::DURABILITY_MEMORY);
  EXPECT_EQ(Send(Request("orders", 1))->acks(0).first_position(), 4u);
}

TEST_F(SendTest, X06_FullIsAnAnswer) {
  DeclareSized("orders", 2);
  EXPECT_EQ(TrySend("orders", "1"), v1::OUTCOME_OK);
  EXPECT_EQ(TrySend("orders", "2"), v1::OUTCOME_OK);
  EXPECT_EQ(TrySend("orders", "3"), v1::OUTCOME_FULL);
  EXPECT_EQ(Describe("orders").refused_full(), 1u);
}

TEST_F(SendTest, ABatchIsAllOrNothingUnlessAskedOtherwise) {
  DeclareSized("orders", 4);
  Fill("orders", 2);
  EXPECT_EQ(OutcomesOf(Send(Request("orders", 3))->acks()), All(v1::OUTCOME_FULL, 1, 3));
  EXPECT_EQ(Describe("orders").depth(), 2u);
  v1::SendRequest loose = Request("orders", 3);
  loose.set_atomic(false);
  EXPECT_THAT(
      OutcomesOf(Send(loose)->acks()),
      ElementsAre(Told{1, v1::OUTCOME_OK}, Told{2, v1::OUTCOME_OK}, Told{3, v1::OUTCOME_FULL}));
  EXPECT_EQ(Describe("orders").depth(), 4u);
}

TEST_F(SendTest, ABatchThatCanNeverFitIsAFault) {
  DeclareSized("orders", 2);
  const Fault fault = Send(Request("orders", 3, v1::SEND_MODE_WAIT)).fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details.at("limit"), "2");
  EXPECT_EQ(fault.details.at("value"), "3");
}

TEST_F(SendTest, WaitsForRoom) {
  DeclareSized("orders", 1);
  Fill("orders", 1);
  const auto waiting = StartWaiting(Request("orders", 1, v1::SEND_MODE_WAIT));
  EXPECT_FALSE(waiting->CanRead(std::chrono::milliseconds(0)));
  EXPECT_EQ(Consume("orders"), "1");
  const auto response = waiting->Read<v1::SendResponse>();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(OutcomesOf(response->acks()), All(v1::OUTCOME_OK, 1, 1));
  EXPECT_TRUE(waiting->End().ok());
}

TEST_F(SendTest, AWaitThatIsOverIsAnAnswer) {
  DeclareSized("orders", 1);
  Fill("orders", 1);
  v1::SendRequest request = Request("orders", 1, v1::SEND_MODE_WAIT);
  request.set_wait_ms(20);
  const auto sent = Send(request);
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(OutcomesOf(sent->acks()), All(v1::OUTCOME_TIMED_OUT, 1, 1));
  EXPECT_EQ(Consume("orders"), "1");
  EXPECT_EQ(Receive("orders")->outcome(), v1::OUTCOME_EMPTY);  // it left no trace
  EXPECT_EQ(Describe("orders").timed_out(), 1u);
}

TEST_F(SendTest, N9_WhatWaitedWhenItsCallerLeftNeverAppears) {
  DeclareSized("orders", 1);
  Fill("orders", 1);
  auto cancelled = StartWaiting(Request("orders", 1, v1::SEND_MODE_WAIT));
  cancelled->Cancel();
  EXPECT_EQ(cancelled->End().error_code(), grpc::StatusCode::CANCELLED);
  Eventually([this] { return Describe("orders").waiting_sends() == 0; });
  const auto late = client().Ask<v1::SendResponse>(kSend, Request("orders", 1, v1::SEND_MODE_WAIT),
                                                   std::chrono::milliseconds(30));
  EXPECT_EQ(late.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  Eventually([this] { return Describe("orders").waiting_sends() == 0; });
  EXPECT_EQ(Consume("orders"), "1");
  EXPECT_EQ(Receive("orders")->outcome(), v1::OUTCOME_EMPTY);
  EXPECT_EQ(Describe("orders").accepted(), 1u);
  ExpectNothingOpen();
}

TEST_F(SendTest, ClosingTellsWhoWaits) {
  DeclareSized("orders", 1);
  Fill("orders", 1);
  const auto waiting = StartWaiting(Request("orders", 1, v1::SEND_MODE_WAIT));
  v1::CloseQueueRequest close;
  close.set_queue("orders");
  client().Ask<v1::CloseQueueResponse>("/sluice.v1.QueueService/CloseQueue", close);
  const auto response = waiting->Read<v1::SendResponse>();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(OutcomesOf(response->acks()), All(v1::OUTCOME_CLOSED, 1, 1));
  EXPECT_EQ(response->acks(0).reason(), v1::CLOSED_REASON_REQUESTED);
}

TEST_F(SendTest, ASequenceIsSpentOnce) {
  Declare("orders");
  v1::SendRequest request = Request("orders", 2);
  request.set_producer_id(std::string(16, 'p'));
  EXPECT_EQ(Send(request)->acks(0).first_position(), 1u);
  const auto again = Send(request);
  ASSERT_EQ(again->acks_size(), 1);
  EXPECT_EQ(again->acks(0).outcome(), v1::OUTCOME_OK);
  EXPECT_TRUE(again->acks(0).duplicate());
  EXPECT_EQ(again->acks(0).first_position(), 0u);
  EXPECT_EQ(Describe("orders").depth(), 2u);
  EXPECT_EQ(Describe("orders").duplicates(), 2u);
}

TEST_F(SendTest, ASpecDeclares) {
  v1::SendRequest request = Request("fresh", 1);
  request.mutable_spec()->set_capacity(3);
  EXPECT_EQ(Send(request)->capacity(), 3u);
  EXPECT_EQ(Send(request)->capacity(), 3u);
  request.mutable_spec()->set_capacity(4);
  EXPECT_EQ(Send(request).fault().reason, "DECLARED_OTHERWISE");
  EXPECT_EQ(Describe("fresh").depth(), 2u);
}

TEST_F(SendTest, FieldsAreChecked) {
  Declare("orders");
  const auto field_of = [this](const v1::SendRequest& request) {
    const Fault fault = Send(request).fault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    const auto field = fault.details.find("field");
    return field == fault.details.end() ? "none, " + fault.message : field->second;
  };
  EXPECT_EQ(field_of(Request("orders", 0)), "messages");
  EXPECT_EQ(field_of(Request("orders", 1, static_cast<v1::SendMode>(9))), "mode");
  v1::SendRequest request = Request("orders", 1);
  request.set_producer_id("short");
  EXPECT_EQ(field_of(request), "producer_id");
  request = Request("orders", 1);
  request.set_session_id("short");
  EXPECT_EQ(field_of(request), "session_id");
  request = Request("orders", 1);
  request.set_first_sequence(std::uint64_t{1} << 53);
  EXPECT_EQ(field_of(request), "first_sequence");
  request = Request("orders", 1);
  request.set_producer_id(std::string(16, 'p'));
  request.set_first_sequence(0);
  EXPECT_EQ(field_of(request), "first_sequence");
  EXPECT_EQ(field_of(Request("", 1)), "queue");
  EXPECT_EQ(Describe("orders").accepted(), 0u);
}

TEST_F(SendTest, ASessionMustBeKept) {
  Declare("orders");
  v1::SendRequest request = Request("orders", 1);
  request.set_session_id(std::string(16, 's'));
  const Fault fault = Send(request).fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(fault.reason, "SESSION_GONE");
}

// Clauses: N14
TEST_F(SendTest, AMessageAtItsLimitAndOneOver) {
  Declare("orders");
  v1::SendRequest request = Request("orders", 1);
  std::string& payload = *request.mutable_messages(0)->mutable_payload();
  payload.assign((1u << 20) - 4, 'x');  // a tag and three bytes of length
  ASSERT_EQ(request.messages(0).ByteSizeLong(), 1u << 20);
  EXPECT_EQ(OutcomesOf(Send(request)->acks()), All(v1::OUTCOME_OK, 1, 1));
  payload.push_back('x');
  const Fault fault = Send(request).fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details.at("index"), "0");
  EXPECT_EQ(fault.details.at("limit"), "1048576");
  EXPECT_EQ(fault.details.at("value"), "1048577");
  EXPECT_EQ(Describe("orders").accepted(), 1u);
}

TEST_F(SendTest, ARequestAtItsLimitAndOneOver) {
  Declare("orders");
  v1::SendRequest request = Request("orders", 0);
  for (int i = 0; i < 4; ++i) request.add_messages()->set_payload(std::string(1'000'000, 'x'));
  std::string& last = *request.add_messages()->mutable_payload();
  last.assign(kRequestFrameBytesMax - request.ByteSizeLong() - 6, 'x');
  while (request.ByteSizeLong() < kRequestFrameBytesMax) last.push_back('x');
  ASSERT_EQ(request.ByteSizeLong(), kRequestFrameBytesMax);
  EXPECT_EQ(OutcomesOf(Send(request)->acks()), All(v1::OUTCOME_OK, 1, 5));
  last.push_back('x');
  const Fault fault = Send(request).fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details.at("field"), "frame");
  EXPECT_EQ(fault.details.at("limit"), "4194304");
  EXPECT_EQ(fault.details.at("value"), "4194305");
}

// Beyond the transport's own limit the refusal is gRPC's, and bare.
TEST_F(SendTest, BeyondTheTransportTheRefusalIsBare) {
  Declare("orders");
  const auto call = client().Start(kSend);
  call->Write(std::string((16u << 20) + 1, 'x'));
  call->HalfClose();
  const Fault fault = call->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(fault.reason, "");
  ExpectNothingOpen();
}

}  // namespace
}  // namespace sluice::rpc
