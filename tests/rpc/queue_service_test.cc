// SPDX-License-Identifier: Apache-2.0
// The methods of QueueService that answer at once, over a socket.
#include <gmock/gmock.h>

#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kService = "/sluice.v1.QueueService/";

class QueueServiceTest : public RpcTest {
 protected:
  template <class Response, class Request>
  RawClient::Answer<Response> Ask(const std::string& verb, const Request& request) {
    return client().Ask<Response>(kService + verb, request);
  }
  RawClient::Answer<v1::DeclareQueueResponse> AskDeclare(const std::string& queue,
                                                         std::uint64_t capacity) {
    v1::DeclareQueueRequest request;
    request.set_queue(queue);
    request.mutable_spec()->set_capacity(capacity);
    return Ask<v1::DeclareQueueResponse>("DeclareQueue", request);
  }
  std::vector<std::string> List(const std::string& prefix, std::uint32_t page_size,
                                std::string& token) {
    v1::ListQueuesRequest request;
    request.set_prefix(prefix);
    request.set_page_size(page_size);
    request.set_page_token(token);
    const auto answer = Ask<v1::ListQueuesResponse>("ListQueues", request);
    EXPECT_TRUE(answer.ok());
    token = answer->next_page_token();
    std::vector<std::string> names;
    for (const v1::QueueDescription& queue : answer->queues()) names.push_back(queue.name());
    return names;
  }
};

TEST_F(QueueServiceTest, N5_DeclaringTwice) {
  const auto first = AskDeclare("orders", 7);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->created());
  EXPECT_EQ(first->description().name(), "orders");
  EXPECT_EQ(first->description().spec().capacity(), 7u);
  EXPECT_EQ(first->description().spec().max_in_flight(), 1'024u);  // a default, filled in
  EXPECT_EQ(first->description().state(), v1::QUEUE_STATE_OPEN);
  EXPECT_EQ(first->description().next_position(), 1u);
  EXPECT_GT(first->description().epoch(), 0u);
  EXPECT_LT(first->description().epoch(), std::uint64_t{1} << 53);
  const auto again = AskDeclare("orders", 7);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->created());
  EXPECT_EQ(again->description().epoch(), first->description().epoch());
  const Fault otherwise = AskDeclare("orders", 8).fault();
  EXPECT_EQ(otherwise.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(otherwise.reason, "DECLARED_OTHERWISE");
  EXPECT_THAT(otherwise.details.at("field"), ::testing::HasSubstr("capacity"));
  EXPECT_EQ(Describe("orders").spec().capacity(), 7u);
}

TEST_F(QueueServiceTest, DeclarationsAreChecked) {
  const Fault name = AskDeclare("a..b", 1).fault();
  EXPECT_EQ(name.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(name.reason, "INVALID_FIELD");
  const Fault capacity = AskDeclare("orders", 1'048'577).fault();
  EXPECT_EQ(capacity.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(capacity.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(capacity.details.at("limit"), "1048576");
  EXPECT_EQ(capacity.details.at("value"), "1048577");
  v1::DeclareQueueRequest durable;
  durable.set_queue("orders");
  durable.mutable_spec()->set_durability(v1::DURABILITY_DISK);
  const Fault durability = Ask<v1::DeclareQueueResponse>("DeclareQueue", durable).fault();
  EXPECT_EQ(durability.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(durability.reason, "DURABILITY_UNAVAILABLE");
  durable.mutable_spec()->set_durability(static_cast<v1::Durability>(77));
  EXPECT_EQ(Ask<v1::DeclareQueueResponse>("DeclareQueue", durable).fault().reason, "INVALID_FIELD");
  EXPECT_EQ(Live().queues(), 0u);
}

TEST_F(QueueServiceTest, WhatIsNotDeclaredIsNotFound) {
  const auto expect_not_found = [](const Fault& fault) {
    EXPECT_EQ(fault.code, grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(fault.reason, "QUEUE_NOT_FOUND");
  };
  const auto named = [](auto request) {
    request.set_queue("nowhere");
    return request;
  };
  expect_not_found(
      Ask<v1::DescribeQueueResponse>("DescribeQueue", named(v1::DescribeQueueRequest())).fault());
  expect_not_found(
      Ask<v1::CloseQueueResponse>("CloseQueue", named(v1::CloseQueueRequest())).fault());
  expect_not_found(
      Ask<v1::DeleteQueueResponse>("DeleteQueue", named(v1::DeleteQueueRequest())).fault());
  expect_not_found(
      Ask<v1::PurgeQueueResponse>("PurgeQueue", named(v1::PurgeQueueRequest())).fault());
  expect_not_found(Ask<v1::PeekQueueResponse>("PeekQueue", named(v1::PeekQueueRequest())).fault());
  expect_not_found(Ask<v1::SettleResponse>("Settle", named(v1::SettleRequest())).fault());
  expect_not_found(Ask<v1::ReceiveResponse>("Receive", named(v1::ReceiveRequest())).fault());
  v1::SendRequest send;
  send.set_queue("nowhere");
  send.add_messages();
  expect_not_found(Ask<v1::SendResponse>("Send", send).fault());
  const auto sending = client().Start(kSendStream);
  sending->Write(OpenSending("nowhere"));
  expect_not_found(sending->EndFault());
  const auto receiving = client().Start(kReceiveStream);
  receiving->Write(OpenReceiving("nowhere"));
  expect_not_found(receiving->EndFault());
}

TEST_F(QueueServiceTest, AutoDeclareBringsNamesToLifeByUseNotByLooking) {
  broker_options_.auto_declare = true;
  Serve();
  v1::DescribeQueueRequest look;
  look.set_queue("orders");
  EXPECT_EQ(Ask<v1::DescribeQueueResponse>("DescribeQueue", look).fault().code,
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(TrySend("orders", "x"), v1::OUTCOME_OK);
  EXPECT_EQ(Describe("orders").depth(), 1u);
}

TEST_F(QueueServiceTest, ListsByPages) {
  for (const char* name : {"b.2", "a.1", "b.1", "b.3", "c"}) Declare(name);
  std::string token;
  EXPECT_THAT(List("", 0, token), ElementsAre("a.1", "b.1", "b.2", "b.3", "c"));
  EXPECT_EQ(token, "");
  EXPECT_THAT(List("b.", 2, token), ElementsAre("b.1", "b.2"));
  EXPECT_NE(token, "");
  EXPECT_THAT(List("b.", 2, token), ElementsAre("b.3"));
  EXPECT_EQ(token, "");
  EXPECT_THAT(List("b.", 3, token), ElementsAre("b.1", "b.2", "b.3"));
  EXPECT_EQ(token, "");  // exactly a page: there is no other
  EXPECT_THAT(List("d", 0, token), IsEmpty());
  v1::ListQueuesRequest bad;
  bad.set_page_token("no such name!");
  const Fault fault = Ask<v1::ListQueuesResponse>("ListQueues", bad).fault();
  EXPECT_EQ(fault.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(fault.details.at("field"), "page_token");
}

TEST_F(QueueServiceTest, PeekShowsAndChangesNothing) {
  Declare("orders");
  Fill("orders", 3);
  v1::PeekQueueRequest request;
  request.set_queue("orders");
  auto peeked = Ask<v1::PeekQueueResponse>("PeekQueue", request);
  ASSERT_TRUE(peeked.ok());
  auto messages = MessagesOf(peeked->messages(), peeked->runs());
  ASSERT_EQ(messages.size(), 1u);  // max_messages 0 is 1
  EXPECT_EQ(messages[0].payload, "1");
  EXPECT_EQ(messages[0].attempts, 0u);
  request.set_from_position(2);
  request.set_max_messages(100);
  peeked = Ask<v1::PeekQueueResponse>("PeekQueue", request);
  messages = MessagesOf(peeked->messages(), peeked->runs());
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].payload, "2");
  EXPECT_EQ(messages[1].position, 3u);
  EXPECT_EQ(Describe("orders").depth(), 3u);
  EXPECT_EQ(Describe("orders").delivered(), 0u);
}

TEST_F(QueueServiceTest, PurgeDestroysWhatIsQueuedNotWhatIsHeld) {
  Declare("orders");
  Fill("orders", 3);
  const auto held = Receive("orders");
  ASSERT_EQ(held->outcome(), v1::OUTCOME_OK);
  v1::PurgeQueueRequest request;
  request.set_queue("orders");
  const auto purged = Ask<v1::PurgeQueueResponse>("PurgeQueue", request);
  EXPECT_EQ(purged->purged(), 2u);
  const v1::QueueDescription seen = Describe("orders");
  EXPECT_EQ(seen.depth(), 0u);
  EXPECT_EQ(seen.in_flight(), 1u);
  EXPECT_EQ(seen.purged(), 2u);
}

TEST_F(QueueServiceTest, N4_CloseDrainsAndDeleteDestroys) {
  Declare("closed");
  Fill("closed", 1);
  v1::CloseQueueRequest close;
  close.set_queue("closed");
  EXPECT_TRUE(Ask<v1::CloseQueueResponse>("CloseQueue", close).ok());
  EXPECT_TRUE(Ask<v1::CloseQueueResponse>("CloseQueue", close).ok());
  EXPECT_EQ(TrySend("closed", "2"), v1::OUTCOME_CLOSED);
  EXPECT_EQ(Describe("closed").state(), v1::QUEUE_STATE_CLOSED);
  EXPECT_EQ(Consume("closed"), "1");
  const auto over = Receive("closed", 1, 60'000);
  EXPECT_EQ(over->outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(over->reason(), v1::CLOSED_REASON_REQUESTED);
  EXPECT_EQ(over->lease(), 0u);
  const v1::QueueDescription ended = Describe("closed");
  EXPECT_EQ(ended.state(), v1::QUEUE_STATE_ENDED);
  EXPECT_NE(Declare("closed").epoch(), ended.epoch());

  const std::uint64_t epoch = Declare("deleted").epoch();
  Fill("deleted", 2);
  v1::DeleteQueueRequest remove;
  remove.set_queue("deleted");
  const auto deleted = Ask<v1::DeleteQueueResponse>("DeleteQueue", remove);
  EXPECT_EQ(deleted->deleted(), 2u);
  EXPECT_NE(Declare("deleted").epoch(), epoch);
  EXPECT_EQ(Describe("deleted").depth(), 0u);
}

}  // namespace
}  // namespace sluice::rpc
