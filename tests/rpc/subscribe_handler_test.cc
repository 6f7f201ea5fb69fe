// SPDX-License-Identifier: Apache-2.0
// Subscribe over a socket.
#include <gtest/gtest.h>

#include "tests/rpc/topic_rpc_fixture.h"

namespace sluice::rpc {
namespace {

class SubscribeHandlerTest : public TopicRpcTest {
 protected:
  static v1::SubscribeRequest Resuming(v1::SubscribeRequest request, const std::string& topic,
                                       std::uint64_t epoch, std::uint64_t next_position) {
    v1::TopicPosition& known = *request.mutable_resume()->add_topics();
    known.set_topic(topic);
    known.set_epoch(epoch);
    known.set_next_position(next_position);
    return request;
  }
  static v1::SubscribeResponse ReadFrame(RawCall& call) {
    const auto frame = call.Read<v1::SubscribeResponse>();
    if (!frame.has_value()) {
      ADD_FAILURE() << call.End().error_message();
      return {};
    }
    return *frame;
  }
};

// Clauses: X40 N28
TEST_F(SubscribeHandlerTest, X40_ReadyIsTheInstant) {
  const std::uint64_t epoch = DeclareTopic("prices").epoch();
  const auto other = Connect();
  std::uint64_t next = 1;
  for (int i = 0; i < 20; ++i) {
    std::vector<v1::Subscribed> announced;
    const auto call = StartSubscribing(ToTopic("prices"), &announced);
    ASSERT_EQ(announced.size(), 1u);
    EXPECT_EQ(announced[0].topic(), "prices");
    EXPECT_EQ(announced[0].epoch(), epoch);
    EXPECT_EQ(announced[0].next_position(), next);
    EXPECT_EQ(announced[0].continuity(), v1::CONTINUITY_FRESH);
    std::vector<std::string> payloads;
    for (int m = 0; m < 10; ++m) payloads.push_back(std::to_string(m));
    ASSERT_TRUE(other->Ask<v1::PublishResponse>(kPublish, Publishing("prices", payloads)).ok());
    const auto got = ReadMessages(*call, 10);
    for (std::size_t m = 0; m < 10; ++m) {
      EXPECT_EQ(got[m].position, next + m);
      EXPECT_EQ(got[m].payload, payloads[m]);
      EXPECT_EQ(got[m].attempts, 0u);
    }
    next += 10;
  }
  ExpectNothingOpen();
}

// Clauses: N28 N20
TEST_F(SubscribeHandlerTest, APatternFollowsTopicsAsTheyComeAndGo) {
  DeclareTopic("t.a");
  DeclareTopic("u.a");
  std::vector<v1::Subscribed> announced;
  const auto call = StartSubscribing(ToPattern("t.*"), &announced);
  ASSERT_EQ(announced.size(), 1u);
  const std::uint64_t epoch = DeclareTopic("t.b").epoch();
  v1::SubscribeResponse frame = ReadFrame(*call);
  EXPECT_EQ(frame.subscribed().topic_ref(), 2u);
  EXPECT_EQ(frame.subscribed().topic(), "t.b");
  EXPECT_EQ(frame.subscribed().epoch(), epoch);
  EXPECT_EQ(frame.subscribed().next_position(), 1u);
  Publish("t.b", {"x"});
  frame = ReadFrame(*call);
  EXPECT_EQ(frame.topic_ref(), 2u);
  EXPECT_EQ(frame.messages(0).payload(), "x");
  DeleteTopic("t.a");
  frame = ReadFrame(*call);
  EXPECT_EQ(frame.closed().topic_ref(), 1u);
  EXPECT_EQ(frame.closed().reason(), v1::CLOSED_REASON_DELETED);
  CloseTopic("t.b");
  frame = ReadFrame(*call);
  EXPECT_EQ(frame.closed().topic_ref(), 2u);
  EXPECT_EQ(frame.closed().reason(), v1::CLOSED_REASON_REQUESTED);
  DeclareTopic("t.a");
  EXPECT_EQ(ReadFrame(*call).subscribed().topic_ref(), 3u) << "the stream goes on";
  call->Cancel();
  EXPECT_EQ(call->End().error_code(), grpc::StatusCode::CANCELLED);
  Eventually([this] { return broker_->topics().patterns() == 0; });
}

// Clauses: X46 N31
TEST_F(SubscribeHandlerTest, X46_WhoComesBackIsToldTheTruth) {
  v1::TopicSpec spec;
  spec.set_capacity(4);
  const std::uint64_t epoch = DeclareTopic("prices", spec).epoch();
  StartSubscribing(ToTopic("prices"))->Cancel();
  Eventually([this] { return DescribeTopic("prices").subscribers() == 0; });
  for (int i = 1; i <= 6; ++i) Publish("prices", {std::to_string(i)});
  std::vector<v1::Subscribed> announced;
  auto call = StartSubscribing(Resuming(ToTopic("prices"), "prices", epoch, 4), &announced);
  EXPECT_EQ(announced.at(0).continuity(), v1::CONTINUITY_CONTINUED);
  EXPECT_EQ(announced.at(0).next_position(), 4u);
  EXPECT_EQ(ReadMessages(*call, 3).at(0).payload, "4");
  announced.clear();
  call = StartSubscribing(Resuming(ToTopic("prices"), "prices", epoch, 1), &announced);
  EXPECT_EQ(announced.at(0).continuity(), v1::CONTINUITY_GAP);
  EXPECT_EQ(announced.at(0).missed(), 2u);
  EXPECT_EQ(announced.at(0).next_position(), 3u);
  EXPECT_EQ(ReadMessages(*call, 4).at(0).payload, "3");
  announced.clear();
  call = StartSubscribing(Resuming(ToTopic("prices"), "prices", epoch + 1, 1), &announced);
  EXPECT_EQ(announced.at(0).continuity(), v1::CONTINUITY_RESET);
  announced.clear();
  v1::SubscribeRequest at = ToTopic("prices");
  at.set_start(v1::SUBSCRIBE_START_POSITION);
  at.set_start_position(5);
  call = StartSubscribing(at, &announced);
  EXPECT_EQ(announced.at(0).continuity(), v1::CONTINUITY_CONTINUED);
  EXPECT_EQ(ReadMessages(*call, 2).at(1).payload, "6");
  announced.clear();
  v1::SubscribeRequest earliest = ToTopic("prices");
  earliest.set_start(v1::SUBSCRIBE_START_EARLIEST);
  call = StartSubscribing(earliest, &announced);
  EXPECT_EQ(announced.at(0).next_position(), 3u);
  EXPECT_EQ(announced.at(0).continuity(), v1::CONTINUITY_FRESH);
}

// Clauses: N31
TEST_F(SubscribeHandlerTest, AListedTopicThatIsGoneIsAnnouncedAndClosed) {
  std::vector<v1::Subscribed> announced;
  auto call = StartSubscribing(Resuming(ToTopic("gone"), "gone", 7, 9), &announced);
  EXPECT_EQ(announced.at(0).epoch(), 0u);
  EXPECT_EQ(announced.at(0).continuity(), v1::CONTINUITY_GAP);
  EXPECT_EQ(announced.at(0).missed(), 0u);
  EXPECT_EQ(ReadClosed<v1::SubscribeResponse>(*call), v1::CLOSED_REASON_DELETED);
  call = StartSubscribing(Resuming(ToPattern(">"), "gone", 7, 9));
  const v1::SubscribeResponse frame = ReadFrame(*call);
  EXPECT_EQ(frame.closed().topic_ref(), 1u);
  EXPECT_EQ(frame.closed().reason(), v1::CLOSED_REASON_DELETED);
}

// Clauses: N30 B8
TEST_F(SubscribeHandlerTest, ALagIsToldInBand) {
  v1::TopicSpec spec;
  spec.set_capacity(2);
  DeclareTopic("prices", spec);
  const auto call = StartSubscribing(ToTopic("prices"));
  std::uint64_t published = 0, messages = 0, missed = 0, next = 1;
  const std::string large(1 << 19, 'x');
  for (; published < 40; ++published) Publish("prices", {large});
  CloseTopic("prices");
  for (;;) {
    const v1::SubscribeResponse frame = ReadFrame(*call);
    if (frame.has_closed()) break;
    if (frame.has_lagged()) {
      missed += frame.lagged().missed();
      next += frame.lagged().missed();
      EXPECT_EQ(frame.lagged().next_position(), next);
    }
    for (const Got& got : MessagesOf(frame.messages(), frame.runs())) {
      EXPECT_EQ(got.position, next++);
      ++messages;
    }
    EXPECT_LE(frame.messages_size(), 1) << "one message, whatever its size";
  }
  EXPECT_EQ(messages + missed, published);
  EXPECT_GT(missed, 0u);
  EXPECT_EQ(DescribeTopic("prices").missed(), missed);
  EXPECT_EQ(DescribeTopic("prices").delivered(), messages);
}

// Clauses: N30
TEST_F(SubscribeHandlerTest, EndOnLagEndsTheStream) {
  v1::TopicSpec spec;
  spec.set_capacity(2);
  DeclareTopic("prices", spec);
  v1::SubscribeRequest request = ToTopic("prices");
  request.set_end_on_lag(true);
  const auto call = StartSubscribing(request);
  const std::string large(1 << 19, 'x');
  for (int i = 0; i < 40; ++i) Publish("prices", {large});
  for (;;) {
    const v1::SubscribeResponse frame = ReadFrame(*call);
    EXPECT_FALSE(frame.has_lagged());
    if (!frame.has_closed()) continue;
    EXPECT_EQ(frame.closed().reason(), v1::CLOSED_REASON_LAGGED);
    EXPECT_EQ(frame.closed().topic_ref(), 0u);
    break;
  }
  EXPECT_TRUE(call->End().ok());
}

// Clauses: N41
TEST_F(SubscribeHandlerTest, ADrainTellsEveryone) {
  DeclareTopic("prices");
  const auto by_name = StartSubscribing(ToTopic("prices"));
  const auto by_pattern = StartSubscribing(ToPattern("*"));
  const auto of_nothing = StartSubscribing(ToPattern("nothing"));
  Publish("prices", {"a"});
  broker_->StartDrain();
  server_->StartDrain();
  EXPECT_EQ(ReadMessages(*by_name, 1).at(0).payload, "a");
  EXPECT_EQ(ReadClosed<v1::SubscribeResponse>(*by_name), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(ReadMessages(*by_pattern, 1).at(0).payload, "a");
  const v1::SubscribeResponse topic_end = ReadFrame(*by_pattern);
  EXPECT_EQ(topic_end.closed().topic_ref(), 1u);
  EXPECT_EQ(topic_end.closed().reason(), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(ReadClosed<v1::SubscribeResponse>(*by_pattern), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(ReadClosed<v1::SubscribeResponse>(*of_nothing), v1::CLOSED_REASON_SHUTTING_DOWN);
  EXPECT_EQ(RefusalOf(ToTopic("prices")).reason, "DRAINING");
  EXPECT_TRUE(broker_->is_drained());
}

TEST_F(SubscribeHandlerTest, TheStreamIsShownWithWhatItReads) {
  DeclareTopic("prices");
  const auto call = StartSubscribing(ToPattern("*"));
  const auto streams = Streams();
  ASSERT_EQ(streams.size(), 2u) << "and the one that asks";
  const auto& stream = streams[0].method() == kSubscribe ? streams[0] : streams[1];
  EXPECT_EQ(stream.method(), kSubscribe);
  EXPECT_EQ(stream.channel(), "*");
  EXPECT_EQ(stream.state(), "subscribed");
  EXPECT_EQ(broker_->totals().subscribers, 1u);
  EXPECT_EQ(broker_->totals().topics, 1u);
}

TEST_F(SubscribeHandlerTest, WhatCannotBeMeantIsRefused) {
  DeclareTopic("prices");
  EXPECT_EQ(RefusalOf(ToTopic("nowhere")).reason, "TOPIC_NOT_FOUND");
  EXPECT_EQ(RefusalOf({}).details["field"], "topic");
  v1::SubscribeRequest request = ToTopic("prices");
  request.set_pattern("prices");
  EXPECT_EQ(RefusalOf(request).details["field"], "pattern");
  request = ToPattern("a.>.b");
  EXPECT_EQ(RefusalOf(request).details["field"], "pattern");
  request = ToPattern("prices");
  request.mutable_spec();
  EXPECT_EQ(RefusalOf(request).details["field"], "spec");
  request = ToPattern("prices");
  request.set_start(v1::SUBSCRIBE_START_POSITION);
  request.set_start_position(1);
  EXPECT_EQ(RefusalOf(request).details["field"], "start");
  request = ToTopic("prices");
  request.set_start(static_cast<v1::SubscribeStart>(44));
  EXPECT_EQ(RefusalOf(request).details["field"], "start");
  request.set_start(v1::SUBSCRIBE_START_POSITION);
  EXPECT_EQ(RefusalOf(request).reason, "OUT_OF_BOUNDS");
  request = ToTopic("prices");
  request.set_subscriber(std::string(256, 'x'));
  EXPECT_EQ(RefusalOf(request).details["field"], "subscriber");
  EXPECT_EQ(RefusalOf(Resuming(ToTopic("prices"), "other", 1, 1)).details["field"],
            "resume.topics.topic");
  EXPECT_EQ(RefusalOf(Resuming(ToTopic("prices"), "prices", 1, 0)).details["limit"], "1");
  request = ToTopic("prices");
  request.mutable_spec()->set_capacity(2);
  EXPECT_EQ(RefusalOf(request).reason, "DECLARED_OTHERWISE");
  request = ToTopic("new");
  request.mutable_spec()->set_capacity(2);
  StartSubscribing(request);
  EXPECT_EQ(DescribeTopic("new").spec().capacity(), 2u);
  const auto empty = client().Start(kSubscribe);
  empty->HalfClose();
  EXPECT_EQ(empty->EndFault().reason, "OUT_OF_ORDER");
  const auto malformed = client().Start(kSubscribe);
  malformed->Write(std::string("\x0A\x05"));
  EXPECT_EQ(malformed->EndFault().reason, "MALFORMED");
}

}  // namespace
}  // namespace sluice::rpc
