// SPDX-License-Identifier: Apache-2.0
// SessionService.Keep over a socket, and what is tied to a session.
#include <gmock/gmock.h>

#include "sluice/v1/session.pb.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

class SessionTest : public RpcTest {
 protected:
  static v1::KeepRequest Keeping(const std::string& id = "", std::uint32_t linger_ms = 0) {
    v1::KeepRequest request;
    request.set_session_id(id);
    request.set_linger_ms(linger_ms);
    return request;
  }
  std::unique_ptr<RawCall> Keep(const v1::KeepRequest& request, v1::KeepResponse& response) {
    auto call = client().Start(kKeep);
    call->Write(request);
    const auto frame = call->Read<v1::KeepResponse>();
    EXPECT_TRUE(frame.has_value());
    if (frame.has_value()) response = *frame;
    return call;
  }
  void EventuallySessions(std::uint64_t count) {
    Eventually([&, this] { return Live().sessions() == count; });
  }
  // Whether a call may still name it.
  bool IsKept(const std::string& id) {
    v1::SendRequest request;
    request.set_queue("orders");
    request.set_mode(v1::SEND_MODE_TRY);
    request.add_messages();
    request.set_session_id(id);
    const auto sent = client().Ask<v1::SendResponse>(kSend, request);
    if (!sent.ok()) {
      EXPECT_EQ(sent.fault().code, grpc::StatusCode::FAILED_PRECONDITION);
      EXPECT_EQ(sent.fault().reason, "SESSION_GONE");
    }
    return sent.ok();
  }
};

TEST_F(SessionTest, ANewSessionHasAnIdAndAFence) {
  Declare("orders");
  v1::KeepResponse one, two;
  const auto first = Keep(Keeping(), one);
  const auto second = Keep(Keeping(), two);
  EXPECT_EQ(one.session_id().size(), 16u);
  EXPECT_FALSE(one.resumed());
  EXPECT_GT(one.fence(), 0u);
  EXPECT_NE(two.session_id(), one.session_id());
  EXPECT_EQ(Live().sessions(), 2u);
  EXPECT_TRUE(IsKept(one.session_id()));
}

TEST_F(SessionTest, AHalfCloseEndsItAtOnce) {
  Declare("orders");
  v1::KeepResponse kept;
  const auto stream = Keep(Keeping("", 600'000), kept);
  stream->HalfClose();
  EXPECT_EQ(ReadClosed<v1::KeepResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  EXPECT_EQ(Live().sessions(), 0u);
  EXPECT_FALSE(IsKept(kept.session_id()));
}

TEST_F(SessionTest, ALostStreamEndsItUnlessItLingers) {
  Declare("orders");
  v1::KeepResponse kept;
  Keep(Keeping(), kept)->Cancel();
  EventuallySessions(0);
  EXPECT_FALSE(IsKept(kept.session_id()));
  Keep(Keeping("", 600'000), kept).reset();
  Eventually([this] { return Live().streams() == 0; });
  EXPECT_EQ(Live().sessions(), 1u);
  EXPECT_TRUE(IsKept(kept.session_id()));
  v1::KeepResponse again;
  const auto stream = Keep(Keeping(kept.session_id(), 600'000), again);
  EXPECT_TRUE(again.resumed());
  EXPECT_EQ(again.session_id(), kept.session_id());
  EXPECT_GT(again.fence(), kept.fence());
}

TEST_F(SessionTest, LingeringIsOverByItsTime) {
  v1::KeepResponse kept;
  Keep(Keeping("", 20), kept).reset();
  EventuallySessions(0);
  v1::KeepResponse again;
  const auto stream = Keep(Keeping(kept.session_id()), again);
  EXPECT_FALSE(again.resumed());
  EXPECT_NE(again.session_id(), kept.session_id());
}

TEST_F(SessionTest, TheLastFramesLingerHolds) {
  v1::KeepResponse kept;
  auto stream = Keep(Keeping(), kept);
  stream->Write(Keeping(kept.session_id(), 600'000));
  stream->Write(Keeping("", 500'000));
  // The frames get no answer: another stream takes the session over, and the old one's linger is
  // over.
  v1::KeepResponse again;
  const auto next = Keep(Keeping(kept.session_id()), again);
  EXPECT_TRUE(again.resumed());
  EXPECT_EQ(stream->EndFault().reason, "SUPERSEDED");
}

TEST_F(SessionTest, WhoTakesItUpEndsTheOtherStream) {
  Declare("orders");
  v1::KeepResponse one, two;
  const auto old = Keep(Keeping(), one);
  const auto fresh = Keep(Keeping(one.session_id()), two);
  EXPECT_TRUE(two.resumed());
  EXPECT_GT(two.fence(), one.fence());
  const Fault fault = old->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::ABORTED);
  EXPECT_EQ(fault.reason, "SUPERSEDED");
  EXPECT_EQ(fault.details.at("fence"), std::to_string(two.fence()));
  EXPECT_TRUE(IsKept(one.session_id()));  // the end of the old stream is not the session's
  EXPECT_EQ(Live().sessions(), 1u);
}

TEST_F(SessionTest, FieldsAreChecked) {
  const auto field_of = [this](const v1::KeepRequest& request) {
    const auto stream = client().Start(kKeep);
    stream->Write(request);
    const Fault fault = stream->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(fault.details.count("field"), 1u) << fault.message;
    return fault.details.count("field") != 0 ? fault.reason + " " + fault.details.at("field") : "";
  };
  EXPECT_EQ(field_of(Keeping("short")), "INVALID_FIELD session_id");
  EXPECT_EQ(field_of(Keeping("", 43'200'001)), "OUT_OF_BOUNDS linger_ms");
  v1::KeepResponse kept;
  const auto stream = Keep(Keeping(), kept);
  stream->Write(Keeping(std::string(16, 'x')));
  EXPECT_EQ(stream->EndFault().reason, "INVALID_FIELD");
  const auto empty = client().Start(kKeep);
  empty->HalfClose();
  EXPECT_EQ(empty->EndFault().reason, "OUT_OF_ORDER");
  const auto garbage = client().Start(kKeep);
  garbage->Write("\xff\xff");
  EXPECT_EQ(garbage->EndFault().reason, "MALFORMED");
  EventuallySessions(0);
}

TEST_F(SessionTest, TheirNumberIsBounded) {
  broker_options_.limits.sessions_max = 2;
  Serve();
  v1::KeepResponse kept;
  const auto first = Keep(Keeping(), kept);
  auto second = Keep(Keeping(), kept);
  const auto third = client().Start(kKeep);
  third->Write(Keeping());
  const Fault fault = third->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(fault.reason, "TOO_MANY_SESSIONS");
  EXPECT_EQ(fault.details.at("limit"), "2");
  second.reset();
  EventuallySessions(1);
  Keep(Keeping(), kept);
}

TEST_F(SessionTest, N3_ItsEndCancelsWhatWaits) {
  DeclareSized("orders", 1);
  Fill("orders", 1);
  v1::KeepResponse kept;
  const auto session = Keep(Keeping(), kept);
  v1::SendRequest request;
  request.set_queue("orders");
  request.set_session_id(kept.session_id());
  request.set_first_sequence(1);
  request.add_messages();
  const auto waiting = client().Start(kSend);
  waiting->Write(request);
  waiting->HalfClose();
  Eventually([this] { return Describe("orders").waiting_sends() == 1; });
  EXPECT_EQ(Describe("orders").producers(), 1u);
  session->HalfClose();
  EXPECT_EQ(ReadClosed<v1::KeepResponse>(*session), v1::CLOSED_REASON_FINISHED);
  const auto response = waiting->Read<v1::SendResponse>();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(OutcomesOf(response->acks()), All(v1::OUTCOME_UNKNOWN, 1, 1));
  EXPECT_EQ(Describe("orders").waiting_sends(), 0u);
  EXPECT_EQ(Describe("orders").producers(), 0u);
  EXPECT_EQ(Describe("orders").accepted(), 1u);
}

TEST_F(SessionTest, ItsEndGivesBackWhatIsLeased) {
  Declare("orders");
  Fill("orders", 1);
  v1::KeepResponse kept;
  const auto session = Keep(Keeping(), kept);
  v1::ReceiveRequest request;
  request.set_queue("orders");
  request.set_session_id(kept.session_id());
  const auto leased = client().Ask<v1::ReceiveResponse>(kReceive, request);
  ASSERT_EQ(leased->outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(Describe("orders").in_flight(), 1u);
  // Another, that waits: with its session it comes back empty.
  const auto waiting = client().Start(kReceive);
  request.set_wait_ms(600'000);
  waiting->Write(request);
  Eventually([this] { return Describe("orders").waiting_receives() == 1; });
  session->Cancel();
  EventuallySessions(0);
  const auto response = waiting->Read<v1::ReceiveResponse>();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->outcome(), v1::OUTCOME_EMPTY);
  Eventually([this] { return Describe("orders").in_flight() == 0; });
  EXPECT_EQ(Consume("orders"), "1");
}

TEST_F(SessionTest, ItsEndEndsItsSendStreams) {
  Declare("orders");
  v1::KeepResponse kept;
  const auto session = Keep(Keeping(), kept);
  v1::SendStreamRequest open = OpenSending("orders");
  open.mutable_open()->set_session_id(kept.session_id());
  const auto stream = StartSending(client(), open);
  stream->Write(Frame({"a"}, 1));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_OK, 1, 1));
  session->HalfClose();
  const Fault fault = stream->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(fault.reason, "SESSION_GONE");
  EXPECT_EQ(fault.details.at("last_sequence"), "1");
}

TEST_F(SessionTest, N1_ATiedQueueEndsWithItsLastProducer) {
  v1::QueueSpec spec;
  spec.set_lifetime(v1::LIFETIME_TIED);
  Declare("orders", spec);
  v1::KeepResponse kept;
  const auto session = Keep(Keeping(), kept);
  ASSERT_TRUE(IsKept(kept.session_id()));  // the session's first Send makes it a producer
  EXPECT_EQ(Describe("orders").state(), v1::QUEUE_STATE_OPEN);
  session->HalfClose();
  EXPECT_EQ(ReadClosed<v1::KeepResponse>(*session), v1::CLOSED_REASON_FINISHED);
  EXPECT_EQ(Describe("orders").state(), v1::QUEUE_STATE_CLOSED);
  EXPECT_EQ(Describe("orders").closed_reason(), v1::CLOSED_REASON_PRODUCERS_GONE);
}

}  // namespace
}  // namespace sluice::rpc
