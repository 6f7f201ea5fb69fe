// SPDX-License-Identifier: Apache-2.0
// Short forms of what the clients of TopicService do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sluice/v1/topic.pb.h"
#include "tests/rpc/rpc_fixture.h"

namespace sluice::rpc {

inline const std::string kTopicService = "/sluice.v1.TopicService/";
inline const std::string kPublish = kTopicService + "Publish";
inline const std::string kPublishStream = kTopicService + "PublishStream";
inline const std::string kSubscribe = kTopicService + "Subscribe";

class TopicRpcTest : public RpcTest {
 protected:
  v1::TopicDescription DeclareTopic(const std::string& topic, const v1::TopicSpec& spec = {}) {
    v1::DeclareTopicRequest request;
    request.set_topic(topic);
    *request.mutable_spec() = spec;
    const auto answer =
        client().Ask<v1::DeclareTopicResponse>(kTopicService + "DeclareTopic", request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer->description();
  }
  v1::TopicDescription DescribeTopic(const std::string& topic) {
    v1::DescribeTopicRequest request;
    request.set_topic(topic);
    const auto answer =
        client().Ask<v1::DescribeTopicResponse>(kTopicService + "DescribeTopic", request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer->description();
  }
  void CloseTopic(const std::string& topic) {
    v1::CloseTopicRequest request;
    request.set_topic(topic);
    EXPECT_TRUE(client().Ask<v1::CloseTopicResponse>(kTopicService + "CloseTopic", request).ok());
  }
  std::uint64_t DeleteTopic(const std::string& topic) {
    v1::DeleteTopicRequest request;
    request.set_topic(topic);
    const auto answer =
        client().Ask<v1::DeleteTopicResponse>(kTopicService + "DeleteTopic", request);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer->deleted();
  }

  static v1::PublishRequest Publishing(const std::string& topic,
                                       const std::vector<std::string>& payloads) {
    v1::PublishRequest request;
    request.set_topic(topic);
    for (const std::string& payload : payloads) request.add_messages()->set_payload(payload);
    return request;
  }
  // One ack for all is expected.
  v1::Ack Publish(const std::string& topic, const std::vector<std::string>& payloads) {
    const auto answer = client().Ask<v1::PublishResponse>(kPublish, Publishing(topic, payloads));
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    EXPECT_EQ(answer->acks_size(), 1);
    return answer->acks_size() == 1 ? answer->acks(0) : v1::Ack();
  }
  static v1::PublishStreamRequest OpenPublishing(const std::string& topic,
                                                 v1::SendMode mode = v1::SEND_MODE_WAIT) {
    v1::PublishStreamRequest frame;
    frame.mutable_open()->set_topic(topic);
    frame.mutable_open()->set_mode(mode);
    return frame;
  }
  static v1::PublishStreamRequest PublishFrame(const std::vector<std::string>& payloads,
                                               const std::string& topic = "") {
    v1::PublishStreamRequest frame;
    frame.set_topic(topic);
    for (const std::string& payload : payloads) frame.add_messages()->set_payload(payload);
    return frame;
  }
  // A stream whose answer to `open` has been read.
  std::unique_ptr<RawCall> StartPublishing(const v1::PublishStreamRequest& open,
                                           v1::PublishOpened* opened = nullptr) {
    auto call = client().Start(kPublishStream);
    call->Write(open);
    const auto answer = call->Read<v1::PublishStreamResponse>();
    EXPECT_TRUE(answer.has_value() && answer->has_opened()) << call->End().error_message();
    if (answer.has_value() && opened != nullptr) *opened = answer->opened();
    return call;
  }

  static v1::SubscribeRequest ToTopic(const std::string& topic) {
    v1::SubscribeRequest request;
    request.set_topic(topic);
    return request;
  }
  static v1::SubscribeRequest ToPattern(const std::string& pattern) {
    v1::SubscribeRequest request;
    request.set_pattern(pattern);
    return request;
  }
  std::unique_ptr<RawCall> StartSubscribe(const v1::SubscribeRequest& request) {
    auto call = client().Start(kSubscribe);
    call->Write(request);
    call->HalfClose();
    return call;
  }
  // A stream that is ready; what was announced before is given.
  std::unique_ptr<RawCall> StartSubscribing(const v1::SubscribeRequest& request,
                                            std::vector<v1::Subscribed>* announced = nullptr) {
    auto call = StartSubscribe(request);
    std::uint32_t count = 0;
    for (;; ++count) {
      const auto frame = call->Read<v1::SubscribeResponse>();
      if (!frame.has_value()) {
        ADD_FAILURE() << call->End().error_message();
        return call;
      }
      EXPECT_EQ(frame->messages_size(), 0) << "nothing comes before Ready";
      if (frame->has_ready()) {
        EXPECT_EQ(frame->ready().topics(), count);
        return call;
      }
      EXPECT_TRUE(frame->has_subscribed());
      EXPECT_EQ(frame->subscribed().topic_ref(), count + 1);
      EXPECT_EQ(frame->topic_ref(), count + 1);
      if (announced != nullptr) announced->push_back(frame->subscribed());
    }
  }
  // The next `count` messages, of one topic.
  static std::vector<Got> ReadMessages(RawCall& call, std::size_t count) {
    std::vector<Got> all;
    while (all.size() < count) {
      const auto frame = call.Read<v1::SubscribeResponse>();
      if (!frame.has_value() || frame->has_closed()) {
        ADD_FAILURE() << "the stream ended too soon";
        all.resize(count);
        break;
      }
      for (Got& got : MessagesOf(frame->messages(), frame->runs())) all.push_back(std::move(got));
    }
    return all;
  }
  Fault RefusalOf(const v1::SubscribeRequest& request) {
    return StartSubscribe(request)->EndFault();
  }
};

}  // namespace sluice::rpc
