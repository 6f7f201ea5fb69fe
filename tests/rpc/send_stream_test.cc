// SPDX-License-Identifier: Apache-2.0
// SendStream over a socket.
#include <gmock/gmock.h>

#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class SendStreamTest : public RpcTest {
 protected:
  void EventuallyWaiting(const std::string& queue, std::uint32_t sends) {
    Eventually([&, this] { return Describe(queue).waiting_sends() == sends; });
  }
  void CloseQueue(const std::string& queue) {
    v1::CloseQueueRequest request;
    request.set_queue(queue);
    EXPECT_TRUE(
        client().Ask<v1::CloseQueueResponse>("/sluice.v1.QueueService/CloseQueue", request).ok());
  }
};

TEST_F(SendStreamTest, OpensAndTellsOfEveryMessageInOrder) {
  const std::uint64_t epoch = DeclareSized("orders", 2'000).epoch();
  v1::SendOpened opened;
  const auto stream = StartSending(client(), OpenSending("orders"), &opened);
  EXPECT_EQ(opened.epoch(), epoch);
  EXPECT_EQ(opened.capacity(), 2'000u);
  EXPECT_EQ(opened.last_sequence(), 0u);
  EXPECT_EQ(opened.durability(), v1::DURABILITY_MEMORY);
  for (std::uint64_t first = 1; first <= 1'000; first += 10) {
    ASSERT_TRUE(stream->Write(Frame(std::vector<std::string>(10, "m"), first)));
  }
  EXPECT_EQ(ReadOutcomes(*stream, 1'000), All(v1::OUTCOME_OK, 1, 1'000));
  stream->HalfClose();
  EXPECT_EQ(ReadClosed<v1::SendStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  EXPECT_EQ(Describe("orders").depth(), 1'000u);
  ExpectNothingOpen();
}

TEST_F(SendStreamTest, TheOpeningFrameMayHaveMessages) {
  Declare("orders");
  v1::SendStreamRequest frame = Frame({"a", "b"});
  *frame.mutable_open() = OpenSending("orders").open();
  const auto stream = client().Start(kSendStream);
  stream->Write(frame);
  const auto opened = stream->Read<v1::SendStreamResponse>();
  ASSERT_TRUE(opened.has_value() && opened->has_opened());
  EXPECT_EQ(opened->acks_size(), 0);  // the event stands before what it is about
  EXPECT_EQ(ReadOutcomes(*stream, 2), All(v1::OUTCOME_OK, 1, 2));
}

TEST_F(SendStreamTest, SequencesThatAreNotGivenRiseFromOne) {
  Declare("orders");
  const auto stream = StartSending(client(), OpenSending("orders"));
  stream->Write(Frame({"a", "b"}));
  stream->Write(Frame({"c"}));
  stream->Write(Frame({"d"}, 10));
  stream->Write(Frame({"e"}));
  EXPECT_THAT(ReadOutcomes(*stream, 5),
              ElementsAre(Told{1, v1::OUTCOME_OK}, Told{2, v1::OUTCOME_OK}, Told{3, v1::OUTCOME_OK},
                          Told{10, v1::OUTCOME_OK}, Told{11, v1::OUTCOME_OK}));
}

TEST_F(SendStreamTest, AFrameWithoutMessagesGetsNoAck) {
  Declare("orders");
  const auto stream = StartSending(client(), OpenSending("orders"));
  stream->Write(v1::SendStreamRequest());
  stream->Write("");
  stream->HalfClose();
  EXPECT_EQ(ReadClosed<v1::SendStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
}

// Clauses: X06
TEST_F(SendStreamTest, N8_TryTakesThePrefixThatFits) {
  DeclareSized("orders", 2);
  const auto stream = StartSending(client(), OpenSending("orders", v1::SEND_MODE_TRY));
  stream->Write(Frame({"1", "2", "3"}, 1));
  const auto frame = stream->Read<v1::SendStreamResponse>();
  ASSERT_TRUE(frame.has_value());
  EXPECT_THAT(
      OutcomesOf(frame->acks()),
      ElementsAre(Told{1, v1::OUTCOME_OK}, Told{2, v1::OUTCOME_OK}, Told{3, v1::OUTCOME_FULL}));
  EXPECT_TRUE(frame->has_free_hint());
  EXPECT_EQ(frame->free_hint(), 0u);
  stream->Write(Frame({"4", "5"}, 4));
  EXPECT_EQ(ReadOutcomes(*stream, 2), All(v1::OUTCOME_FULL, 4, 2));
  EXPECT_EQ(Consume("orders"), "1");
  stream->Write(Frame({"6"}, 6));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_OK, 6, 1));
  EXPECT_EQ(Consume("orders"), "2");
  EXPECT_EQ(Consume("orders"), "6");
}

TEST_F(SendStreamTest, AnAtomicFrameIsAllOrNothing) {
  DeclareSized("orders", 3);
  Fill("orders", 1);
  const auto stream = StartSending(client(), OpenSending("orders", v1::SEND_MODE_TRY));
  v1::SendStreamRequest frame = Frame({"a", "b", "c"}, 1);
  frame.set_atomic(true);
  stream->Write(frame);
  EXPECT_EQ(ReadOutcomes(*stream, 3), All(v1::OUTCOME_FULL, 1, 3));
  frame = Frame({"d", "e"}, 4);
  frame.set_atomic(true);
  stream->Write(frame);
  EXPECT_EQ(ReadOutcomes(*stream, 2), All(v1::OUTCOME_OK, 4, 2));
}

TEST_F(SendStreamTest, MessagesEnterOneByOneAsRoomComes) {
  DeclareSized("orders", 2);
  const auto stream = StartSending(client(), OpenSending("orders"));
  stream->Write(Frame({"1", "2", "3", "4"}, 1));
  EXPECT_EQ(ReadOutcomes(*stream, 2), All(v1::OUTCOME_OK, 1, 2));
  EventuallyWaiting("orders", 1);
  EXPECT_EQ(Consume("orders"), "1");
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_OK, 3, 1));
  EXPECT_EQ(Consume("orders"), "2");
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_OK, 4, 1));
  EXPECT_EQ(Consume("orders"), "3");
  EXPECT_EQ(Consume("orders"), "4");
}

TEST_F(SendStreamTest, AWaitIsOverByItsTime) {
  DeclareSized("orders", 1);
  v1::SendStreamRequest open = OpenSending("orders");
  open.mutable_open()->set_wait_ms(20);
  const auto stream = StartSending(client(), open);
  stream->Write(Frame({"1", "2", "3"}, 1));
  EXPECT_THAT(ReadOutcomes(*stream, 3),
              ElementsAre(Told{1, v1::OUTCOME_OK}, Told{2, v1::OUTCOME_TIMED_OUT},
                          Told{3, v1::OUTCOME_TIMED_OUT}));
  EXPECT_EQ(Consume("orders"), "1");
  stream->Write(Frame({"4"}, 4));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_OK, 4, 1));
}

// The client's writes stop being taken; when there is room everything goes on, in order.
TEST_F(SendStreamTest, N12_AFullQueueStopsTheReading) {
  constexpr std::size_t kPayloadBytes = 64 * 1024;
  constexpr std::uint64_t kFramesMost = 200;  // 12 MiB, far beyond every window
  DeclareSized("orders", 1);
  const auto stream = StartSending(client(), OpenSending("orders"));
  std::uint64_t written = 0;
  const auto payload = [](std::uint64_t number) {
    std::string text = std::to_string(number);
    text.resize(kPayloadBytes, ' ');
    return text;
  };
  bool is_taken = true;
  while (is_taken && written < kFramesMost) {
    ++written;
    stream->StartWrite(Frame({payload(written)}, written).SerializeAsString());
    // Held is what is not taken while a message waits; before, the server is only slow.
    Eventually([&, this] {
      is_taken = stream->WaitWritten(milliseconds(500));
      return is_taken || Describe("orders").waiting_sends() == 1;
    });
  }
  ASSERT_FALSE(is_taken) << "nothing held the client back";
  EXPECT_EQ(Describe("orders").depth(), 1u);
  EXPECT_EQ(Describe("orders").waiting_sends(), 1u);
  EXPECT_EQ(Describe("orders").accepted(), 1u);
  // Other streams of the connection are not held (N42): Describe went through it.
  for (std::uint64_t number = 1; number <= written; ++number) {
    ASSERT_EQ(Consume("orders"), payload(number));
  }
  EXPECT_TRUE(stream->WaitWritten(kPatience));
  EXPECT_EQ(ReadOutcomes(*stream, written),
            All(v1::OUTCOME_OK, 1, static_cast<std::uint32_t>(written)));
}

// Clauses: N3 X20
TEST_F(SendStreamTest, WhatWasSentBeforeAHalfCloseGetsItsOutcome) {
  DeclareSized("orders", 2);
  const auto stream = StartSending(client(), OpenSending("orders"));
  for (std::uint64_t i = 1; i <= 6; ++i) stream->Write(Frame({std::to_string(i)}, i));
  stream->HalfClose();
  EXPECT_EQ(ReadOutcomes(*stream, 2), All(v1::OUTCOME_OK, 1, 2));
  EventuallyWaiting("orders", 1);
  EXPECT_EQ(Describe("orders").producers(), 1u);
  for (int i = 1; i <= 6; ++i) EXPECT_EQ(Consume("orders"), std::to_string(i));
  EXPECT_EQ(ReadOutcomes(*stream, 4), All(v1::OUTCOME_OK, 3, 4));
  EXPECT_EQ(ReadClosed<v1::SendStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  ExpectNothingOpen();
}

TEST_F(SendStreamTest, N3_WhatWaitedWhenTheStreamWasLostNeverAppears) {
  DeclareSized("orders", 1);
  auto stream = StartSending(client(), OpenSending("orders"));
  stream->Write(Frame({"1", "2", "3"}, 1));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_OK, 1, 1));
  EventuallyWaiting("orders", 1);
  stream->Cancel();
  EXPECT_EQ(stream->End().error_code(), grpc::StatusCode::CANCELLED);
  EventuallyWaiting("orders", 0);
  Eventually([this] { return Describe("orders").producers() == 0; });
  EXPECT_EQ(Consume("orders"), "1");
  EXPECT_EQ(Receive("orders")->outcome(), v1::OUTCOME_EMPTY);
  EXPECT_EQ(Describe("orders").accepted(), 1u);
  ExpectNothingOpen();
}

TEST_F(SendStreamTest, ANewStreamOfAProducerEndsTheOld) {
  DeclareSized("orders", 1);
  v1::SendStreamRequest open = OpenSending("orders");
  open.mutable_open()->set_producer_id(std::string(16, 'p'));
  const auto old = StartSending(client(), open);
  old->Write(Frame({"1", "2"}, 1));
  EXPECT_EQ(ReadOutcomes(*old, 1), All(v1::OUTCOME_OK, 1, 1));
  EventuallyWaiting("orders", 1);
  v1::SendOpened opened;
  const auto other = Connect();
  const auto fresh = StartSending(*other, open, &opened);
  EXPECT_EQ(opened.last_sequence(), 1u);
  const Fault fault = old->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::ABORTED);
  EXPECT_EQ(fault.reason, "SUPERSEDED");
  EXPECT_EQ(fault.details.at("last_sequence"), "1");
  EXPECT_EQ(Describe("orders").waiting_sends(), 0u);
  EXPECT_EQ(Consume("orders"), "1");
  // The old one's second message never came; the sequence is free, and the first is known.
  fresh->Write(Frame({"1", "2"}, 1));
  const auto frame = fresh->Read<v1::SendStreamResponse>();
  ASSERT_TRUE(frame.has_value());
  ASSERT_EQ(frame->acks_size(), 2) << frame->ShortDebugString();
  EXPECT_TRUE(frame->acks(0).duplicate());
  EXPECT_EQ(frame->acks(0).outcome(), v1::OUTCOME_OK);
  EXPECT_FALSE(frame->acks(1).duplicate());
  EXPECT_EQ(frame->acks(1).outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(Consume("orders"), "2");
}

TEST_F(SendStreamTest, AClosedQueueAnswersAndTheStreamGoesOn) {
  DeclareSized("orders", 1);
  const auto stream = StartSending(client(), OpenSending("orders"));
  stream->Write(Frame({"1", "2"}, 1));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_OK, 1, 1));
  EventuallyWaiting("orders", 1);
  CloseQueue("orders");
  auto frame = stream->Read<v1::SendStreamResponse>();
  ASSERT_TRUE(frame.has_value() && frame->acks_size() == 1);
  EXPECT_EQ(frame->acks(0).outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(frame->acks(0).reason(), v1::CLOSED_REASON_REQUESTED);
  stream->Write(Frame({"3"}, 3));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_CLOSED, 3, 1));
  stream->HalfClose();
  EXPECT_EQ(ReadClosed<v1::SendStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
}

// Clauses: X19
TEST_F(SendStreamTest, N14_OverTheByteBudgetIsFull) {
  v1::QueueSpec spec;
  spec.set_bytes_max(4'096);
  Declare("orders", spec);
  const auto stream = StartSending(client(), OpenSending("orders", v1::SEND_MODE_TRY));
  std::uint64_t sequence = 0;
  v1::Outcome outcome = v1::OUTCOME_OK;
  while (outcome == v1::OUTCOME_OK && sequence < 100) {
    stream->Write(Frame({std::string(400, 'x')}, ++sequence));
    const std::vector<Told> told = ReadOutcomes(*stream, 1);
    ASSERT_EQ(told.size(), 1u);
    outcome = told[0].outcome;
  }
  EXPECT_EQ(outcome, v1::OUTCOME_FULL);
  const v1::QueueDescription seen = Describe("orders");
  EXPECT_LE(seen.retained_bytes(), 4'096u);
  EXPECT_GE(seen.depth(), 4u);
  EXPECT_LE(seen.depth(), 9u);
  Consume("orders");
  stream->Write(Frame({std::string(400, 'x')}, ++sequence));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_OK, sequence, 1));
}

// A client that sends and never reads is held back, too, and loses nothing.
TEST_F(SendStreamTest, WhoDoesNotReadHisAcksGetsThemAll) {
  constexpr std::uint32_t kMessages = 20'000;
  DeclareSized("orders", kMessages);
  const auto stream = StartSending(client(), OpenSending("orders", v1::SEND_MODE_TRY));
  // Each sequence a gap apart, so that no two acks merge into one range.
  std::uint32_t written = 0;
  bool is_held = false;
  while (written < kMessages && !is_held) {
    ++written;
    stream->StartWrite(Frame({"m"}, std::uint64_t{2} * written).SerializeAsString());
    is_held = !stream->WaitWritten(milliseconds(500));
  }
  const std::vector<Told> told = ReadOutcomes(*stream, written);
  ASSERT_EQ(told.size(), written);
  for (std::uint32_t i = 0; i < written; ++i) {
    ASSERT_EQ(told[i], (Told{std::uint64_t{2} * (i + 1), v1::OUTCOME_OK}));
  }
}

}  // namespace
}  // namespace sluice::rpc
