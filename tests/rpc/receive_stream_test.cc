// SPDX-License-Identifier: Apache-2.0
// Delivering and settling on a ReceiveStream, over a socket.
#include <gmock/gmock.h>

#include <chrono>
#include <set>

#include "tests/rpc/rpc_fixture.h"
#include "tests/wire/encode.h"

namespace sluice::rpc {
namespace {

class ReceiveStreamTest : public RpcTest {
 protected:
  void SetUp() override {
    RpcTest::SetUp();
    epoch_ = Declare("orders").epoch();
  }
  void EventuallyHeld(std::uint64_t messages) {
    Eventually([&, this] { return Describe("orders").in_flight() == messages; });
  }
  static v1::ReceiveStreamRequest WithCredit(std::uint32_t messages, std::uint64_t bytes = 0) {
    v1::ReceiveStreamRequest frame;
    frame.mutable_credit()->set_messages(messages);
    frame.mutable_credit()->set_bytes(bytes);
    return frame;
  }

  std::uint64_t epoch_ = 0;
};

TEST_F(ReceiveStreamTest, AttachesDeliversAndSettles) {
  Fill("orders", 3);
  v1::Attached attached;
  const auto stream = StartReceiving(client(), OpenReceiving("orders"), &attached);
  EXPECT_GT(attached.lease(), 0u);
  EXPECT_GT(attached.fence(), 0u);
  EXPECT_EQ(attached.epoch(), epoch_);
  EXPECT_EQ(attached.next_position(), 1u);
  EXPECT_EQ(attached.max_in_flight(), 1'024u);
  const std::vector<Got> got = stream->ReadMessages(3);
  ASSERT_EQ(got.size(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(got[i].payload, std::to_string(i + 1));
    EXPECT_EQ(got[i].position, i + 1);
    EXPECT_EQ(got[i].attempts, 1u);
    EXPECT_EQ(got[i].failures, 0u);
  }
  stream->Ack(1, 3);
  EXPECT_EQ(Describe("orders").settled(), 3u);
  Fill("orders", 1);  // what comes later is delivered, too
  EXPECT_EQ(stream->ReadMessages(1)[0].position, 4u);
}

TEST_F(ReceiveStreamTest, EachSettlementGetsItsResultInOrder) {
  Fill("orders", 4);
  const auto stream = StartReceiving(client(), OpenReceiving("orders", 4));
  stream->ReadMessages(4);
  v1::ReceiveStreamRequest frame = Settling(v1::SETTLE_ACTION_ACK, 2, 1);
  frame.MergeFrom(Settling(v1::SETTLE_ACTION_ACK, 2, 2));     // the first of them is settled
  frame.MergeFrom(Settling(v1::SETTLE_ACTION_EXTEND, 1, 1));  // held as long as the stream lives
  frame.MergeFrom(Settling(v1::SETTLE_ACTION_ACK, 77, 1));
  *frame.mutable_credit() = WithCredit(0).credit();
  stream->Write(frame);
  const auto results = stream->ReadResults(4);
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(results[1].outcome(), v1::OUTCOME_STALE);
  EXPECT_EQ(results[1].first_position(), 2u);
  EXPECT_EQ(results[1].settled(), 1u);
  EXPECT_EQ(results[1].not_held(), 1u);
  EXPECT_EQ(results[2].outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(results[3].outcome(), v1::OUTCOME_STALE);
  EXPECT_EQ(Describe("orders").settled(), 2u);
}

// Clauses: N21 X15
TEST_F(ReceiveStreamTest, NoMoreIsOutstandingThanTheCredit) {
  Fill("orders", 5);
  const auto stream = StartReceiving(client(), OpenReceiving("orders", 2));
  stream->ReadMessages(2);
  EXPECT_EQ(Describe("orders").in_flight(), 2u);
  stream->Ack(1, 1);
  EXPECT_EQ(stream->ReadMessages(1)[0].position, 3u);
  EXPECT_EQ(Describe("orders").in_flight(), 2u);
  stream->Write(WithCredit(0));  // pauses: the next settlement frees nothing
  stream->Ack(2, 2);
  EXPECT_EQ(Describe("orders").in_flight(), 0u);
  EXPECT_EQ(Describe("orders").depth(), 2u);
  stream->Write(WithCredit(10));
  stream->ReadMessages(2);
}

TEST_F(ReceiveStreamTest, CreditBoundsBytesButOnePasses) {
  for (int i = 0; i < 3; ++i) TrySend("orders", std::string(1'000, 'x'));
  v1::ReceiveStreamRequest open = OpenReceiving("orders", 64);
  open.mutable_open()->mutable_credit()->set_bytes(1);
  const auto stream = StartReceiving(client(), open);
  stream->ReadMessages(1);
  EXPECT_EQ(Describe("orders").in_flight(), 1u);
  stream->Ack(1, 1);
  EXPECT_EQ(stream->ReadMessages(1)[0].position, 2u);
  EXPECT_EQ(Describe("orders").in_flight(), 1u);
}

TEST_F(ReceiveStreamTest, AFrameHoldsAtMostADelivery) {
  for (int i = 0; i < 6; ++i) TrySend("orders", std::string(100'000, 'x'));
  TrySend("orders", std::string(900'000, 'x'));
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  int messages = 0;
  while (messages < 7) {
    const auto frame = stream->Read<v1::ReceiveStreamResponse>();
    ASSERT_TRUE(frame.has_value());
    messages += frame->messages_size();
    EXPECT_TRUE(frame->messages_size() == 1 || frame->ByteSizeLong() <= 257u * 1'024);
  }
}

TEST_F(ReceiveStreamTest, N16_AutoAckSettlesWhatIsWritten) {
  Fill("orders", 3);
  v1::ReceiveStreamRequest open = OpenReceiving("orders", 2);
  open.mutable_open()->set_auto_ack(true);
  const auto stream = StartReceiving(client(), open);
  stream->ReadMessages(3);  // a completed write frees the credit
  Eventually([this] { return Describe("orders").settled() == 3; });
  EXPECT_EQ(Describe("orders").in_flight(), 0u);
  stream->Write(Finishing());
  EXPECT_EQ(ReadClosed<v1::ReceiveStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
}

TEST_F(ReceiveStreamTest, AnAckTimeoutTakesBackAndTheStreamGoesOn) {
  Fill("orders", 1);
  v1::ReceiveStreamRequest open = OpenReceiving("orders");
  open.mutable_open()->set_ack_timeout_ms(20);
  const auto stream = StartReceiving(client(), open);
  stream->ReadMessages(1);
  const std::vector<Got> again = stream->ReadMessages(1);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].position, 1u);
  EXPECT_EQ(again[0].attempts, 2u);
  EXPECT_EQ(again[0].failures, 1u);
}

// Which of the two comes first is the machine's affair: the delay may pass before the daemon looks.
TEST_F(ReceiveStreamTest, ANackedMessageComesAgainAfterItsDelay) {
  constexpr std::chrono::milliseconds kDelay{50};
  Fill("orders", 2);
  const auto stream = StartReceiving(client(), OpenReceiving("orders", 1));
  ASSERT_EQ(stream->ReadMessages(1)[0].position, 1u);
  v1::ReceiveStreamRequest nack = Settling(v1::SETTLE_ACTION_NACK, 1, 1);
  nack.mutable_settlements(0)->set_delay_ms(kDelay.count());
  const auto nacked = std::chrono::steady_clock::now();
  stream->Write(nack);
  std::set<std::uint64_t> rest;
  for (int i = 0; i < 2; ++i) {
    const std::vector<Got> got = stream->ReadMessages(1);
    ASSERT_EQ(got.size(), 1u);
    rest.insert(got[0].position);
    if (got[0].position == 1) {
      EXPECT_EQ(got[0].failures, 1u);
      EXPECT_GE(std::chrono::steady_clock::now() - nacked, kDelay);
    }
    stream->Ack(got[0].position, 1);
  }
  EXPECT_EQ(rest, (std::set<std::uint64_t>{1, 2}));
}

TEST_F(ReceiveStreamTest, ASharedQueueServesSeveral) {
  v1::QueueSpec spec;
  spec.set_shared(true);
  Declare("shared", spec);
  const auto first = StartReceiving(client(), OpenReceiving("shared", 1));
  const auto second = StartReceiving(client(), OpenReceiving("shared", 1));
  Fill("shared", 2);
  const std::vector<Got> one = first->ReadMessages(1);
  const std::vector<Got> two = second->ReadMessages(1);
  ASSERT_TRUE(one.size() == 1 && two.size() == 1);
  EXPECT_EQ(one[0].position + two[0].position, 3u);
  EXPECT_EQ(Describe("shared").consumer_peers_size(), 2);
}

TEST_F(ReceiveStreamTest, FramesOutOfOrderEndTheStream) {
  const auto fault_of = [this](std::vector<v1::ReceiveStreamRequest> frames) {
    const auto stream = client().Start(kReceiveStream);
    for (const auto& frame : frames) stream->Write(frame);
    const Fault fault = stream->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    return fault;
  };
  EXPECT_EQ(fault_of({Finishing()}).reason, "OUT_OF_ORDER");
  EXPECT_EQ(fault_of({v1::ReceiveStreamRequest()}).reason, "OUT_OF_ORDER");
  EXPECT_EQ(fault_of({OpenReceiving("orders"), OpenReceiving("orders")}).reason, "OUT_OF_ORDER");
  v1::ReceiveStreamRequest both = OpenReceiving("orders");
  both.set_finish(true);
  EXPECT_EQ(fault_of({both}).reason, "OUT_OF_ORDER");
  both = OpenReceiving("orders");
  both.mutable_credit();
  EXPECT_EQ(fault_of({both}).reason, "OUT_OF_ORDER");
  const auto nothing = client().Start(kReceiveStream);
  nothing->HalfClose();
  EXPECT_EQ(nothing->EndFault().reason, "OUT_OF_ORDER");
  ExpectNothingOpen();
}

TEST_F(ReceiveStreamTest, FieldsAreChecked) {
  const auto field_of = [this](const v1::ReceiveStreamRequest& open) {
    const auto stream = client().Start(kReceiveStream);
    stream->Write(open);
    const Fault fault = stream->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    const auto field = fault.details.find("field");
    return field == fault.details.end() ? "none, " + fault.message : field->second;
  };
  v1::ReceiveStreamRequest open = OpenReceiving("orders");
  open.mutable_open()->set_consumer(std::string(256, 'c'));
  EXPECT_EQ(field_of(open), "open.consumer");
  open = OpenReceiving("orders");
  open.mutable_open()->set_ack_timeout_ms(43'200'001);
  EXPECT_EQ(field_of(open), "open.ack_timeout_ms");
  open.mutable_open()->set_ack_timeout_ms(1);
  open.mutable_open()->set_auto_ack(true);
  EXPECT_EQ(field_of(open), "open.ack_timeout_ms");
  open = OpenReceiving("orders", 64, static_cast<v1::AttachMode>(8));
  EXPECT_EQ(field_of(open), "open.mode");
  open = OpenReceiving("orders");
  open.mutable_open()->mutable_spec()->set_lifetime(static_cast<v1::Lifetime>(8));
  EXPECT_EQ(field_of(open), "spec.lifetime");
}

// A bad frame ends the stream: what it held goes back, and the connection goes on.
TEST_F(ReceiveStreamTest, AMalformedFrameIsALoss) {
  Fill("orders", 1);
  for (const std::string& bytes :
       {std::string("\xff\xff\xff"), wire::encode::Bytes(3, "\x08"), std::string("\x1a\x7f")}) {
    const auto stream = StartReceiving(client(), OpenReceiving("orders"));
    stream->ReadMessages(1);
    stream->Write(std::string_view(bytes));
    const Fault fault = stream->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(fault.reason, "MALFORMED");
    EventuallyHeld(0);
  }
  v1::ReceiveStreamRequest bad = Settling(v1::SETTLE_ACTION_ACK, 1, 0);
  const auto stream = StartReceiving(client(), OpenReceiving("orders"));
  stream->Write(bad);
  EXPECT_EQ(stream->EndFault().details.at("field"), "settlements.count");
  EventuallyHeld(0);
  EXPECT_EQ(Describe("orders").depth(), 1u);
}

}  // namespace
}  // namespace sluice::rpc
