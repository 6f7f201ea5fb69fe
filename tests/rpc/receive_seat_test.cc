// SPDX-License-Identifier: Apache-2.0
// How a ReceiveStream begins and ends, over a socket: seats, finish, loss, close and delete.
#include <gmock/gmock.h>

#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

class ReceiveSeatTest : public RpcTest {
 protected:
  void SetUp() override {
    RpcTest::SetUp();
    Declare("orders");
  }
  void EventuallyHeld(std::uint64_t messages) {
    Eventually([&, this] { return Describe("orders").in_flight() == messages; });
  }
};

TEST_F(ReceiveSeatTest, N15_WhatALostStreamHeldComesBackMarked) {
  Fill("orders", 3);
  auto stream = StartReceiving(client(), OpenReceiving("orders"));
  stream->ReadMessages(3);
  stream->Ack(2, 1);
  stream->Cancel();
  EXPECT_EQ(stream->End().error_code(), grpc::StatusCode::CANCELLED);
  EventuallyHeld(0);
  EXPECT_EQ(TrySend("orders", "4"), v1::OUTCOME_OK);
  const auto next = StartReceiving(client(), OpenReceiving("orders"));
  const std::vector<Got> got = next->ReadMessages(3);
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].position, 1u);  // by its position, before anything newer
  EXPECT_EQ(got[0].attempts, 2u);
  EXPECT_EQ(got[0].failures, 1u);
  EXPECT_EQ(got[1].position, 3u);
  EXPECT_EQ(got[2].position, 4u);
  EXPECT_EQ(got[2].attempts, 1u);
  EXPECT_EQ(got[2].failures, 0u);
}

TEST_F(ReceiveSeatTest, AHalfCloseWithoutFinishIsALoss) {
  Fill("orders", 1);
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  stream->ReadMessages(1);
  stream->HalfClose();
  EXPECT_FALSE(stream->Read().has_value());
  EXPECT_TRUE(stream->End().ok());
  EventuallyHeld(0);
  EXPECT_EQ(Describe("orders").failures(), 1u);
  ExpectNothingOpen();
}

TEST_F(ReceiveSeatTest, FinishLetsWhatIsHeldBeSettled) {
  Fill("orders", 2);
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  stream->ReadMessages(2);
  stream->Write(Finishing());
  Eventually([this] {
    const auto streams = Streams();
    return std::any_of(streams.begin(), streams.end(),
                       [](const auto& one) { return one.state() == "finishing"; });
  });
  EXPECT_EQ(TrySend("orders", "3"), v1::OUTCOME_OK);
  stream->Ack(1, 1);
  stream->Ack(2, 1);
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  EXPECT_EQ(Describe("orders").depth(), 1u);
  EXPECT_EQ(Describe("orders").delivered(), 2u);  // the third was not handed out
  EXPECT_EQ(Describe("orders").failures(), 0u);
  ExpectNothingOpen();
}

TEST_F(ReceiveSeatTest, FinishWithNothingHeldEndsAtOnce) {
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  stream->Write(Finishing());
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
}

TEST_F(ReceiveSeatTest, FinishIsJudgedAfterTheSettlementsOfItsFrame) {
  Fill("orders", 1);
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  stream->ReadMessages(1);
  v1::ReceiveStreamRequest frame = Settling(v1::SETTLE_ACTION_ACK, 1, 1);
  frame.set_finish(true);
  stream->Write(frame);
  EXPECT_EQ(stream->ReadResults(1)[0].outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
}

TEST_F(ReceiveSeatTest, AHalfCloseAfterFinishGivesBackWithoutAFailure) {
  Fill("orders", 2);
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  stream->ReadMessages(2);
  stream->Write(Finishing());
  stream->HalfClose();
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  EXPECT_EQ(Describe("orders").in_flight(), 0u);
  EXPECT_EQ(Describe("orders").failures(), 0u);
  const auto received = Receive("orders");
  const auto got = MessagesOf(received->messages(), received->runs());
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].attempts, 2u);
  EXPECT_EQ(got[0].failures, 0u);
}

// Clauses: N18 X13
TEST_F(ReceiveSeatTest, ASecondConsumerIsRefusedAndTheFirstUndisturbed) {
  const auto first = StartReceiving(client(), OpenReceiving("orders"));
  const auto other = Connect();
  const auto second = other->Start(kReceiveStream);
  second->Write(OpenReceiving("orders"));
  const Fault fault = second->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(fault.reason, "CONSUMER_PRESENT");
  Fill("orders", 1);
  EXPECT_EQ(first->ReadMessages(1)[0].payload, "1");
  first->Ack(1, 1);
  first->Write(Finishing());
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*first), v1::CLOSED_REASON_FINISHED);
  StartReceiving(client(), OpenReceiving("orders"));
}

TEST_F(ReceiveSeatTest, N18_WhoTakesOverHasAHigherFence) {
  Fill("orders", 1);
  v1::Attached before;
  const auto old = StartReceiving(client(), OpenReceiving("orders"), &before);
  old->ReadMessages(1);
  const auto other = Connect();
  v1::Attached after;
  const auto fresh =
      StartReceiving(*other, OpenReceiving("orders", 64, v1::ATTACH_MODE_TAKE_OVER), &after);
  EXPECT_GT(after.fence(), before.fence());
  EXPECT_NE(after.lease(), before.lease());
  const Fault fault = old->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::ABORTED);
  EXPECT_EQ(fault.reason, "SUPERSEDED");
  EXPECT_EQ(fault.details.at("fence"), std::to_string(after.fence()));
  const std::vector<Got> got = fresh->ReadMessages(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].payload, "1");
  EXPECT_EQ(got[0].attempts, 2u);
  // The old lease holds nothing any more.
  const auto stale = Settle("orders", before.lease(), v1::SETTLE_ACTION_ACK, 1, 1);
  EXPECT_EQ(stale->results(0).outcome(), v1::OUTCOME_STALE);
  fresh->Ack(1, 1);
}

TEST_F(ReceiveSeatTest, N18_StandbyFollowsWhenTheSeatIsFree) {
  const auto first = StartReceiving(client(), OpenReceiving("orders"));
  std::vector<std::unique_ptr<ReceiveCall>> line;
  for (std::uint32_t place = 1; place <= 2; ++place) {
    auto stream = client().Start<ReceiveCall>(kReceiveStream);
    stream->Write(OpenReceiving("orders", 64, v1::ATTACH_MODE_STANDBY));
    const auto frame = stream->Read<v1::ReceiveStreamResponse>();
    ASSERT_TRUE(frame.has_value() && frame->has_waiting());
    EXPECT_EQ(frame->waiting().place(), place);
    line.push_back(std::move(stream));
  }
  EXPECT_EQ(Describe("orders").standby(), 2u);
  first->Write(Finishing());
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*first), v1::CLOSED_REASON_FINISHED);
  const auto attached = line[0]->Read<v1::ReceiveStreamResponse>();
  ASSERT_TRUE(attached.has_value() && attached->has_attached());
  Fill("orders", 1);
  EXPECT_EQ(line[0]->ReadMessages(1)[0].payload, "1");
  EXPECT_EQ(Describe("orders").standby(), 1u);
  // One in line may leave it.
  line[1]->Cancel();
  EXPECT_EQ(line[1]->End().error_code(), grpc::StatusCode::CANCELLED);
  Eventually([this] { return Describe("orders").standby() == 0; });
}

// Clauses: N20 X08
TEST_F(ReceiveSeatTest, AClosedQueueEndsWhenEverythingIsSettled) {
  Fill("orders", 1);
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  v1::CloseQueueRequest close;
  close.set_queue("orders");
  client().Ask<v1::CloseQueueResponse>("/sluice.v1.QueueService/CloseQueue", close);
  stream->ReadMessages(1);
  stream->Ack(1, 1);
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*stream), v1::CLOSED_REASON_REQUESTED);
}

TEST_F(ReceiveSeatTest, N4_ADeletedQueueEndsAtOnce) {
  Fill("orders", 2);
  const auto stream = StartReceiving(client(), OpenReceiving("orders", 1));
  stream->ReadMessages(1);
  v1::DeleteQueueRequest remove;
  remove.set_queue("orders");
  const auto deleted =
      client().Ask<v1::DeleteQueueResponse>("/sluice.v1.QueueService/DeleteQueue", remove);
  EXPECT_EQ(deleted->deleted(), 2u);
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*stream), v1::CLOSED_REASON_DELETED);
}

// A standby that settles has no lease of its own yet.
TEST_F(ReceiveSeatTest, WhoOnlyWaitsHoldsNothing) {
  Fill("orders", 1);
  const auto first = StartReceiving(client(), OpenReceiving("orders"));
  first->ReadMessages(1);
  const auto standby = client().Start<ReceiveCall>(kReceiveStream);
  standby->Write(OpenReceiving("orders", 64, v1::ATTACH_MODE_STANDBY));
  ASSERT_TRUE(standby->Read<v1::ReceiveStreamResponse>()->has_waiting());
  standby->Write(Settling(v1::SETTLE_ACTION_ACK, 1, 1));
  EXPECT_EQ(standby->ReadResults(1)[0].outcome(), v1::OUTCOME_STALE);
  standby->Write(Finishing());
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*standby), v1::CLOSED_REASON_FINISHED);
  first->Ack(1, 1);
}

}  // namespace
}  // namespace sluice::rpc
