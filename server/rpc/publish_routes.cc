// SPDX-License-Identifier: Apache-2.0
#include "rpc/publish_routes.h"

#include <utility>

namespace sluice::rpc {
namespace {

Status TooManyTopics() {
  return Status(Code::kResourceExhausted, "TOO_MANY_TOPICS",
                "the stream publishes to " + std::to_string(broker::kStreamTopicsMax) +
                    " topics, which is the most")
      .With("limit", std::to_string(broker::kStreamTopicsMax));
}

}  // namespace

PublishRoutes::~PublishRoutes() {
  for (auto& [name, route] : routes_) route.topic->CloseProducer(route.producer);
}

Result<std::shared_ptr<broker::Topic>> PublishRoutes::Find(const std::string& name) {
  const auto known = routes_.find(name);
  if (known != routes_.end()) {
    const broker::Topic& topic = *known->second.topic;
    if (!topic.has_ended() && !topic.is_deleted()) return known->second.topic;
  }
  if (known == routes_.end() && routes_.size() >= broker::kStreamTopicsMax) return TooManyTopics();
  Result<std::shared_ptr<broker::Topic>> found = topics_.Open(name, spec_);
  if (known != routes_.end()) {
    if (found.ok() && known->second.topic == *found) return found;
    known->second.topic->CloseProducer(known->second.producer);
    routes_.erase(known);
  }
  if (!found.ok()) {
    if (found.error().code() == Code::kNotFound) return std::shared_ptr<broker::Topic>();
    return found;
  }
  Route& route = routes_[name];
  route.topic = *found;
  // Without a producer id nothing is refused, and there is nothing that it would be told.
  auto opened = route.topic->OpenProducer(route.producer, "", nullptr);
  if (!opened.ok()) return opened.error();
  return found;
}

}  // namespace sluice::rpc
