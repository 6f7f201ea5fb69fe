// SPDX-License-Identifier: Apache-2.0
// The methods of TopicService that are answered at once.
#include <gtest/gtest.h>

#include "tests/rpc/topic_rpc_fixture.h"

namespace sluice::rpc {
namespace {

class TopicServiceTest : public TopicRpcTest {
 protected:
  Fault RefusalOfDeclaring(const v1::DeclareTopicRequest& request) {
    return client().Ask<v1::DeclareTopicResponse>(kTopicService + "DeclareTopic", request).fault();
  }
};

// Clauses: N5 N6 B1
TEST_F(TopicServiceTest, DeclaringFillsInAndFindsAgain) {
  v1::DeclareTopicRequest request;
  request.set_topic("prices");
  request.mutable_spec()->set_capacity(100);
  request.mutable_spec()->set_policy(v1::SLOW_POLICY_BLOCK);
  request.mutable_spec()->set_resume_window_ms(0);
  auto made = client().Ask<v1::DeclareTopicResponse>(kTopicService + "DeclareTopic", request);
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->created());
  const v1::TopicDescription& description = made->description();
  EXPECT_EQ(description.name(), "prices");
  EXPECT_EQ(description.spec().capacity(), 128u);
  EXPECT_EQ(description.spec().bytes_max(), 64u << 20);
  EXPECT_EQ(description.spec().message_bytes_max(), 1u << 20);
  EXPECT_EQ(description.spec().policy(), v1::SLOW_POLICY_BLOCK);
  EXPECT_EQ(description.spec().block_ms(), 5'000u);
  EXPECT_TRUE(description.spec().has_resume_window_ms());
  EXPECT_EQ(description.spec().resume_window_ms(), 0u);
  EXPECT_EQ(description.spec().lifetime(), v1::LIFETIME_STANDING);
  EXPECT_EQ(description.spec().durability(), v1::DURABILITY_MEMORY);
  EXPECT_EQ(description.state(), v1::TOPIC_STATE_OPEN);
  EXPECT_NE(description.epoch(), 0u);
  EXPECT_EQ(description.next_position(), 1u);
  EXPECT_EQ(description.oldest_position(), 1u);
  EXPECT_FALSE(description.stores());
  auto again = client().Ask<v1::DeclareTopicResponse>(kTopicService + "DeclareTopic", request);
  EXPECT_FALSE(again->created());
  EXPECT_EQ(again->description().epoch(), description.epoch());
}

// Clauses: N5 N14
TEST_F(TopicServiceTest, WhatCannotBeDeclaredSaysWhy) {
  DeclareTopic("prices");
  v1::DeclareTopicRequest request;
  request.set_topic("prices");
  request.mutable_spec()->set_policy(v1::SLOW_POLICY_DISCONNECT);
  Fault fault = RefusalOfDeclaring(request);
  EXPECT_EQ(fault.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(fault.reason, "DECLARED_OTHERWISE");
  EXPECT_EQ(fault.details["field"], "spec.policy");
  request.set_topic("a..b");
  EXPECT_EQ(RefusalOfDeclaring(request).details["field"], "topic");
  request.set_topic("other");
  request.mutable_spec()->set_block_ms(5);
  fault = RefusalOfDeclaring(request);
  EXPECT_EQ(fault.reason, "INVALID_FIELD");
  EXPECT_EQ(fault.details["field"], "spec.block_ms");
  request.mutable_spec()->set_policy(v1::SLOW_POLICY_BLOCK);
  request.mutable_spec()->set_block_ms(60'001);
  fault = RefusalOfDeclaring(request);
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details["limit"], "60000");
  EXPECT_EQ(fault.details["value"], "60001");
  request.mutable_spec()->set_policy(static_cast<v1::SlowPolicy>(99));
  EXPECT_EQ(RefusalOfDeclaring(request).details["field"], "spec.policy");
  request.mutable_spec()->Clear();
  request.mutable_spec()->set_durability(v1::DURABILITY_OS);
  EXPECT_EQ(RefusalOfDeclaring(request).reason, "DURABILITY_UNAVAILABLE");
}

// Clauses: N5
TEST_F(TopicServiceTest, WhatIsNotThereIsNotFound) {
  v1::DescribeTopicRequest describe;
  describe.set_topic("nowhere");
  v1::CloseTopicRequest close;
  close.set_topic("nowhere");
  v1::DeleteTopicRequest remove;
  remove.set_topic("nowhere");
  for (const Fault& fault :
       {client().Ask<v1::DescribeTopicResponse>(kTopicService + "DescribeTopic", describe).fault(),
        client().Ask<v1::CloseTopicResponse>(kTopicService + "CloseTopic", close).fault(),
        client().Ask<v1::DeleteTopicResponse>(kTopicService + "DeleteTopic", remove).fault()}) {
    EXPECT_EQ(fault.code, grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(fault.reason, "TOPIC_NOT_FOUND");
  }
}

// Clauses: N43 B13
TEST_F(TopicServiceTest, DescribeShowsSubscribersByPages) {
  DeclareTopic("prices");
  std::vector<std::unique_ptr<RawCall>> calls;
  for (int i = 0; i < 3; ++i) {
    v1::SubscribeRequest request = i == 1 ? ToPattern("prices") : ToTopic("prices");
    request.set_subscriber("reader " + std::to_string(i));
    calls.push_back(StartSubscribing(request));
  }
  EXPECT_EQ(Publish("prices", {"a", "b"}).delivered_to(), 3u);
  for (const auto& call : calls) ReadMessages(*call, 2);
  v1::DescribeTopicRequest request;
  request.set_topic("prices");
  request.set_page_size(2);
  const auto first =
      client().Ask<v1::DescribeTopicResponse>(kTopicService + "DescribeTopic", request);
  ASSERT_EQ(first->subscribers_size(), 2);
  EXPECT_EQ(first->description().subscribers(), 3u);
  EXPECT_EQ(first->description().delivered(), 6u);
  EXPECT_EQ(first->description().depth(), 2u);
  EXPECT_TRUE(first->description().stores());
  EXPECT_EQ(first->subscribers(0).subscriber(), "reader 0");
  EXPECT_EQ(first->subscribers(0).next_position(), 3u);
  EXPECT_EQ(first->subscribers(0).delivered(), 2u);
  EXPECT_NE(first->subscribers(0).peer(), "");
  EXPECT_EQ(first->subscribers(1).pattern(), "prices");
  EXPECT_LT(first->subscribers(0).stream_id(), first->subscribers(1).stream_id());
  request.set_page_token(first->next_page_token());
  const auto second =
      client().Ask<v1::DescribeTopicResponse>(kTopicService + "DescribeTopic", request);
  ASSERT_EQ(second->subscribers_size(), 1);
  EXPECT_EQ(second->subscribers(0).subscriber(), "reader 2");
  EXPECT_EQ(second->next_page_token(), "");
  request.set_page_token("x");
  const Fault fault =
      client().Ask<v1::DescribeTopicResponse>(kTopicService + "DescribeTopic", request).fault();
  EXPECT_EQ(fault.details.at("field"), "page_token");
  calls.clear();
  Eventually([this] { return DescribeTopic("prices").subscribers() == 0; });
  ExpectNothingOpen();
}

TEST_F(TopicServiceTest, ListIsInOrderOfNames) {
  for (const char* name : {"b.2", "a.1", "b.1", "b.3"}) DeclareTopic(name);
  v1::ListTopicsRequest request;
  request.set_prefix("b.");
  request.set_page_size(2);
  const auto first = client().Ask<v1::ListTopicsResponse>(kTopicService + "ListTopics", request);
  ASSERT_EQ(first->topics_size(), 2);
  EXPECT_EQ(first->topics(0).name(), "b.1");
  EXPECT_EQ(first->topics(1).name(), "b.2");
  request.set_page_token(first->next_page_token());
  const auto second = client().Ask<v1::ListTopicsResponse>(kTopicService + "ListTopics", request);
  ASSERT_EQ(second->topics_size(), 1);
  EXPECT_EQ(second->topics(0).name(), "b.3");
  EXPECT_EQ(second->next_page_token(), "");
  request.set_page_token("b..");
  EXPECT_EQ(
      client().Ask<v1::ListTopicsResponse>(kTopicService + "ListTopics", request).fault().reason,
      "INVALID_FIELD");
}

// Clauses: N4
TEST_F(TopicServiceTest, CloseRefusesAndDeleteFreesTheName) {
  const std::uint64_t epoch = DeclareTopic("prices").epoch();
  const auto call = StartSubscribing(ToTopic("prices"));
  Publish("prices", {"a"});
  CloseTopic("prices");
  CloseTopic("prices");
  const v1::Ack refused = Publish("prices", {"b"});
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(refused.reason(), v1::CLOSED_REASON_REQUESTED);
  EXPECT_EQ(ReadMessages(*call, 1).at(0).payload, "a");
  EXPECT_EQ(ReadClosed<v1::SubscribeResponse>(*call), v1::CLOSED_REASON_REQUESTED);
  EXPECT_EQ(DescribeTopic("prices").state(), v1::TOPIC_STATE_ENDED);
  EXPECT_EQ(DescribeTopic("prices").closed_reason(), v1::CLOSED_REASON_REQUESTED);
  EXPECT_EQ(DeleteTopic("prices"), 1u);
  EXPECT_NE(DeclareTopic("prices").epoch(), epoch);
}

}  // namespace
}  // namespace sluice::rpc
