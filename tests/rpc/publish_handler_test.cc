// SPDX-License-Identifier: Apache-2.0
// Publish: one batch, one answer.
#include <gtest/gtest.h>

#include "tests/rpc/topic_rpc_fixture.h"

namespace sluice::rpc {
namespace {

class PublishHandlerTest : public TopicRpcTest {
 protected:
  ~PublishHandlerTest() override {
    if (full_ != nullptr) full_->Unsubscribe(stalled_);
  }
  // Full of what a subscriber that never asks still wants.
  void DeclareFull(const std::string& topic) {
    v1::TopicSpec spec;
    spec.set_capacity(2);
    spec.set_policy(v1::SLOW_POLICY_BLOCK);
    spec.set_block_ms(60'000);
    DeclareTopic(topic, spec);
    full_ = *broker_->topics().LookUp(topic);
    full_->Subscribe(stalled_, {}, nullptr);
    EXPECT_EQ(Publish(topic, {"1", "2"}).outcome(), v1::OUTCOME_OK);
  }

 private:
  std::shared_ptr<broker::Topic> full_;
  broker::Subscriber stalled_;
};

// Clauses: X43 N29 B4
TEST_F(PublishHandlerTest, X43_WithoutSubscribersNothingIsStored) {
  v1::TopicSpec spec;
  spec.set_resume_window_ms(0);
  const std::uint64_t epoch = DeclareTopic("prices", spec).epoch();
  const auto answer = client().Ask<v1::PublishResponse>(kPublish, Publishing("prices", {"a"}));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->epoch(), epoch);
  EXPECT_EQ(answer->capacity(), 1'024u);
  ASSERT_EQ(answer->acks_size(), 1);
  EXPECT_EQ(answer->acks(0).outcome(), v1::OUTCOME_NO_SUBSCRIBERS);
  EXPECT_EQ(answer->acks(0).first_position(), 0u);
  EXPECT_EQ(answer->acks(0).durability(), v1::DURABILITY_UNSPECIFIED);
  EXPECT_EQ(DescribeTopic("prices").no_subscribers(), 1u);
  const auto call = StartSubscribing(ToTopic("prices"));
  const v1::Ack ack = Publish("prices", {"b", "c"});
  EXPECT_EQ(ack.outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(ack.first_position(), 1u);
  EXPECT_EQ(ack.delivered_to(), 1u);
  EXPECT_EQ(ack.durability(), v1::DURABILITY_MEMORY);
  EXPECT_EQ(ReadMessages(*call, 2).at(1).payload, "c");
}

// Clauses: N9
TEST_F(PublishHandlerTest, ARepeatIsMarkedAndEntersOnce) {
  DeclareTopic("prices");
  const auto call = StartSubscribing(ToTopic("prices"));
  v1::PublishRequest request = Publishing("prices", {"a"});
  request.set_producer_id("0123456789abcdef");
  request.set_first_sequence(7);
  for (const bool is_again : {false, true}) {
    const auto answer = client().Ask<v1::PublishResponse>(kPublish, request);
    EXPECT_EQ(answer->acks(0).duplicate(), is_again);
    EXPECT_EQ(answer->acks(0).first_sequence(), 7u);
    EXPECT_EQ(answer->acks(0).outcome(), v1::OUTCOME_OK);
  }
  EXPECT_EQ(DescribeTopic("prices").accepted(), 1u);
  EXPECT_EQ(DescribeTopic("prices").duplicates(), 1u);
}

// Clauses: N7 N14
TEST_F(PublishHandlerTest, WhatCannotBePublishedSaysWhy) {
  v1::TopicSpec spec;
  spec.set_message_bytes_max(100);
  spec.set_capacity(4);
  DeclareTopic("prices", spec);
  const auto refusal = [this](const v1::PublishRequest& request) {
    return client().Ask<v1::PublishResponse>(kPublish, request).fault();
  };
  EXPECT_EQ(refusal(Publishing("nowhere", {"a"})).reason, "TOPIC_NOT_FOUND");
  EXPECT_EQ(refusal(Publishing("", {"a"})).details["field"], "topic");
  EXPECT_EQ(refusal(Publishing("prices", {})).details["field"], "messages");
  Fault fault = refusal(Publishing("prices", {"a", std::string(101, 'x')}));
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_EQ(fault.details["index"], "1");
  EXPECT_EQ(fault.details["limit"], "100");
  fault = refusal(Publishing("prices", std::vector<std::string>(5, "m")));
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS") << "atomic, above the capacity";
  EXPECT_EQ(fault.details["capacity"], "4");
  v1::PublishRequest request = Publishing("prices", {"a"});
  request.set_producer_id("short");
  EXPECT_EQ(refusal(request).details["field"], "producer_id");
  request.set_producer_id("0123456789abcdef");
  EXPECT_EQ(refusal(request).details["field"], "first_sequence");
  request = Publishing("prices", {"a"});
  request.set_session_id("0123456789abcdef");
  EXPECT_EQ(refusal(request).reason, "SESSION_GONE");
  request = Publishing("prices", {"a"});
  request.set_mode(static_cast<v1::SendMode>(77));
  EXPECT_EQ(refusal(request).details["field"], "mode");
  request = Publishing("prices", {"a"});
  request.mutable_spec()->set_capacity(64);
  EXPECT_EQ(refusal(request).reason, "DECLARED_OTHERWISE");
  EXPECT_EQ(DescribeTopic("prices").accepted(), 0u);
}

TEST_F(PublishHandlerTest, ASpecDeclaresTheTopic) {
  v1::PublishRequest request = Publishing("prices", {"a"});
  request.mutable_spec()->set_capacity(8);
  const auto answer = client().Ask<v1::PublishResponse>(kPublish, request);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->capacity(), 8u);
  EXPECT_EQ(DescribeTopic("prices").epoch(), answer->epoch());
}

// Clauses: N8 N11
TEST_F(PublishHandlerTest, UnderBlockItWaitsForItsTime) {
  DeclareFull("prices");
  v1::PublishRequest request = Publishing("prices", {"a"});
  request.set_mode(v1::SEND_MODE_TRY);
  EXPECT_EQ(client().Ask<v1::PublishResponse>(kPublish, request)->acks(0).outcome(),
            v1::OUTCOME_FULL);
  request.set_mode(v1::SEND_MODE_WAIT);
  request.set_wait_ms(20);
  const auto answer = client().Ask<v1::PublishResponse>(kPublish, request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer->acks(0).outcome(), v1::OUTCOME_TIMED_OUT);
  EXPECT_EQ(DescribeTopic("prices").timed_out(), 1u);
  EXPECT_EQ(DescribeTopic("prices").refused_full(), 1u);
}

// Clauses: N9 M14
TEST_F(PublishHandlerTest, ACancelTakesItOutOfTheLine) {
  DeclareFull("prices");
  const std::uint64_t accepted = DescribeTopic("prices").accepted();
  const auto waiting = client().Start(kPublish);
  waiting->Write(Publishing("prices", {"never"}));
  waiting->HalfClose();
  Eventually([this] { return DescribeTopic("prices").waiting_publishes() == 1; });
  waiting->Cancel();
  EXPECT_EQ(waiting->End().error_code(), grpc::StatusCode::CANCELLED);
  Eventually([this] { return DescribeTopic("prices").waiting_publishes() == 0; });
  EXPECT_EQ(DescribeTopic("prices").accepted(), accepted);
}

// Clauses: N4
TEST_F(PublishHandlerTest, DeletingAnswersWhoWaits) {
  DeclareFull("prices");
  const auto waiting = client().Start(kPublish);
  waiting->Write(Publishing("prices", {"never"}));
  waiting->HalfClose();
  Eventually([this] { return DescribeTopic("prices").waiting_publishes() == 1; });
  DeleteTopic("prices");
  const auto answer = waiting->Read<v1::PublishResponse>();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->acks(0).outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(answer->acks(0).reason(), v1::CLOSED_REASON_DELETED);
}

}  // namespace
}  // namespace sluice::rpc
