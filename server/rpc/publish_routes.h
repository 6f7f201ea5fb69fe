// SPDX-License-Identifier: Apache-2.0
// The topics that one PublishStream of many publishes to: from its first frame to a topic the
// stream is one of that topic's publishers (N1).
//
// Threads: those of its stream.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/topics.h"

namespace sluice::rpc {

class PublishRoutes {
 public:
  // With a spec each topic is declared if it is not there.
  PublishRoutes(broker::Topics& topics, std::optional<broker::TopicSpec> spec)
      : topics_(topics), spec_(std::move(spec)) {}
  // The stream is nobody's publisher any more.
  ~PublishRoutes();
  PublishRoutes(const PublishRoutes&) = delete;
  PublishRoutes& operator=(const PublishRoutes&) = delete;

  // Null: there is no such topic. A topic declared anew since is the new one. INVALID_ARGUMENT for
  // the name; RESOURCE_EXHAUSTED, reason TOO_MANY_TOPICS; with a spec the faults of declaring.
  Result<std::shared_ptr<broker::Topic>> Find(const std::string& name);

 private:
  struct Route {
    std::shared_ptr<broker::Topic> topic;
    broker::Producer producer;
  };

  broker::Topics& topics_;
  const std::optional<broker::TopicSpec> spec_;
  std::map<std::string, Route> routes_;
};

}  // namespace sluice::rpc
