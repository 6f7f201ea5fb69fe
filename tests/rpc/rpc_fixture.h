// SPDX-License-Identifier: Apache-2.0
// The daemon's network side in the test's own process: a broker, a server on a free port of the
// loopback with two completion queues, and one client connection.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/broker.h"
#include "rpc/rpc_server.h"
#include "sluice/v1/admin.pb.h"
#include "sluice/v1/queue.pb.h"
#include "tests/rpc/raw_client.h"

namespace sluice::rpc {

inline constexpr char kSend[] = "/sluice.v1.QueueService/Send";
inline constexpr char kSendStream[] = "/sluice.v1.QueueService/SendStream";
inline constexpr char kReceive[] = "/sluice.v1.QueueService/Receive";
inline constexpr char kReceiveStream[] = "/sluice.v1.QueueService/ReceiveStream";
inline constexpr char kSettle[] = "/sluice.v1.QueueService/Settle";
inline constexpr char kKeep[] = "/sluice.v1.SessionService/Keep";

// One message as it came.
struct Got {
  std::string payload;
  std::uint64_t position = 0;
  std::uint32_t attempts = 0;
  std::uint32_t failures = 0;
};
// The messages of a frame with what its runs say. Runs that do not partition them fail the test.
std::vector<Got> MessagesOf(const google::protobuf::RepeatedPtrField<v1::Message>& messages,
                            const google::protobuf::RepeatedPtrField<v1::Run>& runs);

// One outcome a message, by its sequence.
struct Told {
  std::uint64_t sequence = 0;
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  friend bool operator==(const Told&, const Told&) = default;
};
std::vector<Told> OutcomesOf(const google::protobuf::RepeatedPtrField<v1::Ack>& acks);
// `count` of one outcome from `first` on.
std::vector<Told> All(v1::Outcome outcome, std::uint64_t first, std::uint32_t count);

v1::SendStreamRequest OpenSending(const std::string& queue, v1::SendMode mode = v1::SEND_MODE_WAIT);
v1::SendStreamRequest Frame(const std::vector<std::string>& payloads,
                            std::uint64_t first_sequence = 0);
v1::ReceiveStreamRequest OpenReceiving(const std::string& queue, std::uint32_t credit = 64,
                                       v1::AttachMode mode = v1::ATTACH_MODE_REFUSE);
v1::ReceiveStreamRequest Settling(v1::SettleAction action, std::uint64_t first_position,
                                  std::uint32_t count);
v1::ReceiveStreamRequest Finishing();

// Reads until `count` outcomes have come (at least), or the stream has ended.
std::vector<Told> ReadOutcomes(RawCall& call, std::size_t count);
// A ReceiveStream: messages and results come in the same frames, and are read apart here.
class ReceiveCall final : public RawCall {
 public:
  using RawCall::RawCall;
  // The next `count`; when the stream ends before, the test fails and the rest is empty.
  std::vector<Got> ReadMessages(std::size_t count);
  std::vector<v1::SettleResult> ReadResults(std::size_t count);
  // Acknowledges and reads the result, which must be OK.
  void Ack(std::uint64_t first_position, std::uint32_t count);

 private:
  bool ReadMore();

  std::deque<Got> messages_;  // read, and not asked for
  std::deque<v1::SettleResult> results_;
};
// The last frame of a stream, then its status, which must be OK.
template <class Response>
v1::ClosedReason ReadClosed(RawCall& call) {
  const auto frame = call.Read<Response>();
  if (!frame.has_value() || !frame->has_closed()) {
    ADD_FAILURE() << "closed was expected; there came "
                  << (frame ? frame->ShortDebugString() : call.End().error_message());
    return v1::CLOSED_REASON_UNSPECIFIED;
  }
  EXPECT_FALSE(call.Read().has_value());
  const grpc::Status status = call.End();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return frame->closed().reason();
}

class RpcTest : public ::testing::Test {
 protected:
  RpcTest();
  ~RpcTest() override;

  void SetUp() override { Serve(); }
  // Starts anew with what `options_` and `broker_options_` say now.
  void Serve();

  RawClient& client() { return *client_; }
  std::unique_ptr<RawClient> Connect() const;
  std::string target() const;

  v1::QueueDescription Declare(const std::string& queue, const v1::QueueSpec& spec = {});
  v1::QueueDescription DeclareSized(const std::string& queue, std::uint64_t capacity);
  v1::QueueDescription Describe(const std::string& queue);
  // One unary Send of one message in mode TRY.
  v1::Outcome TrySend(const std::string& queue, const std::string& payload);
  void Fill(const std::string& queue, int count);  // payloads "1", "2", ...
  RawClient::Answer<v1::ReceiveResponse> Receive(const std::string& queue,
                                                 std::uint32_t max_messages = 1,
                                                 std::uint32_t wait_ms = 0);
  RawClient::Answer<v1::SettleResponse> Settle(const std::string& queue, std::uint64_t lease,
                                               v1::SettleAction action,
                                               std::uint64_t first_position, std::uint32_t count);
  // Receives and acknowledges one; its payload.
  std::string Consume(const std::string& queue);

  // Streams that are open: the answers to `open` have been read.
  std::unique_ptr<RawCall> StartSending(RawClient& client, const v1::SendStreamRequest& open,
                                        v1::SendOpened* opened = nullptr);
  std::unique_ptr<ReceiveCall> StartReceiving(RawClient& client,
                                              const v1::ReceiveStreamRequest& open,
                                              v1::Attached* attached = nullptr);

  v1::LiveCounts Live();
  std::vector<v1::StreamDescription> Streams();
  // Asks until it holds; the test fails when it does not in time.
  static void Eventually(const std::function<bool()>& condition);
  // Nothing is left of what clients did.
  void ExpectNothingOpen();

  SystemClock clock_;
  broker::BrokerOptions broker_options_;
  RpcServerOptions options_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<RpcServer> server_;
  std::unique_ptr<RawClient> client_;
};

}  // namespace sluice::rpc
