// SPDX-License-Identifier: Apache-2.0
// Call and CallParts over a socket.
#include <gmock/gmock.h>

#include "tests/rpc/request_fixture.h"
#include "tests/wire/encode.h"

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class CallHandlerTest : public RequestTest {
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

  // Of calls with so little time that it may be up before a worker has them, on a machine that
  // stands still: then there is another.
  static constexpr int kTries = 10;
};

// Clauses: N22
TEST_F(CallHandlerTest, AsksAndGetsTheReply) {
  const auto worker = StartServing("r");
  v1::CallRequest request = Asking("r", "question");
  (*request.mutable_request()->mutable_headers())["a"] = "1";
  const auto call = StartCall(request);
  const v1::Assignment assignment = worker->ReadAssignment();
  EXPECT_EQ(assignment.call_id(), 1u);
  EXPECT_EQ(assignment.request().SerializeAsString(), request.request().SerializeAsString());
  EXPECT_FALSE(assignment.parts());
  EXPECT_GE(assignment.part_credit(), 1u);
  EXPECT_EQ(assignment.attempts(), 1u);
  worker->Reply(1, "answer");
  const v1::CallResponse response = Answered(*call);
  EXPECT_EQ(response.outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(response.message().payload(), "answer");
  EXPECT_TRUE(response.handed_out());
  EXPECT_TRUE(call->End().ok());
  EXPECT_THAT(worker->ReadResults(1), ElementsAre(v1::OUTCOME_OK));
  EXPECT_EQ(LookAt("r").retained_bytes(), 0u);
}

// Clauses: N26
TEST_F(CallHandlerTest, WithoutAWorkerItFailsAtOnce) {
  const auto answer = client().Ask<v1::CallResponse>(kCall, Asking("r"));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->outcome(), v1::OUTCOME_NO_RESPONDER);
  EXPECT_FALSE(answer->handed_out());
  EXPECT_FALSE(answer->has_message());
}

TEST_F(CallHandlerTest, Faults) {
  const auto fault_of = [this](const v1::CallRequest& request) {
    return client().Ask<v1::CallResponse>(kCall, request).fault();
  };
  EXPECT_EQ(fault_of(Asking("s")).reason, "RESPONDER_NOT_FOUND");
  EXPECT_EQ(fault_of(Asking("a..b")).details.at("field"), "responder");
  v1::ResponderSpec spec;
  spec.set_message_bytes_max(10);
  DeclareResponder("small", spec);
  const Fault large = fault_of(Asking("small", "123456789"));  // 11 encoded
  EXPECT_EQ(large.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(large.details.at("field"), "request");
  EXPECT_EQ(large.details.at("limit"), "10");
  EXPECT_EQ(large.details.at("value"), "11");
  v1::CallRequest headers = Asking("r");
  for (int i = 0; i < 65; ++i) {
    (*headers.mutable_request()->mutable_headers())[std::to_string(i)] = "x";
  }
  EXPECT_EQ(fault_of(headers).details.at("field"), "headers");
  const auto empty = client().Start(kCall);
  empty->HalfClose();
  EXPECT_EQ(empty->EndFault().reason, "OUT_OF_ORDER");
  for (const std::string& bytes :
       {std::string("\xff\xff"), wire::encode::Bytes(2, "\x0A"),
        wire::encode::Bytes(1, "r") + wire::encode::Bytes(2, wire::encode::Bytes(3, "\xff")),
        wire::encode::Bytes(1, "r") + wire::encode::Bytes(2, "") + wire::encode::Bytes(2, "")}) {
    const auto call = client().Start(kCall);
    call->Write(std::string_view(bytes));
    const Fault fault = call->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(fault.reason, "MALFORMED");
  }
  EXPECT_EQ(LookAt("r").accepted(), 0u);
}

// Clauses: N22 N24
TEST_F(CallHandlerTest, TimeIsUp) {
  const auto worker = StartServing("r");
  v1::CallRequest request = Asking("r");
  request.set_timeout_ms(1'000);
  v1::CallResponse response;
  for (int i = 0; i < kTries && !response.handed_out(); ++i) {
    response = Answered(*StartCall(request));
    ASSERT_EQ(response.outcome(), v1::OUTCOME_TIMED_OUT);
  }
  ASSERT_TRUE(response.handed_out());
  const v1::Assignment assignment = worker->ReadAssignment();
  EXPECT_TRUE(assignment.timeout_ms() >= 1 && assignment.timeout_ms() <= 1'000);
  EXPECT_EQ(worker->ReadCancelled(), assignment.call_id());
  worker->Reply(assignment.call_id(), "late");
  EXPECT_THAT(worker->ReadResults(1), ElementsAre(v1::OUTCOME_CLOSED));
}

// Clauses: N22
TEST_F(CallHandlerTest, TheGrpcDeadlineIsTheCallsOwn) {
  const auto worker = StartServing("r");
  v1::CallRequest request = Asking("r");
  request.set_timeout_ms(600'000);
  const auto held = [this] { return Page("r")->workers(0).held(); };
  for (int i = 0; i < kTries && held() == 0; ++i) {
    EXPECT_EQ(StartCall(request, kCall, milliseconds(1'000))->End().error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
    Eventually([this] { return server_->open_calls() == 1; });
  }
  ASSERT_EQ(held(), 1u);
  const v1::Assignment assignment = worker->ReadAssignment();
  // gRPC rounds a deadline up as it writes it.
  EXPECT_TRUE(assignment.timeout_ms() >= 1 && assignment.timeout_ms() <= 1'100);
  EXPECT_EQ(worker->ReadCancelled(), assignment.call_id());
  // A client's own timer resets the stream, too: it is one or the other.
  Eventually([this] {
    const v1::ResponderDescription seen = LookAt("r");
    return seen.timed_out() + seen.cancelled() == seen.accepted();
  });
  EXPECT_EQ(Live().streams(), 1u);
}

// Clauses: N24
TEST_F(CallHandlerTest, LeavingIsToldToTheWorker) {
  const auto worker = StartServing("r");
  const auto call = StartCall(Asking("r"));
  const v1::Assignment assignment = worker->ReadAssignment();
  call->Cancel();
  EXPECT_EQ(worker->ReadCancelled(), assignment.call_id());
  EXPECT_EQ(LookAt("r").cancelled(), 1u);
}

// Clauses: N25
TEST_F(CallHandlerTest, PartsAreGathered) {
  const auto worker = StartServing("r");
  const auto call = StartCall(Asking("r"));
  const std::uint64_t id = worker->ReadAssignment().call_id();
  v1::ServeRequest frame;
  for (int i = 0; i < 3; ++i) {
    v1::WorkerReply& reply = *frame.add_replies();
    reply.set_call_id(id);
    reply.mutable_message()->set_id("id" + std::to_string(i));
    reply.mutable_message()->set_payload(std::string(100, static_cast<char>('a' + i)));
    reply.set_last(i == 2);
  }
  worker->Write(frame);
  const v1::CallResponse response = Answered(*call);
  EXPECT_EQ(response.message().id(), "id0");
  EXPECT_EQ(response.message().payload(),
            std::string(100, 'a') + std::string(100, 'b') + std::string(100, 'c'));
}

// Clauses: N25 N42
TEST_F(CallHandlerTest, PartsComeOneByOneAsTheyAreRead) {
  const auto worker = StartServing("r");
  const auto call = StartCall(AskingParts("r"), kCallParts);
  const v1::Assignment assignment = worker->ReadAssignment();
  EXPECT_TRUE(assignment.parts());
  EXPECT_EQ(assignment.part_credit(), 16u);
  EXPECT_TRUE(assignment.has_request());
  for (int i = 0; i < 20; ++i) {
    if (i >= 16) {
      while (worker->ReadPartCredit().parts() <= static_cast<std::uint64_t>(i)) {
      }
    }
    worker->Reply(assignment.call_id(), std::to_string(i), false);
    const auto part = call->Read<v1::CallPartsResponse>();
    ASSERT_TRUE(part.has_value());
    EXPECT_EQ(part->outcome(), v1::OUTCOME_OK);
    EXPECT_EQ(part->message().payload(), std::to_string(i));
    EXPECT_FALSE(part->last());
  }
  v1::ServeRequest end;
  end.add_replies()->set_call_id(assignment.call_id());
  end.mutable_replies(0)->set_last(true);
  worker->Write(end);
  const auto last = call->Read<v1::CallPartsResponse>();
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->last());
  EXPECT_FALSE(last->has_message());
  EXPECT_EQ(last->outcome(), v1::OUTCOME_OK);
  EXPECT_FALSE(call->Read().has_value());
  EXPECT_TRUE(call->End().ok());
}

// Clauses: N25
TEST_F(CallHandlerTest, OtherOutcomesInParts) {
  auto call = StartCall(AskingParts("r"), kCallParts);
  auto frame = call->Read<v1::CallPartsResponse>();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->outcome(), v1::OUTCOME_NO_RESPONDER);
  EXPECT_TRUE(frame->last());
  const auto worker = StartServing("r");
  call = StartCall(AskingParts("r"), kCallParts);
  v1::ServeRequest failing;
  v1::WorkerReply& reply = *failing.add_replies();
  reply.set_call_id(worker->ReadAssignment().call_id());
  reply.mutable_failure()->set_code("CODE");
  reply.mutable_failure()->set_text("text");
  worker->Write(failing);
  frame = call->Read<v1::CallPartsResponse>();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(frame->failure().code(), "CODE");
  EXPECT_EQ(frame->failure().text(), "text");
  EXPECT_TRUE(frame->last() && frame->handed_out());
  EXPECT_EQ(StartCall(AskingParts("s"), kCallParts)->EndFault().reason, "RESPONDER_NOT_FOUND");
}

// Clauses: N41
TEST_F(CallHandlerTest, X22_APendingCallIsToldOfTheEnd) {
  const auto worker = StartServing("r", 1);
  const auto held = StartCall(Asking("r"));
  worker->ReadAssignment();
  const auto queued = StartCall(Asking("r"));
  Eventually([this] { return LookAt("r").depth() == 1; });
  broker_->StartDrain();
  server_->StartDrain();
  EXPECT_EQ(Answered(*queued).reason(), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(client().Ask<v1::CallResponse>(kCall, Asking("r")).fault().reason, "DRAINING");
  EXPECT_EQ(LookAt("r").in_flight(), 1u);  // looking goes on
  EXPECT_FALSE(broker_->is_drained());
  broker_->FinishDrain();
  server_->EndStreams();
  const v1::CallResponse response = Answered(*held);
  EXPECT_EQ(response.outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(response.reason(), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_TRUE(response.handed_out());
  EXPECT_EQ(ReadClosed<v1::ServeResponse>(*worker), v1::CLOSED_REASON_SHUTTING_DOWN);
}

}  // namespace
}  // namespace sluice::rpc
