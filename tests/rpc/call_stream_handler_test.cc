// SPDX-License-Identifier: Apache-2.0
// CallStream over a socket: what is answered, what ends the stream and what does not.
#include <gmock/gmock.h>

#include "tests/rpc/request_fixture.h"
#include "tests/wire/encode.h"

namespace sluice::rpc {
namespace {

class CallStreamTest : public RequestTest {
 protected:
  void SetUp() override {
    RequestTest::SetUp();
    epoch_ = DeclareResponder("r").epoch();
    stream_ = client().Start(kCallStream);
  }
  void Write(const v1::CallStreamRequest& frame) { stream_->Write(frame); }
  // A fault of the stream, after which nothing of it is open.
  Fault Refused() {
    const Fault fault = stream_->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT) << fault.message;
    Eventually([this] { return LookAt("r").depth() == 0; });
    stream_ = client().Start(kCallStream);
    return fault;
  }

  std::uint64_t epoch_ = 0;
  std::unique_ptr<RawCall> stream_;
};

// Clauses: N22 N25
TEST_F(CallStreamTest, AnswersInAnyOrder) {
  const auto worker = StartServing("r");
  v1::CallStreamRequest frame;
  AddCall(frame, 3, "r", "three");
  AddCall(frame, 7, "r", "seven");
  Write(frame);
  const auto assignments = worker->ReadAssignments(2);
  EXPECT_EQ(assignments[1].request().payload(), "seven");
  worker->Reply(assignments[1].call_id(), "to seven");
  v1::CallReply reply = ReadReply(*stream_);
  EXPECT_EQ(reply.call_id(), 7u);
  EXPECT_EQ(reply.message().payload(), "to seven");
  EXPECT_TRUE(reply.last() && reply.handed_out());
  worker->Reply(assignments[0].call_id(), "to three");
  reply = ReadReply(*stream_);
  EXPECT_EQ(reply.call_id(), 3u);
  stream_->HalfClose();
  EXPECT_EQ(ReadClosed<v1::CallStreamResponse>(*stream_), v1::CLOSED_REASON_FINISHED);
  Eventually([this] { return Live().streams() == 1; });  // the worker
}

// Clauses: N26
TEST_F(CallStreamTest, RefusalsDoNotEndIt) {
  v1::ResponderSpec spec;
  spec.set_capacity(1);
  DeclareResponder("full", spec);
  v1::CallStreamRequest frame;
  AddCall(frame, 1, "absent");
  AddCall(frame, 2, "r").set_wait_for_responder(false);
  AddCall(frame, 3, "full");
  AddCall(frame, 4, "full");
  Write(frame);
  const auto answer = stream_->Read<v1::CallStreamResponse>();
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->replies_size(), 3);
  EXPECT_EQ(answer->replies(0).outcome(), v1::OUTCOME_ABSENT);
  EXPECT_EQ(answer->replies(1).outcome(), v1::OUTCOME_NO_RESPONDER);
  EXPECT_EQ(answer->replies(2).outcome(), v1::OUTCOME_FULL);
  for (const v1::CallReply& reply : answer->replies()) EXPECT_TRUE(reply.last());
  const auto worker = StartServing("full");
  worker->Reply(worker->ReadAssignment().call_id(), "x");
  EXPECT_EQ(ReadReply(*stream_).call_id(), 3u);
}

TEST_F(CallStreamTest, OpenCallsAreBounded) {
  v1::ResponderSpec spec;
  spec.set_capacity(5'000);
  DeclareResponder("wide", spec);
  v1::CallStreamRequest frame;
  for (std::uint64_t id = 1; id <= 1'024; ++id) AddCall(frame, id, "wide", "");
  Write(frame);
  Write(OneCall(2'000, "wide"));
  const v1::CallReply reply = ReadReply(*stream_);
  EXPECT_EQ(reply.call_id(), 2'000u);
  EXPECT_EQ(reply.outcome(), v1::OUTCOME_FULL);
  EXPECT_EQ(LookAt("wide").depth(), 1'024u);
  v1::CallStreamRequest cancel;
  cancel.add_cancel(5);
  cancel.add_cancel(5);
  cancel.add_cancel(9'999);  // not open: changes nothing
  AddCall(cancel, 2'001, "wide");
  Write(cancel);  // calls come first in a frame: still full
  EXPECT_EQ(ReadReply(*stream_).call_id(), 2'001u);
  Write(OneCall(2'002, "wide"));
  Eventually([this] { return LookAt("wide").accepted() == 1'025; });
}

TEST_F(CallStreamTest, PartsUnderCredit) {
  const auto worker = StartServing("r");
  v1::CallStreamRequest frame;
  v1::CallStart& start = AddCall(frame, 1, "r");
  start.set_parts(true);
  start.set_part_credit(1);
  Write(frame);
  const v1::Assignment assignment = worker->ReadAssignment();
  EXPECT_TRUE(assignment.parts());
  EXPECT_EQ(assignment.part_credit(), 1u);
  worker->Reply(assignment.call_id(), "one", false);
  const v1::CallReply part = ReadReply(*stream_);
  EXPECT_EQ(part.message().payload(), "one");
  EXPECT_FALSE(part.last());
  v1::CallStreamRequest credit;
  credit.add_part_credit()->set_call_id(1);
  credit.mutable_part_credit(0)->set_parts(2);
  credit.add_part_credit()->set_call_id(77);  // not open: ignored
  Write(credit);
  const v1::PartCredit told = worker->ReadPartCredit();
  EXPECT_EQ(told.call_id(), assignment.call_id());
  EXPECT_EQ(told.parts(), 2u);
  v1::ServeRequest over;
  for (int i = 0; i < 2; ++i) {
    v1::WorkerReply& reply = *over.add_replies();
    reply.set_call_id(assignment.call_id());
    reply.mutable_message()->set_payload("more");
  }
  worker->Write(over);
  EXPECT_THAT(worker->ReadResults(3),
              ::testing::ElementsAre(v1::OUTCOME_OK, v1::OUTCOME_OK, v1::OUTCOME_FAILED));
  const auto rest = stream_->Read<v1::CallStreamResponse>();
  ASSERT_TRUE(rest.has_value());
  ASSERT_EQ(rest->replies_size(), 2);
  EXPECT_EQ(rest->replies(1).outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(rest->replies(1).failure().code(), "_PART_CREDIT");
  EXPECT_TRUE(rest->replies(1).last());
}

TEST_F(CallStreamTest, AFrameHoldsAtMostADelivery) {
  const auto worker = StartServing("r");
  v1::CallStreamRequest frame;
  for (std::uint64_t id = 1; id <= 7; ++id) AddCall(frame, id, "r", "x");
  Write(frame);
  v1::ServeRequest replies;
  for (const v1::Assignment& one : worker->ReadAssignments(7)) {
    v1::WorkerReply& reply = *replies.add_replies();
    reply.set_call_id(one.call_id());
    reply.mutable_message()->set_payload(std::string(one.call_id() == 7 ? 900'000 : 100'000, 'x'));
    reply.set_last(true);
  }
  worker->Write(replies);
  for (int count = 0; count < 7;) {
    const auto answer = stream_->Read<v1::CallStreamResponse>();
    ASSERT_TRUE(answer.has_value());
    count += answer->replies_size();
    EXPECT_TRUE(answer->replies_size() == 1 || answer->ByteSizeLong() <= 257u * 1'024);
  }
}

// A stream that calls many responders keeps nothing of those that it has done with.
TEST_F(CallStreamTest, ManyResponders) {
  for (std::uint64_t i = 1; i <= 40; ++i) {
    const std::string name = "many." + std::to_string(i);
    DeclareResponder(name);
    const auto worker = StartServing(name);
    Write(OneCall(i, name));
    worker->Reply(worker->ReadAssignment().call_id(), name);
    EXPECT_EQ(ReadReply(*stream_).message().payload(), name);
  }
  stream_->HalfClose();
  EXPECT_EQ(ReadClosed<v1::CallStreamResponse>(*stream_), v1::CLOSED_REASON_FINISHED);
}

// Clauses: N24 N25
TEST_F(CallStreamTest, AFaultStartsNothingAndCancelsWhatIsOpen) {
  const auto with_open = [this](const v1::CallStreamRequest& bad) {
    Write(OneCall(5, "r"));
    Eventually([this] { return LookAt("r").depth() == 1; });
    const std::uint64_t accepted = LookAt("r").accepted();
    Write(bad);
    const Fault fault = Refused();
    EXPECT_EQ(LookAt("r").accepted(), accepted);
    return fault;
  };
  v1::CallStreamRequest bad;
  AddCall(bad, 6, "r");
  AddCall(bad, 6, "r");
  Fault fault = with_open(bad);
  EXPECT_EQ(fault.reason, "INVALID_FIELD");
  EXPECT_EQ(fault.details.at("field"), "call_id");
  EXPECT_EQ(fault.details.at("call_id"), "6");
  fault = with_open(OneCall(0, "r"));
  EXPECT_EQ(fault.details.at("field"), "call_id");
  fault = with_open(OneCall((std::uint64_t{1} << 53), "r"));
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  fault = with_open(OneCall(9, "a..b"));
  EXPECT_EQ(fault.reason, "INVALID_FIELD");
  EXPECT_EQ(fault.details.at("call_id"), "9");
  bad = OneCall(9, "r");
  bad.mutable_calls(0)->set_parts(true);
  bad.mutable_calls(0)->set_part_credit(1'025);
  fault = with_open(bad);
  EXPECT_EQ(fault.details.at("limit"), "1024");
  bad = OneCall(9, "r");
  bad.add_part_credit()->set_parts(std::uint64_t{1} << 53);
  EXPECT_EQ(with_open(bad).details.at("field"), "part_credit.parts");
  bad = OneCall(9, "r");
  bad.mutable_calls(0)->mutable_request()->set_payload(std::string((1u << 20) + 1, 'x'));
  fault = with_open(bad);
  EXPECT_EQ(fault.details.at("field"), "request");
  EXPECT_EQ(fault.details.at("call_id"), "9");
  EXPECT_EQ(LookAt("r").cancelled(), 7u);
  EXPECT_EQ(LookAt("r").retained_bytes(), 0u);
}

TEST_F(CallStreamTest, FramesAreBounded) {
  v1::CallStreamRequest frame;
  for (std::uint64_t id = 1; id <= 1'025; ++id) AddCall(frame, id, "r", "");
  Write(frame);
  Fault fault = Refused();
  EXPECT_EQ(fault.details.at("field"), "calls");
  EXPECT_EQ(fault.details.at("limit"), "1024");
  frame.Clear();
  for (int i = 0; i < 10'001; ++i) frame.add_cancel(1);
  Write(frame);
  EXPECT_EQ(Refused().details.at("field"), "cancel");
  frame.Clear();
  for (int i = 0; i < 10'001; ++i) frame.add_part_credit();
  Write(frame);
  EXPECT_EQ(Refused().details.at("field"), "part_credit");
  stream_->Write(std::string_view(std::string((4u << 20) + 1, '\0')));
  EXPECT_EQ(Refused().details.at("field"), "frame");
}

TEST_F(CallStreamTest, WhatNoParserReadsIsMalformed) {
  using wire::encode::Bytes;
  const std::string head = Bytes(2, "r");
  for (const std::string& call :
       {head + Bytes(3, Bytes(3, "\xff")), head + Bytes(3, "\x0A"), head + Bytes(3, "\x0B"),
        head + Bytes(3, "") + Bytes(3, ""), Bytes(2, "\xff"), std::string("\x18\x01")}) {
    stream_->Write(std::string_view(Bytes(1, "\x08\x09" + call)));
    const Fault fault = Refused();
    EXPECT_EQ(fault.reason, "MALFORMED") << fault.message;
  }
  v1::CallStreamRequest headers;
  AddCall(headers, 1, "r");
  v1::CallStart& call = AddCall(headers, 2, "r");
  (*call.mutable_request()->mutable_headers())["k"] = std::string(8'192, 'v');
  Write(headers);
  const Fault fault = Refused();
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details.at("index"), "1");
  EXPECT_EQ(fault.details.at("call_id"), "2");
}

// Clauses: N24
TEST_F(CallStreamTest, ItsLossCancelsWhatIsOpen) {
  const auto worker = StartServing("r", 1);
  v1::CallStreamRequest frame;
  AddCall(frame, 1, "r");
  AddCall(frame, 2, "r");
  Write(frame);
  const std::uint64_t id = worker->ReadAssignment().call_id();
  stream_->Cancel();
  EXPECT_EQ(worker->ReadCancelled(), id);
  Eventually([this] { return LookAt("r").cancelled() == 2; });
}

// Clauses: N41
TEST_F(CallStreamTest, GoingDown) {
  const auto worker = StartServing("r", 1);
  const auto idle = client().Start(kCallStream);
  v1::CallStreamRequest frame;
  AddCall(frame, 1, "r");
  AddCall(frame, 2, "r");
  Write(frame);
  worker->ReadAssignment();
  Eventually([this] { return LookAt("r").depth() == 1 && Live().streams() == 3; });
  broker_->StartDrain();
  server_->StartDrain();
  EXPECT_EQ(ReadClosed<v1::CallStreamResponse>(*idle), v1::CLOSED_REASON_SHUTTING_DOWN);
  v1::CallReply reply = ReadReply(*stream_);
  EXPECT_EQ(reply.call_id(), 2u);
  EXPECT_EQ(reply.reason(), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_FALSE(reply.handed_out());
  broker_->FinishDrain();
  server_->EndStreams();
  reply = ReadReply(*stream_);
  EXPECT_EQ(reply.call_id(), 1u);
  EXPECT_EQ(reply.outcome(), v1::OUTCOME_CLOSED);
  EXPECT_TRUE(reply.handed_out());
  EXPECT_EQ(ReadClosed<v1::CallStreamResponse>(*stream_), v1::CLOSED_REASON_SHUTTING_DOWN);
}

}  // namespace
}  // namespace sluice::rpc
