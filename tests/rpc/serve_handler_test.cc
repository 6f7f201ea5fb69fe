// SPDX-License-Identifier: Apache-2.0
// Serve over a socket: attaching, answering, leaving, and what ends the stream.
#include <gmock/gmock.h>

#include "tests/rpc/request_fixture.h"
#include "tests/wire/encode.h"

namespace sluice::rpc {
namespace {

using ::testing::ElementsAre;

class ServeTest : public RequestTest {
 protected:
  void SetUp() override {
    RequestTest::SetUp();
    DeclareResponder("r");
  }
  v1::CallResponse Answered(RawCall& call) {
    auto response = call.Read<v1::CallResponse>();
    EXPECT_TRUE(response.has_value()) << call.End().error_message();
    return response.value_or(v1::CallResponse());
  }
  Fault FaultOfFrames(const std::vector<v1::ServeRequest>& frames) {
    const auto stream = client().Start(kServe);
    for (const v1::ServeRequest& frame : frames) stream->Write(frame);
    const Fault fault = stream->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT) << fault.message;
    return fault;
  }
  void CloseNow() {
    v1::CloseResponderRequest request;
    request.set_responder("r");
    EXPECT_TRUE(client().Ask<v1::CloseResponderResponse>(Method("CloseResponder"), request).ok());
  }
  static v1::ServeRequest WithReply(std::uint64_t call_id) {
    v1::ServeRequest frame;
    frame.add_replies()->set_call_id(call_id);
    return frame;
  }
};

// Clauses: N25
TEST_F(ServeTest, X34_ASecondReplyAndAnInventedOne) {
  const auto worker = StartServing("r");
  const auto call = StartCall(Asking("r"));
  const std::uint64_t id = worker->ReadAssignment().call_id();
  v1::ServeRequest frame;
  for (const std::uint64_t one : {id, id, id + 10}) {
    v1::WorkerReply& reply = *frame.add_replies();
    reply.set_call_id(one);
    reply.mutable_message()->set_payload("x");
    reply.set_last(true);
  }
  worker->Write(frame);
  EXPECT_THAT(worker->ReadResults(3),
              ElementsAre(v1::OUTCOME_OK, v1::OUTCOME_ALREADY_DONE, v1::OUTCOME_UNKNOWN_CALL));
  EXPECT_EQ(Answered(*call).outcome(), v1::OUTCOME_OK);
  const auto next = StartCall(Asking("r"));  // the stream goes on
  worker->Reply(worker->ReadAssignment().call_id(), "y");
  EXPECT_EQ(Answered(*next).message().payload(), "y");
}

// Clauses: N23
TEST_F(ServeTest, ALossIsToldAtOnce) {
  for (const bool is_cancel : {true, false}) {
    const auto worker = StartServing("r");
    const auto call = StartCall(Asking("r"));
    worker->ReadAssignment();
    if (is_cancel) {
      worker->Cancel();
    } else {
      worker->HalfClose();  // without `finish`
      EXPECT_TRUE(worker->End().ok());
    }
    const v1::CallResponse response = Answered(*call);
    EXPECT_EQ(response.outcome(), v1::OUTCOME_RESPONDER_GONE);
    EXPECT_TRUE(response.handed_out());
  }
  EXPECT_EQ(LookAt("r").responder_gone(), 2u);
  EXPECT_EQ(LookAt("r").workers(), 0u);
}

// Clauses: N23
TEST_F(ServeTest, ARetriedCallGoesToAnother) {
  auto lost = StartServing("r");
  v1::CallRequest request = Asking("r", "again");
  request.set_retry_on_responder_loss(true);
  request.set_wait_for_responder(true);
  const auto call = StartCall(request);
  lost->ReadAssignment();
  lost.reset();
  const auto worker = StartServing("r");
  const v1::Assignment assignment = worker->ReadAssignment();
  EXPECT_EQ(assignment.attempts(), 2u);
  EXPECT_EQ(assignment.request().payload(), "again");
  worker->Reply(assignment.call_id(), "done");
  EXPECT_EQ(Answered(*call).message().payload(), "done");
  EXPECT_EQ(LookAt("r").redelivered(), 1u);
}

TEST_F(ServeTest, FinishLetsItAnswerWhatIsHeld) {
  const auto worker = StartServing("r");
  const auto call = StartCall(Asking("r"));
  const std::uint64_t id = worker->ReadAssignment().call_id();
  worker->Finish();
  Eventually([this] { return Page("r")->workers(0).finishing(); });
  EXPECT_EQ(client().Ask<v1::CallResponse>(kCall, Asking("r"))->outcome(),
            v1::OUTCOME_NO_RESPONDER);
  worker->Reply(id, "last");
  EXPECT_THAT(worker->ReadResults(1), ElementsAre(v1::OUTCOME_OK));
  EXPECT_EQ(ReadClosed<v1::ServeResponse>(*worker), v1::CLOSED_REASON_FINISHED);
  EXPECT_EQ(Answered(*call).message().payload(), "last");
}

// `finish` is judged after the replies of its frame, and may come with nothing held.
TEST_F(ServeTest, FinishAfterTheRepliesOfItsFrame) {
  const auto worker = StartServing("r");
  const auto call = StartCall(Asking("r"));
  v1::ServeRequest frame = WithReply(worker->ReadAssignment().call_id());
  frame.mutable_replies(0)->mutable_message()->set_payload("x");
  frame.mutable_replies(0)->set_last(true);
  frame.set_finish(true);
  worker->Write(frame);
  EXPECT_THAT(worker->ReadResults(1), ElementsAre(v1::OUTCOME_OK));
  EXPECT_EQ(ReadClosed<v1::ServeResponse>(*worker), v1::CLOSED_REASON_FINISHED);
  const auto idle = StartServing("r");
  idle->Finish();
  EXPECT_EQ(ReadClosed<v1::ServeResponse>(*idle), v1::CLOSED_REASON_FINISHED);
}

TEST_F(ServeTest, AHalfCloseAfterFinishReleases) {
  const auto worker = StartServing("r");
  v1::CallRequest patient = Asking("r");
  patient.set_wait_for_responder(true);
  const auto unbegun = StartCall(patient);
  const auto begun = StartCall(AskingParts("r"), kCallParts);
  for (const v1::Assignment& one : worker->ReadAssignments(2)) {
    if (one.parts()) worker->Reply(one.call_id(), "a part", false);
  }
  EXPECT_TRUE(begun->Read().has_value());
  worker->ReadResults(1);
  worker->ReadPartCredit();  // it was taken: there is nothing more to tell
  worker->Finish();
  worker->HalfClose();
  EXPECT_EQ(ReadClosed<v1::ServeResponse>(*worker), v1::CLOSED_REASON_FINISHED);
  const auto gone = begun->Read<v1::CallPartsResponse>();
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->outcome(), v1::OUTCOME_RESPONDER_GONE);
  EXPECT_EQ(LookAt("r").depth(), 1u);
}

// Clauses: N23
TEST_F(ServeTest, ACancelAfterFinishLosesWhatIsHeld) {
  for (int time = 0; time < 20; ++time) {  // it looks like a half-close at first
    const auto worker = StartServing("r");
    const auto call = StartCall(Asking("r"));
    worker->ReadAssignment();
    worker->Finish();
    Eventually([this] { return Page("r")->workers(0).finishing(); });
    worker->Cancel();
    EXPECT_EQ(Answered(*call).outcome(), v1::OUTCOME_RESPONDER_GONE);
    Eventually([this] { return Page("r")->workers_size() == 0; });
  }
}

// Clauses: N4
TEST_F(ServeTest, X36_AClosedResponderGoesOnUntilAllIsAnswered) {
  const auto worker = StartServing("r", 1);
  const auto call = StartCall(Asking("r"));
  const std::uint64_t id = worker->ReadAssignment().call_id();
  const auto queued = StartCall(Asking("r"));
  Eventually([this] { return LookAt("r").depth() == 1; });
  CloseNow();
  EXPECT_EQ(Answered(*queued).outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(LookAt("r").state(), v1::RESPONDER_STATE_CLOSED);
  worker->Reply(id, "still");
  EXPECT_THAT(worker->ReadResults(1), ElementsAre(v1::OUTCOME_OK));
  EXPECT_EQ(ReadClosed<v1::ServeResponse>(*worker), v1::CLOSED_REASON_REQUESTED);
  EXPECT_EQ(Answered(*call).message().payload(), "still");
  const auto late = client().Start(kServe);  // on one that has ended
  late->Write(OpenServing("r"));
  EXPECT_EQ(ReadClosed<v1::ServeResponse>(*late), v1::CLOSED_REASON_REQUESTED);
}

TEST_F(ServeTest, OpensWithASpec) {
  v1::ServeRequest open = OpenServing("s");
  EXPECT_EQ(client()
                .Ask<v1::DescribeResponderResponse>(Method("DescribeResponder"),
                                                    v1::DescribeResponderRequest())
                .fault()
                .details.at("field"),
            "responder");
  const auto absent = client().Start(kServe);
  absent->Write(open);
  EXPECT_EQ(absent->EndFault().reason, "RESPONDER_NOT_FOUND");
  open.mutable_open()->mutable_spec()->set_capacity(3);
  const auto worker = StartServing(open);
  EXPECT_EQ(LookAt("s").spec().capacity(), 3u);
  open.mutable_open()->mutable_spec()->set_capacity(4);
  const auto other = client().Start(kServe);
  other->Write(open);
  EXPECT_EQ(other->EndFault().reason, "DECLARED_OTHERWISE");
}

TEST_F(ServeTest, FramesOutOfOrderEndTheStream) {
  EXPECT_EQ(FaultOfFrames({v1::ServeRequest()}).reason, "OUT_OF_ORDER");
  v1::ServeRequest both = OpenServing("r");
  both.set_finish(true);
  EXPECT_EQ(FaultOfFrames({both}).reason, "OUT_OF_ORDER");
  both = OpenServing("r");
  both.mutable_credit();
  EXPECT_EQ(FaultOfFrames({both}).reason, "OUT_OF_ORDER");
  both = OpenServing("r");
  both.MergeFrom(WithReply(1));
  EXPECT_EQ(FaultOfFrames({both}).reason, "OUT_OF_ORDER");
  EXPECT_EQ(FaultOfFrames({OpenServing("r"), OpenServing("r")}).reason, "OUT_OF_ORDER");
  const auto nothing = client().Start(kServe);
  nothing->HalfClose();
  EXPECT_EQ(nothing->EndFault().reason, "OUT_OF_ORDER");
  v1::ServeRequest long_name = OpenServing("r");
  long_name.mutable_open()->set_worker(std::string(256, 'w'));
  EXPECT_EQ(FaultOfFrames({long_name}).details.at("field"), "open.worker");
  ExpectNothingOpen();
}

// A fault is a loss of the stream; nothing of its frame is done.
TEST_F(ServeTest, RepliesAreChecked) {
  const auto fault_of = [this](v1::ServeRequest frame) {
    const auto worker = StartServing("r");
    const auto call = StartCall(Asking("r"));
    const std::uint64_t id = worker->ReadAssignment().call_id();
    v1::ServeRequest both = WithReply(id);  // a good one before it
    both.mutable_replies(0)->set_last(true);
    both.MergeFrom(frame);
    worker->Write(both);
    const Fault fault = worker->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(Answered(*call).outcome(), v1::OUTCOME_RESPONDER_GONE);
    return fault;
  };
  Fault fault = fault_of(WithReply(7));
  EXPECT_EQ(fault.reason, "INVALID_FIELD");
  EXPECT_EQ(fault.details.at("field"), "replies.reply");
  EXPECT_EQ(fault.details.at("call_id"), "7");
  EXPECT_EQ(fault.details.at("index"), "1");
  v1::ServeRequest bad = WithReply(7);
  bad.mutable_replies(0)->mutable_failure()->set_code("_MINE");
  EXPECT_EQ(fault_of(bad).reason, "INVALID_FIELD");
  bad.mutable_replies(0)->mutable_failure()->set_code(std::string(256, 'c'));
  EXPECT_EQ(fault_of(bad).details.at("field"), "replies.failure.code");
  bad.mutable_replies(0)->mutable_failure()->set_code("c");
  bad.mutable_replies(0)->mutable_failure()->set_text(std::string(8'193, 't'));
  EXPECT_EQ(fault_of(bad).details.at("limit"), "8192");
  bad.Clear();
  for (int i = 0; i < 10'000; ++i) bad.add_replies()->set_last(true);
  EXPECT_EQ(fault_of(bad).details.at("field"), "replies");
}

// Clauses: N25
TEST_F(ServeTest, WhatNoParserReadsIsMalformed) {
  using wire::encode::Bytes;
  for (const std::string& reply :
       {Bytes(2, Bytes(3, "\xff")), Bytes(2, "\x0A"), Bytes(2, "") + Bytes(2, ""), Bytes(3, "\x08"),
        std::string("\x10\x01")}) {
    const auto worker = StartServing("r");
    const auto call = StartCall(Asking("r"));
    worker->ReadAssignment();
    worker->Write(std::string_view(Bytes(3, "\x08\x01" + reply)));
    EXPECT_EQ(worker->EndFault().reason, "MALFORMED");
    EXPECT_EQ(Answered(*call).outcome(), v1::OUTCOME_RESPONDER_GONE);
  }
}

// Of a oneof the last one counts, as every parser reads it.
TEST_F(ServeTest, TheLastContentCounts) {
  using wire::encode::Bytes;
  const auto worker = StartServing("r");
  const auto call = StartCall(Asking("r"));
  worker->ReadAssignment();
  worker->Write(std::string_view(
      Bytes(3, "\x08\x01" + Bytes(2, Bytes(1, "message")) + Bytes(3, Bytes(1, "failure")))));
  const v1::CallResponse response = Answered(*call);
  EXPECT_EQ(response.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(response.failure().code(), "failure");
}

TEST_F(ServeTest, CreditMayChange) {
  const auto worker = StartServing("r", 0);
  const auto call = StartCall(Asking("r"));
  Eventually([this] { return LookAt("r").depth() == 1; });
  EXPECT_FALSE(worker->CanRead(std::chrono::milliseconds(20)));
  v1::ServeRequest frame;
  frame.mutable_credit()->set_messages(1);
  worker->Write(frame);
  worker->Reply(worker->ReadAssignment().call_id(), "x");
  EXPECT_EQ(Answered(*call).outcome(), v1::OUTCOME_OK);
}

TEST_F(ServeTest, AFrameOfAssignmentsHoldsAtMostADelivery) {
  const auto worker = StartServing("r");
  const auto stream = client().Start(kCallStream);
  v1::CallStreamRequest frame;
  for (std::uint64_t id = 1; id <= 6; ++id) AddCall(frame, id, "r", std::string(100'000, 'x'));
  AddCall(frame, 7, "r", std::string(900'000, 'x'));
  stream->Write(frame);
  for (int count = 0; count < 7;) {
    const auto response = worker->Read<v1::ServeResponse>();
    ASSERT_TRUE(response.has_value());
    count += response->assignments_size();
    EXPECT_TRUE(response->assignments_size() == 1 || response->ByteSizeLong() <= 257u * 1'024);
  }
}

// Clauses: N41
TEST_F(ServeTest, GoingDown) {
  const auto silent = client().Start(kServe);  // has not opened yet
  const auto idle = StartServing("r", 0);
  Eventually([this] { return Live().streams() == 2; });
  broker_->StartDrain();
  server_->StartDrain();
  EXPECT_EQ(ReadClosed<v1::ServeResponse>(*idle), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(silent->EndFault().reason, "DRAINING");
  const auto late = client().Start(kServe);
  late->Write(OpenServing("r"));
  EXPECT_EQ(late->EndFault().reason, "DRAINING");
}

}  // namespace
}  // namespace sluice::rpc
