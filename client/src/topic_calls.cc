// SPDX-License-Identifier: Apache-2.0
// The unary calls of TopicService.
#include <utility>

#include "batch_send.h"
#include "sluice/client.h"
#include "topic_convert.h"
#include "transport.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

const char* const kDeclare = "/sluice.v1.TopicService/DeclareTopic";
const char* const kDescribe = "/sluice.v1.TopicService/DescribeTopic";
const char* const kList = "/sluice.v1.TopicService/ListTopics";
const char* const kClose = "/sluice.v1.TopicService/CloseTopic";
const char* const kDelete = "/sluice.v1.TopicService/DeleteTopic";
const char* const kPublish = "/sluice.v1.TopicService/Publish";

}  // namespace

Result<DeclareReply<TopicDescription>> Client::DeclareTopic(const std::string& topic,
                                                            const TopicSpec& spec,
                                                            Deadline deadline) {
  v1::DeclareTopicRequest request;
  request.set_topic(topic);
  *request.mutable_spec() = ToWire(spec);
  const auto reply =
      UnaryCall<v1::DeclareTopicResponse>(transport_->stub(), kDeclare, request, deadline);
  if (!reply.ok()) return reply.status();
  return DeclareReply<TopicDescription>{FromWire(reply->description()), reply->created()};
}

Result<DescribeTopicReply> Client::DescribeTopic(const std::string& topic, Deadline deadline,
                                                 std::uint32_t page_size,
                                                 const std::string& page_token) {
  v1::DescribeTopicRequest request;
  request.set_topic(topic);
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  const auto reply =
      UnaryCall<v1::DescribeTopicResponse>(transport_->stub(), kDescribe, request, deadline);
  if (!reply.ok()) return reply.status();
  DescribeTopicReply to;
  to.description = FromWire(reply->description());
  for (const auto& subscriber : reply->subscribers()) {
    to.subscribers.push_back(FromWire(subscriber));
  }
  to.next_page_token = reply->next_page_token();
  return to;
}

Result<ListTopicsReply> Client::ListTopics(const std::string& prefix, Deadline deadline,
                                           std::uint32_t page_size, const std::string& page_token) {
  v1::ListTopicsRequest request;
  request.set_prefix(prefix);
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  const auto reply =
      UnaryCall<v1::ListTopicsResponse>(transport_->stub(), kList, request, deadline);
  if (!reply.ok()) return reply.status();
  ListTopicsReply list;
  for (const v1::TopicDescription& topic : reply->topics()) list.topics.push_back(FromWire(topic));
  list.next_page_token = reply->next_page_token();
  return list;
}

Status Client::CloseTopic(const std::string& topic, Deadline deadline) {
  v1::CloseTopicRequest request;
  request.set_topic(topic);
  return UnaryCall<v1::CloseTopicResponse>(transport_->stub(), kClose, request, deadline).status();
}

Result<std::uint64_t> Client::DeleteTopic(const std::string& topic, Deadline deadline) {
  v1::DeleteTopicRequest request;
  request.set_topic(topic);
  const auto reply =
      UnaryCall<v1::DeleteTopicResponse>(transport_->stub(), kDelete, request, deadline);
  if (!reply.ok()) return reply.status();
  return reply->deleted();
}

Result<PublishReply> Client::Publish(const PublishRequest& from, Deadline deadline) {
  v1::PublishRequest request;
  request.set_topic(from.topic);
  if (from.spec) *request.mutable_spec() = ToWire(*from.spec);
  return SendBatch<v1::PublishResponse>(transport_->stub(), kPublish, from, request, deadline);
}

}  // namespace abi1
}  // namespace sluice
