// SPDX-License-Identifier: Apache-2.0
#include "tests/rpc/rpc_fixture.h"

#include <numeric>
#include <thread>

namespace sluice::rpc {

std::vector<Got> MessagesOf(const google::protobuf::RepeatedPtrField<v1::Message>& messages,
                            const google::protobuf::RepeatedPtrField<v1::Run>& runs) {
  std::vector<Got> all;
  for (const v1::Run& run : runs) {
    EXPECT_GT(run.count(), 0u);
    EXPECT_GT(run.accepted_unix_us(), 0u);
    for (std::uint32_t i = 0; i < run.count(); ++i) {
      Got got;
      got.position = run.first_position() + i;
      got.attempts = run.attempts();
      got.failures = run.failures();
      if (all.size() < static_cast<std::size_t>(messages.size())) {
        got.payload = messages[static_cast<int>(all.size())].payload();
      }
      all.push_back(std::move(got));
    }
  }
  EXPECT_EQ(all.size(), static_cast<std::size_t>(messages.size()));
  return all;
}

std::vector<Told> OutcomesOf(const google::protobuf::RepeatedPtrField<v1::Ack>& acks) {
  std::vector<Told> all;
  for (const v1::Ack& ack : acks) {
    for (std::uint32_t i = 0; i < ack.count(); ++i) {
      all.push_back({ack.first_sequence() + i, ack.outcome()});
    }
  }
  return all;
}

std::vector<Told> All(v1::Outcome outcome, std::uint64_t first, std::uint32_t count) {
  std::vector<Told> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back({first + i, outcome});
  return all;
}

v1::SendStreamRequest OpenSending(const std::string& queue, v1::SendMode mode) {
  v1::SendStreamRequest frame;
  frame.mutable_open()->set_queue(queue);
  frame.mutable_open()->set_mode(mode);
  return frame;
}

v1::SendStreamRequest Frame(const std::vector<std::string>& payloads,
                            std::uint64_t first_sequence) {
  v1::SendStreamRequest frame;
  for (const std::string& payload : payloads) frame.add_messages()->set_payload(payload);
  frame.set_first_sequence(first_sequence);
  return frame;
}

v1::ReceiveStreamRequest OpenReceiving(const std::string& queue, std::uint32_t credit,
                                       v1::AttachMode mode) {
  v1::ReceiveStreamRequest frame;
  frame.mutable_open()->set_queue(queue);
  frame.mutable_open()->set_mode(mode);
  frame.mutable_open()->mutable_credit()->set_messages(credit);
  return frame;
}

v1::ReceiveStreamRequest Settling(v1::SettleAction action, std::uint64_t first_position,
                                  std::uint32_t count) {
  v1::ReceiveStreamRequest frame;
  v1::Settlement& settlement = *frame.add_settlements();
  settlement.set_action(action);
  settlement.set_first_position(first_position);
  settlement.set_count(count);
  return frame;
}

v1::ReceiveStreamRequest Finishing() {
  v1::ReceiveStreamRequest frame;
  frame.set_finish(true);
  return frame;
}

std::vector<Told> ReadOutcomes(RawCall& call, std::size_t count) {
  std::vector<Told> all;
  while (all.size() < count) {
    const auto frame = call.Read<v1::SendStreamResponse>();
    if (!frame.has_value()) break;
    EXPECT_FALSE(frame->has_closed()) << frame->ShortDebugString();
    for (const Told& told : OutcomesOf(frame->acks())) all.push_back(told);
  }
  return all;
}

bool ReceiveCall::ReadMore() {
  const auto frame = Read<v1::ReceiveStreamResponse>();
  if (!frame.has_value() || frame->has_closed()) {
    ADD_FAILURE() << "the stream ended too soon: " << (frame ? frame->ShortDebugString() : "");
    return false;
  }
  for (Got& got : MessagesOf(frame->messages(), frame->runs())) {
    messages_.push_back(std::move(got));
  }
  results_.insert(results_.end(), frame->settled().begin(), frame->settled().end());
  return true;
}

std::vector<Got> ReceiveCall::ReadMessages(std::size_t count) {
  while (messages_.size() < count && ReadMore()) {
  }
  std::vector<Got> all(count);
  for (std::size_t i = 0; i < count && !messages_.empty(); ++i) {
    all[i] = std::move(messages_.front());
    messages_.pop_front();
  }
  return all;
}

std::vector<v1::SettleResult> ReceiveCall::ReadResults(std::size_t count) {
  while (results_.size() < count && ReadMore()) {
  }
  std::vector<v1::SettleResult> all(count);
  for (std::size_t i = 0; i < count && !results_.empty(); ++i) {
    all[i] = std::move(results_.front());
    results_.pop_front();
  }
  return all;
}

void ReceiveCall::Ack(std::uint64_t first_position, std::uint32_t count) {
  Write(Settling(v1::SETTLE_ACTION_ACK, first_position, count));
  const v1::SettleResult result = ReadResults(1)[0];
  EXPECT_EQ(result.outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(result.settled(), count);
}

RpcTest::RpcTest() {
  options_.listen = "127.0.0.1:0";
  options_.queues = 2;
  options_.drain_requested = [](std::chrono::milliseconds) {};
}

RpcTest::~RpcTest() {
  client_.reset();
  if (server_ != nullptr) server_->Stop(std::chrono::milliseconds(0));
}

void RpcTest::Serve() {
  client_.reset();
  server_.reset();
  broker_ = std::make_unique<broker::Broker>(broker_options_, clock_);
  server_ = std::make_unique<RpcServer>(options_, *broker_);
  const Status started = server_->Start();
  ASSERT_TRUE(started.ok()) << started.message();
  client_ = Connect();
}

std::string RpcTest::target() const { return "127.0.0.1:" + std::to_string(server_->port()); }

std::unique_ptr<RawClient> RpcTest::Connect() const {
  return std::make_unique<RawClient>(target());
}

v1::QueueDescription RpcTest::Declare(const std::string& queue, const v1::QueueSpec& spec) {
  v1::DeclareQueueRequest request;
  request.set_queue(queue);
  *request.mutable_spec() = spec;
  const auto answer =
      client().Ask<v1::DeclareQueueResponse>("/sluice.v1.QueueService/DeclareQueue", request);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return answer->description();
}

v1::QueueDescription RpcTest::DeclareSized(const std::string& queue, std::uint64_t capacity) {
  v1::QueueSpec spec;
  spec.set_capacity(capacity);
  return Declare(queue, spec);
}

v1::QueueDescription RpcTest::Describe(const std::string& queue) {
  v1::DescribeQueueRequest request;
  request.set_queue(queue);
  const auto answer =
      client().Ask<v1::DescribeQueueResponse>("/sluice.v1.QueueService/DescribeQueue", request);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  const v1::QueueDescription& seen = answer->description();
  EXPECT_EQ(seen.accepted(),
            seen.settled() + seen.purged() + seen.deleted() + seen.depth() + seen.in_flight());
  return seen;
}

v1::Outcome RpcTest::TrySend(const std::string& queue, const std::string& payload) {
  v1::SendRequest request;
  request.set_queue(queue);
  request.set_mode(v1::SEND_MODE_TRY);
  request.add_messages()->set_payload(payload);
  const auto answer = client().Ask<v1::SendResponse>(kSend, request);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return answer->acks_size() == 1 ? answer->acks(0).outcome() : v1::OUTCOME_UNSPECIFIED;
}

void RpcTest::Fill(const std::string& queue, int count) {
  for (int i = 1; i <= count; ++i) {
    ASSERT_EQ(TrySend(queue, std::to_string(i)), v1::OUTCOME_OK);
  }
}

RawClient::Answer<v1::ReceiveResponse> RpcTest::Receive(const std::string& queue,
                                                        std::uint32_t max_messages,
                                                        std::uint32_t wait_ms) {
  v1::ReceiveRequest request;
  request.set_queue(queue);
  request.set_max_messages(max_messages);
  request.set_wait_ms(wait_ms);
  return client().Ask<v1::ReceiveResponse>(kReceive, request);
}

RawClient::Answer<v1::SettleResponse> RpcTest::Settle(const std::string& queue, std::uint64_t lease,
                                                      v1::SettleAction action,
                                                      std::uint64_t first_position,
                                                      std::uint32_t count) {
  v1::SettleRequest request;
  request.set_queue(queue);
  v1::Settlement& settlement = *request.add_settlements();
  settlement.set_lease(lease);
  settlement.set_action(action);
  settlement.set_first_position(first_position);
  settlement.set_count(count);
  return client().Ask<v1::SettleResponse>(kSettle, request);
}

std::string RpcTest::Consume(const std::string& queue) {
  const auto received = Receive(queue, 1, 10'000);
  const auto messages = MessagesOf(received->messages(), received->runs());
  if (messages.size() != 1) {
    ADD_FAILURE() << "one message was expected, the outcome is " << received->outcome() << ", "
                  << received.status.error_message();
    return "";
  }
  const auto settled =
      Settle(queue, received->lease(), v1::SETTLE_ACTION_ACK, messages[0].position, 1);
  EXPECT_TRUE(settled.ok() && settled->results(0).outcome() == v1::OUTCOME_OK);
  return messages[0].payload;
}

std::unique_ptr<RawCall> RpcTest::StartSending(RawClient& client, const v1::SendStreamRequest& open,
                                               v1::SendOpened* opened) {
  auto call = client.Start(kSendStream);
  EXPECT_TRUE(call->Write(open));
  const auto frame = call->Read<v1::SendStreamResponse>();
  EXPECT_TRUE(frame.has_value() && frame->has_opened());
  if (opened != nullptr && frame.has_value()) *opened = frame->opened();
  return call;
}

std::unique_ptr<ReceiveCall> RpcTest::StartReceiving(RawClient& client,
                                                     const v1::ReceiveStreamRequest& open,
                                                     v1::Attached* attached) {
  auto call = client.Start<ReceiveCall>(kReceiveStream);
  EXPECT_TRUE(call->Write(open));
  const auto frame = call->Read<v1::ReceiveStreamResponse>();
  EXPECT_TRUE(frame.has_value() && frame->has_attached());
  if (attached != nullptr && frame.has_value()) *attached = frame->attached();
  return call;
}

v1::LiveCounts RpcTest::Live() {
  const auto answer = client().Ask<v1::ServerInfoResponse>("/sluice.v1.AdminService/ServerInfo",
                                                           v1::ServerInfoRequest());
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return answer->live();
}

std::vector<v1::StreamDescription> RpcTest::Streams() {
  const auto answer = client().Ask<v1::ListStreamsResponse>("/sluice.v1.AdminService/ListStreams",
                                                            v1::ListStreamsRequest());
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return {answer->streams().begin(), answer->streams().end()};
}

void RpcTest::Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it did not come true in time";
    std::this_thread::yield();
  }
}

void RpcTest::ExpectNothingOpen() {
  Eventually([this] {
    const v1::LiveCounts live = Live();
    return live.streams() == 0 && live.calls() == 1 && live.waiting_sends() == 0 &&
           live.waiting_receives() == 0 && live.producers() == 0 && live.consumers() == 0;
  });
}

}  // namespace sluice::rpc
