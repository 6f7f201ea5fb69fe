// SPDX-License-Identifier: Apache-2.0
// publish: to a topic.
#include <CLI/CLI.hpp>
#include <memory>

#include "outgoing.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

struct PublishOptions : OutgoingOptions {
  std::string topic;
};

int Publish(const PublishOptions& options, Invocation& invocation, Client& client) {
  Outgoing outgoing(options, invocation);
  PublisherOptions with;
  outgoing.Prepare(with);
  with.topic = options.topic;
  if (options.declare) with.spec = TopicSpec();
  auto publisher = client.OpenPublisher(with, invocation.CallDeadline());
  return publisher.ok() ? outgoing.Run(*publisher) : Fail(publisher.status());
}

}  // namespace

void AddPublishVerb(CLI::App& app, Invocation& invocation) {
  const auto options = std::make_shared<PublishOptions>();
  CLI::App* const verb = AddVerb(
      app, invocation,
      {"publish",
       "Publishes messages to a topic; with nobody subscribed: NO_SUBSCRIBERS",
       {"sluice publish events started", "tail -f app.log | sluice publish logs --reconnect",
        "sluice publish events --header region=eu --content-type text/plain up"}},
      [options](Invocation& with, Client& client) { return Publish(*options, with, client); });
  AddName(*verb, invocation, options->topic, Names::kTopics, "topic");
  AddOutgoingOptions(*verb, *options, "topic");
}

}  // namespace sluice::cli
