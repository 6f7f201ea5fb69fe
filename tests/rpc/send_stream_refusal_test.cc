// SPDX-License-Identifier: Apache-2.0
// What a SendStream refuses, and how it tells, over a socket.
#include <gmock/gmock.h>

#include "rpc/limits.h"
#include "tests/rpc/rpc_fixture.h"
#include "tests/wire/encode.h"

namespace sluice::rpc {
namespace {

using SendStreamRefusalTest = RpcTest;

// Nothing of a refused frame is accepted; what came before keeps its outcome.
TEST_F(SendStreamRefusalTest, ARefusedFrameEndsTheStreamAndSaysWhereItStood) {
  Declare("orders");
  const std::string good = wire::encode::Message(wire::encode::Payload("p"));
  const auto refuse = [this](const std::string& frame) {
    const auto stream = StartSending(client(), OpenSending("orders"));
    stream->Write(Frame({"a", "b"}, 1));
    EXPECT_EQ(ReadOutcomes(*stream, 2), All(v1::OUTCOME_OK, 1, 2));
    stream->Write(std::string_view(frame));
    const Fault fault = stream->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(fault.details.at("last_sequence"), "2");
    return fault;
  };
  Fault fault = refuse(good + wire::encode::Message(wire::encode::Id("\xff")));
  EXPECT_EQ(fault.reason, "MALFORMED");
  EXPECT_EQ(fault.details.at("index"), "1");
  EXPECT_EQ(fault.details.at("field"), "id");
  fault = refuse(good + "\x0a\x7f");
  EXPECT_EQ(fault.reason, "MALFORMED");
  fault = refuse(good + wire::encode::Bytes(4, "\xff\xff"));  // a bad `open`
  EXPECT_EQ(fault.reason, "MALFORMED");
  fault = refuse(good + OpenSending("orders").SerializeAsString());
  EXPECT_EQ(fault.reason, "OUT_OF_ORDER");
  EXPECT_EQ(fault.details.at("field"), "open");
  fault = refuse(Frame({"x"}, (std::uint64_t{1} << 53) - 1).SerializeAsString() + good);
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details.at("field"), "first_sequence");
  fault = refuse(Frame({"x", std::string(1u << 20, 'x')}, 3).SerializeAsString());
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details.at("index"), "1");
  EXPECT_EQ(fault.details.at("limit"), "1048576");
  fault = refuse(std::string(kRequestFrameBytesMax + 1, 'x'));
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details.at("field"), "frame");
  EXPECT_EQ(Describe("orders").accepted(), 7u * 2);
  ExpectNothingOpen();
}

TEST_F(SendStreamRefusalTest, TheFirstFrameMustOpen) {
  Declare("orders");
  for (const std::string& first : {Frame({"a"}, 1).SerializeAsString(), std::string()}) {
    const auto stream = client().Start(kSendStream);
    stream->Write(std::string_view(first));
    const Fault fault = stream->EndFault();
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(fault.reason, "OUT_OF_ORDER");
    EXPECT_EQ(fault.details.at("last_sequence"), "0");
  }
  EXPECT_EQ(Describe("orders").accepted(), 0u);
}

TEST_F(SendStreamRefusalTest, TheOpenIsChecked) {
  Declare("orders");
  const auto fault_of = [this](const v1::SendStreamRequest& open) {
    const auto stream = client().Start(kSendStream);
    stream->Write(open);
    return stream->EndFault();
  };
  v1::SendStreamRequest open = OpenSending("orders", static_cast<v1::SendMode>(17));
  EXPECT_EQ(fault_of(open).reason, "INVALID_FIELD");
  open = OpenSending("orders");
  open.mutable_open()->set_producer_id(std::string(15, 'p'));
  EXPECT_EQ(fault_of(open).details.at("field"), "open.producer_id");
  open = OpenSending("orders");
  open.mutable_open()->set_session_id(std::string(17, 's'));
  EXPECT_EQ(fault_of(open).details.at("field"), "open.session_id");
  open.mutable_open()->set_session_id(std::string(16, 's'));
  EXPECT_EQ(fault_of(open).reason, "SESSION_GONE");
  open = OpenSending("orders");
  open.mutable_open()->mutable_spec()->set_capacity(5);
  EXPECT_EQ(fault_of(open).reason, "DECLARED_OTHERWISE");
  ExpectNothingOpen();
}

TEST_F(SendStreamRefusalTest, WithAProducerIdSequencesMustBeGiven) {
  Declare("orders");
  v1::SendStreamRequest open = OpenSending("orders");
  open.mutable_open()->set_producer_id(std::string(16, 'p'));
  const auto stream = StartSending(client(), open);
  stream->Write(Frame({"a"}, 0));
  const Fault fault = stream->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(fault.details.at("field"), "first_sequence");
}

}  // namespace
}  // namespace sluice::rpc
