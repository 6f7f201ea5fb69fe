// SPDX-License-Identifier: Apache-2.0
// PublishStream: to one topic, and to many.
#include <gmock/gmock.h>

#include "rpc/publish_routes.h"
#include "sluice/v1/session.pb.h"
#include "tests/rpc/topic_rpc_fixture.h"

namespace sluice::rpc {
namespace {

using ::testing::ElementsAre;

class PublishStreamTest : public TopicRpcTest {
 protected:
  static v1::PublishStreamRequest OpenMany() {
    v1::PublishStreamRequest frame;
    frame.mutable_open();
    return frame;
  }
  static v1::PublishStreamResponse ReadAcks(RawCall& call) {
    const auto frame = call.Read<v1::PublishStreamResponse>();
    if (!frame.has_value()) {
      ADD_FAILURE() << call.End().error_message();
      return {};
    }
    return *frame;
  }
  Fault RefusalOf(const v1::PublishStreamRequest& frame) {
    const auto call = client().Start(kPublishStream);
    call->Write(frame);
    return call->EndFault();
  }
};

// Clauses: N8 N10
TEST_F(PublishStreamTest, OpensAndTellsOfEveryMessageInOrder) {
  const std::uint64_t epoch = DeclareTopic("prices").epoch();
  const auto subscriber = StartSubscribing(ToTopic("prices"));
  v1::PublishOpened opened;
  const auto stream = StartPublishing(OpenPublishing("prices"), &opened);
  EXPECT_EQ(opened.epoch(), epoch);
  EXPECT_EQ(opened.capacity(), 1'024u);
  EXPECT_EQ(opened.durability(), v1::DURABILITY_MEMORY);
  EXPECT_EQ(DescribeTopic("prices").publishers(), 1u);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(stream->Write(PublishFrame(std::vector<std::string>(10, "m"))));
  }
  EXPECT_EQ(ReadOutcomes(*stream, 500), All(v1::OUTCOME_OK, 1, 500));
  const auto got = ReadMessages(*subscriber, 500);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].position, i + 1);
  stream->HalfClose();
  EXPECT_EQ(ReadClosed<v1::PublishStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  Eventually([this] { return DescribeTopic("prices").publishers() == 0; });
}

// Clauses: N29
TEST_F(PublishStreamTest, NoHintWherePublishingNeverWaits) {
  DeclareTopic("prices");
  const auto stream = StartPublishing(OpenPublishing("prices", v1::SEND_MODE_TRY));
  stream->Write(PublishFrame({"a"}));
  const v1::PublishStreamResponse acks = ReadAcks(*stream);
  EXPECT_EQ(acks.acks(0).outcome(), v1::OUTCOME_NO_SUBSCRIBERS);
  EXPECT_FALSE(acks.has_free_hint());
  v1::TopicSpec spec;
  spec.set_capacity(8);
  spec.set_policy(v1::SLOW_POLICY_BLOCK);
  DeclareTopic("slow", spec);
  const auto blocking = StartPublishing(OpenPublishing("slow", v1::SEND_MODE_TRY));
  blocking->Write(PublishFrame({"a"}));
  EXPECT_EQ(ReadAcks(*blocking).free_hint(), 8u);
}

// Clauses: N9
TEST_F(PublishStreamTest, ASecondStreamOfAProducerSupersedesTheFirst) {
  DeclareTopic("prices");
  const auto subscriber = StartSubscribing(ToTopic("prices"));
  v1::PublishStreamRequest open = OpenPublishing("prices");
  open.mutable_open()->set_producer_id("0123456789abcdef");
  const auto first = StartPublishing(open);
  v1::PublishStreamRequest frame = PublishFrame({"a", "b"});
  frame.set_first_sequence(5);
  first->Write(frame);
  EXPECT_EQ(ReadOutcomes(*first, 2), All(v1::OUTCOME_OK, 5, 2));
  v1::PublishOpened opened;
  const auto second = StartPublishing(open, &opened);
  EXPECT_EQ(opened.last_sequence(), 6u);
  const Fault fault = first->EndFault();
  EXPECT_EQ(fault.code, grpc::StatusCode::ABORTED);
  EXPECT_EQ(fault.reason, "SUPERSEDED");
  second->Write(frame);
  const v1::PublishStreamResponse again = ReadAcks(*second);
  EXPECT_TRUE(again.acks(0).duplicate());
}

// Clauses: N4
TEST_F(PublishStreamTest, AClosedTopicDoesNotEndTheStream) {
  DeclareTopic("prices");
  const auto stream = StartPublishing(OpenPublishing("prices"));
  DeleteTopic("prices");
  stream->Write(PublishFrame({"a"}));
  const v1::PublishStreamResponse acks = ReadAcks(*stream);
  EXPECT_EQ(acks.acks(0).outcome(), v1::OUTCOME_CLOSED);
  EXPECT_EQ(acks.acks(0).reason(), v1::CLOSED_REASON_DELETED);
  stream->HalfClose();
  EXPECT_EQ(ReadClosed<v1::PublishStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
}

// Clauses: X44 N32 N3
TEST_F(PublishStreamTest, X44_ATiedTopicEndsWithItsLastStream) {
  v1::TopicSpec spec;
  spec.set_lifetime(v1::LIFETIME_TIED);
  DeclareTopic("prices", spec);
  const auto subscriber = StartSubscribing(ToTopic("prices"));
  const auto stream = StartPublishing(OpenPublishing("prices"));
  stream->Write(PublishFrame({"a", "b"}));
  EXPECT_EQ(ReadOutcomes(*stream, 2), All(v1::OUTCOME_OK, 1, 2));
  stream->Cancel();
  EXPECT_EQ(ReadMessages(*subscriber, 2).at(1).payload, "b");
  EXPECT_EQ(ReadClosed<v1::SubscribeResponse>(*subscriber), v1::CLOSED_REASON_PRODUCERS_GONE);
}

// Clauses: N8 N42
TEST_F(PublishStreamTest, OneStreamPublishesToMany) {
  v1::TopicSpec blocking;
  blocking.set_capacity(1);
  blocking.set_policy(v1::SLOW_POLICY_BLOCK);
  DeclareTopic("slow", blocking);
  DeclareTopic("a");
  // Attached, and never asks.
  broker::Subscriber stalled;
  const auto slow = *broker_->topics().LookUp("slow");
  slow->Subscribe(stalled, {}, nullptr);
  const auto subscriber = StartSubscribing(ToPattern("*"));
  v1::PublishOpened opened;
  const auto stream = StartPublishing(OpenMany(), &opened);
  EXPECT_EQ(opened.epoch(), 0u);
  EXPECT_EQ(opened.capacity(), 0u);
  stream->Write(PublishFrame({"1"}, "a"));
  stream->Write(PublishFrame({"2", "3"}, "nowhere"));
  stream->Write(PublishFrame({"4", "5"}, "slow"));
  stream->Write(PublishFrame({"6"}, "a"));
  EXPECT_THAT(
      ReadOutcomes(*stream, 6),
      ElementsAre(Told{1, v1::OUTCOME_OK}, Told{2, v1::OUTCOME_ABSENT}, Told{3, v1::OUTCOME_ABSENT},
                  Told{4, v1::OUTCOME_OK}, Told{5, v1::OUTCOME_FULL}, Told{6, v1::OUTCOME_OK}));
  EXPECT_EQ(DescribeTopic("a").publishers(), 1u);
  EXPECT_EQ(DescribeTopic("slow").publishers(), 1u);
  stream->HalfClose();
  EXPECT_EQ(ReadClosed<v1::PublishStreamResponse>(*stream), v1::CLOSED_REASON_FINISHED);
  Eventually([this] { return DescribeTopic("a").publishers() == 0; });
  slow->Unsubscribe(stalled);
}

// Clauses: N4 N6
TEST_F(PublishStreamTest, ATopicDeclaredAnewIsTheNextFrames) {
  DeclareTopic("a");
  const auto stream = StartPublishing(OpenMany());
  stream->Write(PublishFrame({"1"}, "a"));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_NO_SUBSCRIBERS, 1, 1));
  CloseTopic("a");
  stream->Write(PublishFrame({"2"}, "a"));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_CLOSED, 2, 1));
  DeleteTopic("a");
  stream->Write(PublishFrame({"3"}, "a"));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_ABSENT, 3, 1));
  DeclareTopic("a");
  stream->Write(PublishFrame({"4"}, "a"));
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_NO_SUBSCRIBERS, 4, 1));
  EXPECT_EQ(DescribeTopic("a").publishers(), 1u);
}

TEST_F(PublishStreamTest, ASpecDeclaresEachOfMany) {
  v1::PublishStreamRequest open = OpenMany();
  open.mutable_open()->mutable_spec()->set_capacity(16);
  const auto stream = StartPublishing(open);
  stream->Write(PublishFrame({"1"}, "a"));
  stream->Write(PublishFrame({"2"}, "b"));
  EXPECT_EQ(ReadOutcomes(*stream, 2), All(v1::OUTCOME_NO_SUBSCRIBERS, 1, 2));
  EXPECT_EQ(DescribeTopic("b").spec().capacity(), 16u);
  v1::TopicSpec other;
  other.set_capacity(32);
  DeclareTopic("c", other);
  stream->Write(PublishFrame({"3"}, "c"));
  const Fault fault = stream->EndFault();
  EXPECT_EQ(fault.reason, "DECLARED_OTHERWISE");
  EXPECT_EQ(fault.details.at("last_sequence"), "2");
}

TEST_F(PublishStreamTest, TheTopicsOfOneStreamAreBounded) {
  PublishRoutes routes(broker_->topics(), broker::TopicSpec());
  for (std::uint32_t i = 0; i < broker::kStreamTopicsMax; ++i) {
    ASSERT_TRUE(routes.Find("t" + std::to_string(i)).ok());
  }
  const auto refused = routes.Find("more");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.error().reason(), "TOO_MANY_TOPICS");
  EXPECT_FALSE(broker_->topics().LookUp("more").ok()) << "nothing is half done";
  EXPECT_TRUE(routes.Find("t0").ok()) << "those it has go on";
}

TEST_F(PublishStreamTest, WhatCannotBePublishedEndsTheStream) {
  DeclareTopic("prices");
  EXPECT_EQ(RefusalOf(PublishFrame({"a"}, "prices")).reason, "OUT_OF_ORDER");
  EXPECT_EQ(RefusalOf(OpenPublishing("nowhere")).reason, "TOPIC_NOT_FOUND");
  v1::PublishStreamRequest frame = OpenMany();
  frame.mutable_open()->set_producer_id("0123456789abcdef");
  EXPECT_EQ(RefusalOf(frame).details["field"], "topic") << "with a producer_id it must be given";
  frame.mutable_open()->set_producer_id("short");
  EXPECT_EQ(RefusalOf(frame).details["field"], "open.producer_id");
  frame = OpenMany();
  frame.mutable_open()->set_session_id("0123456789abcdef");
  EXPECT_EQ(RefusalOf(frame).reason, "SESSION_GONE");
  frame = OpenMany();
  frame.add_messages();
  EXPECT_EQ(RefusalOf(frame).details["field"], "topic") << "every frame names its own";
  frame = OpenPublishing("prices");
  frame.set_topic("other");
  frame.add_messages();
  const Fault fault = RefusalOf(frame);
  EXPECT_EQ(fault.reason, "INVALID_FIELD");
  EXPECT_EQ(fault.details.at("field"), "topic");
  frame.set_topic("prices");
  const auto stream = StartPublishing(frame);
  EXPECT_EQ(ReadOutcomes(*stream, 1), All(v1::OUTCOME_NO_SUBSCRIBERS, 1, 1)) << "or the same";
  stream->Write(OpenPublishing("prices"));
  EXPECT_EQ(stream->EndFault().reason, "OUT_OF_ORDER");
}

// Clauses: N1
TEST_F(PublishStreamTest, TheEndOfItsSessionEndsIt) {
  const auto session = client().Start(kKeep);
  session->Write(v1::KeepRequest());
  const auto kept = session->Read<v1::KeepResponse>();
  ASSERT_TRUE(kept.has_value());
  DeclareTopic("prices");
  std::vector<std::unique_ptr<RawCall>> streams;
  for (v1::PublishStreamRequest open : {OpenPublishing("prices"), OpenMany()}) {
    open.mutable_open()->set_session_id(kept->session_id());
    streams.push_back(StartPublishing(open));
  }
  session->HalfClose();
  EXPECT_TRUE(session->End().ok());
  for (const auto& stream : streams) EXPECT_EQ(stream->EndFault().reason, "SESSION_GONE");
}

}  // namespace
}  // namespace sluice::rpc
