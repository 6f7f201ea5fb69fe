// SPDX-License-Identifier: Apache-2.0
// What a connection may do wrong, and how often, against a whole server.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <filesystem>
#include <numeric>
#include <string>

#include "rpc/connections.h"
#include "tests/rpc/rpc_fixture.h"
#include "tests/support/sockets.h"

namespace sluice::rpc {
namespace {

using ::testing::HasSubstr;

constexpr char kInfo[] = "/sluice.v1.AdminService/ServerInfo";

class StrikesTest : public RpcTest {
 protected:
  // A unary call with this much in one header.
  static grpc::Status CallWith(grpc::GenericStub& stub, const std::string& name,
                               std::size_t bytes) {
    grpc::ClientContext context;
    context.AddMetadata(name, std::string(bytes, 'x'));
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    grpc::CompletionQueue queue;
    grpc::ByteBuffer response;
    grpc::Status status;
    const auto call = stub.PrepareUnaryCall(&context, kInfo, grpc::ByteBuffer(nullptr, 0), &queue);
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }
  // A small bucket without a leak: however slowly the machine takes what comes.
  void ServeStrictly(std::uint32_t calls_max) {
    options_.streams.streams_per_connection_max = calls_max;
    options_.connections.strikes_max = 500;
    options_.connections.strikes_leak = 0;
    Serve();
  }
  std::uint64_t Cut(Strike strike) {
    return server_->connections().Counts().cut.at(static_cast<std::size_t>(strike));
  }
};

TEST_F(StrikesTest, TooMuchMetadataIsRefusedByName) {
  grpc::GenericStub stub(grpc::CreateChannel(target(), grpc::InsecureChannelCredentials()));
  EXPECT_TRUE(CallWith(stub, "filler", 15 << 10).ok());
  for (const char* name : {"filler", "filler-bin"}) {
    const Fault fault = FaultOf(CallWith(stub, name, 17 << 10));
    EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
    EXPECT_EQ(fault.details.at("field"), "metadata");
    EXPECT_EQ(fault.details.at("limit"), "16384");
    EXPECT_GT(std::stoi(fault.details.at("value")), 17 << 10);
    EXPECT_LT(std::stoi(fault.details.at("value")), 25 << 10);
  }
  EXPECT_EQ(Cut(Strike::kMetadata), 0u);
}

// A client that resets what it begins, for no purpose but that.
TEST_F(StrikesTest, WhoResetsWithoutEndIsCut) {
  ServeStrictly(10);
  Declare("orders");
  const auto good = StartReceiving(client(), OpenReceiving("orders"));
  const Fd bad = ConnectTo(server_->port());
  SendAll(bad, kGreeting);
  std::string flood;
  for (std::uint32_t i = 0; i < 5'000; ++i) flood += Headers(1 + 2 * i, kKeep) + Reset(1 + 2 * i);
  SendAll(bad, flood);
  EXPECT_TRUE(IsEnded(bad));
  Eventually([this] {
    const auto cut = server_->connections().Counts().cut;
    return std::accumulate(cut.begin(), cut.end(), std::uint64_t{0}) == 1;
  });
  EXPECT_EQ(TrySend("orders", "x"), v1::OUTCOME_OK);  // others go on
  EXPECT_EQ(good->ReadMessages(1)[0].payload, "x");
}

// As many as it may have, all cancelled at once: nothing happens to the connection.
TEST_F(StrikesTest, WhoCancelsEverythingOnceIsNot) {
#if defined(__SANITIZE_THREAD__)
  constexpr std::uint32_t kCallsMax = 100;  // a cancelled call is many reports to suppress
#else
  constexpr std::uint32_t kCallsMax = 1'000;
#endif
  options_.streams.streams_per_connection_max = kCallsMax;
  options_.connections.strikes_max = 0;  // so that the bucket's size is that of the calls
  Serve();
  Declare("orders");
  const auto hasty = Connect();
  const auto kept = StartReceiving(*hasty, OpenReceiving("orders"));
  {
    std::vector<std::unique_ptr<RawCall>> calls;
    for (std::uint32_t i = 0; i < kCallsMax * 9 / 10; ++i) calls.push_back(hasty->Start(kKeep));
    for (const auto& call : calls) call->Cancel();
  }
  EXPECT_EQ(TrySend("orders", "x"), v1::OUTCOME_OK);
  EXPECT_EQ(kept->ReadMessages(1)[0].payload, "x");
  EXPECT_EQ(Cut(Strike::kReset), 0u);
}

TEST_F(StrikesTest, WhoIsRefusedWithoutEndIsCut) {
  ServeStrictly(1);
  Declare("orders");
  const Fd bad = ConnectTo(server_->port());
  SendAll(bad, kGreeting);
  std::string flood;
  for (std::uint32_t i = 0; i < 2'500; ++i) flood += Headers(1 + 2 * i, kKeep);
  SendAll(bad, flood);
  EXPECT_TRUE(IsEnded(bad));
  EXPECT_EQ(Cut(Strike::kTooManyStreams), 1u);
  EXPECT_EQ(TrySend("orders", "x"), v1::OUTCOME_OK);
}

// A house that others have filled: who asks again and again is refused, and keeps what it has.
TEST_F(StrikesTest, WhoIsRefusedForOthersIsNotCut) {
  options_.streams.streams_max = 1;
  ServeStrictly(10);
  const auto keep = client().Start(kKeep);
  Eventually([this] { return server_->open_calls() == 1; });
  RawClient other(target());
  for (int i = 0; i < 200; ++i) {
    const auto info = other.Ask<v1::ServerInfoResponse>(kInfo, v1::ServerInfoRequest());
    ASSERT_EQ(info.fault().reason, "TOO_MANY_STREAMS");
    ASSERT_EQ(info.fault().details.at("scope"), "in all");
  }
  EXPECT_EQ(Cut(Strike::kTooManyStreams), 0u);
}

// A call of no method is a call: it is there until its peer has read that there is none.
TEST_F(StrikesTest, CallsOfUnknownMethodsAreBoundedToo) {
  options_.streams.streams_per_connection_max = 1;
  Serve();
  const auto unknown = [this] {
    return client().Ask<v1::ServerInfoResponse>("/no.Such/Method", v1::ServerInfoRequest()).fault();
  };
  EXPECT_EQ(unknown().reason, "METHOD_NOT_SERVED");
  Eventually([this] { return server_->open_calls() == 0; });
  const auto keep = client().Start(kKeep);
  Eventually([this] { return server_->open_calls() == 1; });
  EXPECT_EQ(unknown().reason, "TOO_MANY_STREAMS");
}

TEST_F(StrikesTest, ConnectionsBeyondTheBoundFailAndTheRestGoesOn) {
  options_.connections.connections_max = 1;
  Serve();
  Declare("orders");
  const Fd second = ConnectTo(server_->port());
  EXPECT_TRUE(IsEnded(second));
  EXPECT_EQ(TrySend("orders", "x"), v1::OUTCOME_OK);
  const ConnectionCounts counts = server_->connections().Counts();
  EXPECT_EQ(counts.open, 1u);
  EXPECT_GE(counts.refused[0], 1u);
}

// Clauses: N41
TEST_F(StrikesTest, AServerThatStopsEndsItsConnections) {
  Declare("orders");
  const Fd peer = ConnectTo(server_->port());
  SendAll(peer, kGreeting);
  Eventually([this] { return server_->connections().Counts().open == 2; });
  server_->Stop(std::chrono::milliseconds(0));
  EXPECT_TRUE(IsEnded(peer));
  Eventually([this] { return server_->connections().Counts().open == 0; });
}

// Compressed, a message has any size.
TEST_F(StrikesTest, CompressedMessagesAreRefused) {
  grpc::ChannelArguments arguments;
  arguments.SetCompressionAlgorithm(GRPC_COMPRESS_GZIP);
  grpc::GenericStub stub(
      grpc::CreateCustomChannel(target(), grpc::InsecureChannelCredentials(), arguments));
  EXPECT_EQ(CallWith(stub, "filler", 1).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(StrikesTest, ListensOnAUnixSocket) {
  std::string folder = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  options_.listen = "unix:" + folder + "/socket";
  RpcServer server(options_, *broker_);
  ASSERT_TRUE(server.Start().ok());
  EXPECT_EQ(server.port(), 0);
  RawClient local(options_.listen);
  EXPECT_TRUE(local.Ask<v1::ServerInfoResponse>(kInfo, v1::ServerInfoRequest()).ok());
  EXPECT_EQ(server.connections().Counts().open, 1u);
  server.Stop(std::chrono::milliseconds(0));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sluice::rpc
