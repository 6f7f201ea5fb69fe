// SPDX-License-Identifier: Apache-2.0
// TopicService: the methods that can be answered at once. Those that may wait or stream are
// handlers of their own (send_handlers.h, subscribe_handler.h).
#include <charconv>
#include <memory>
#include <string>

#include "rpc/channel_service.h"
#include "rpc/send_handlers.h"
#include "rpc/services.h"
#include "rpc/subscribe_handler.h"
#include "rpc/topic_convert.h"

namespace sluice::rpc {
namespace {

const std::string kService = "/sluice.v1.TopicService/";

Result<v1::DeclareTopicResponse> Declare(broker::Broker& broker,
                                         const v1::DeclareTopicRequest& request) {
  Result<broker::TopicSpec> spec = FromWire(request.spec());
  if (!spec) return spec.error();
  auto declared = broker.topics().Declare(request.topic(), *spec);
  if (!declared) return declared.error();
  v1::DeclareTopicResponse response;
  *response.mutable_description() = ToWire(declared->channel->Describe());
  response.set_created(declared->created);
  return response;
}

// A page token is the last stream of the page before: streams are in order of their age.
Result<std::uint64_t> StreamOf(const std::string& token) {
  std::uint64_t id = 0;
  if (token.empty()) return id;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), id);
  if (error == std::errc() && end == token.data() + token.size()) return id;
  return InvalidField("page_token", "it is not one that was given out");
}

Result<v1::DescribeTopicResponse> Describe(broker::Broker& broker,
                                           const v1::DescribeTopicRequest& request) {
  Result<std::shared_ptr<broker::Topic>> topic = broker.topics().LookUp(request.topic());
  if (!topic) return topic.error();
  Result<std::uint64_t> after = StreamOf(request.page_token());
  if (!after) return after.error();
  const std::size_t page = PageSize(request.page_size());
  const auto subscribers = (*topic)->Subscribers(*after, page + 1);
  v1::DescribeTopicResponse response;
  *response.mutable_description() = ToWire((*topic)->Describe());
  for (std::size_t i = 0; i < std::min(page, subscribers.size()); ++i) {
    *response.add_subscribers() = ToWire(subscribers[i]);
  }
  if (subscribers.size() > page) {
    response.set_next_page_token(std::to_string(subscribers[page - 1].stream_id));
  }
  return response;
}

Result<v1::ListTopicsResponse> List(broker::Broker& broker, const v1::ListTopicsRequest& request) {
  v1::ListTopicsResponse response;
  Result<std::string> next =
      ListPage<broker::Topic>(broker.topics(), request, [&response](const broker::Topic& topic) {
        *response.add_topics() = ToWire(topic.Describe());
      });
  if (!next) return next.error();
  response.set_next_page_token(*next);
  return response;
}

Result<v1::CloseTopicResponse> Close(broker::Broker& broker, const v1::CloseTopicRequest& request) {
  return CloseChannel<v1::CloseTopicResponse, broker::Topic>(broker.topics(), request.topic());
}

Result<v1::DeleteTopicResponse> Delete(broker::Broker& broker,
                                       const v1::DeleteTopicRequest& request) {
  return DeleteChannel<v1::DeleteTopicResponse, broker::Topic>(broker.topics(), request.topic());
}

}  // namespace

void AddTopicService(const Services& services, MethodTable& methods) {
  AddAnswer(services, methods, kService + "DeclareTopic", false, Declare);
  AddAnswer(services, methods, kService + "DescribeTopic", true, Describe);
  AddAnswer(services, methods, kService + "ListTopics", true, List);
  AddAnswer(services, methods, kService + "CloseTopic", true, Close);
  AddAnswer(services, methods, kService + "DeleteTopic", true, Delete);
  AddHandler<SendHandler<TopicKind>>(services, methods, kService + "Publish", false, false);
  AddHandler<SendStreamHandler<TopicKind>>(services, methods, kService + "PublishStream", true,
                                           false);
  AddHandler<SubscribeHandler>(services, methods, kService + "Subscribe", true, false);
}

}  // namespace sluice::rpc
