// SPDX-License-Identifier: Apache-2.0
// topic declare, describe, list, close, delete.
#include <CLI/CLI.hpp>
#include <memory>

#include "channel_verbs.h"
#include "numbers.h"
#include "spec_options.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

Result<Json> Describe(Client& client, const std::string& name, Deadline deadline) {
  Json json;
  Json subscribers = Json::array();
  std::string page_token;
  do {
    const auto reply = client.DescribeTopic(name, deadline, kPageSize, page_token);
    if (!reply.ok()) return reply.status();
    json = ToJson(reply->description);
    for (const SubscriberDescription& subscriber : reply->subscribers)
      subscribers.push_back(ToJson(subscriber));
    page_token = reply->next_page_token;
  } while (!page_token.empty());
  json["attached"] = std::move(subscribers);
  return json;
}

const ChannelKind& Topics() {
  static const ChannelKind kind = {"topic",
                                   "topic ",
                                   Names::kTopics,
                                   "messages",
                                   {{"NAME", "name"},
                                    {"STATE", "state"},
                                    {"POLICY", "spec.policy"},
                                    {"DEPTH", "depth"},
                                    {"CAPACITY", "spec.capacity"},
                                    {"ACCEPTED", "accepted"},
                                    {"MISSED", "missed"},
                                    {"PUBLISHERS", "publishers"},
                                    {"SUBSCRIBERS", "subscribers"}},
                                   Describe,
                                   [](Client& client, const std::string& prefix, Deadline deadline,
                                      const std::string& page_token) -> Result<ChannelPage> {
                                     const auto reply =
                                         client.ListTopics(prefix, deadline, kPageSize, page_token);
                                     if (!reply.ok()) return reply.status();
                                     return PageOf(reply->topics, reply->next_page_token);
                                   },
                                   [](Client& client, const std::string& name, Deadline deadline) {
                                     return client.CloseTopic(name, deadline);
                                   },
                                   [](Client& client, const std::string& name, Deadline deadline) {
                                     return client.DeleteTopic(name, deadline);
                                   }};
  return kind;
}

struct DeclareOptions {
  std::string topic;
  TopicSpec spec;
  double block_s = 0;
  double resume_window_s = -1;  // Not given.
};

int Declare(DeclareOptions& options, Invocation& with, Client& client) {
  options.spec.block = Seconds(options.block_s);
  if (options.resume_window_s >= 0) options.spec.resume_window = Seconds(options.resume_window_s);
  const auto reply = client.DeclareTopic(options.topic, options.spec, with.CallDeadline());
  return reply.ok() ? SayDeclared(with, ToJson(reply->description), reply->created)
                    : Fail(reply.status());
}

}  // namespace

void AddTopicVerbs(CLI::App& app, Invocation& invocation) {
  CLI::App* const noun = AddNoun(app, "topic", "Declares, shows and ends topics");
  const auto options = std::make_shared<DeclareOptions>();
  CLI::App* const verb = AddVerb(
      *noun, invocation,
      {"declare",
       "Makes a topic, or finds it as it is",
       {"sluice topic declare events",
        "sluice topic declare audit --policy block --block 2 --capacity 4096"}},
      [options](Invocation& with, Client& client) { return Declare(*options, with, client); });
  AddName(*verb, invocation, options->topic, Names::kTopics, "topic");
  AddRoomOptions(
      *verb, options->spec,
      "Messages retained at most, rounded up to a power of two (0: the daemon's default)");
  AddChoice(*verb, invocation, "--policy", options->spec.policy,
            {{"lag", SlowPolicy::kLag},
             {"block", SlowPolicy::kBlock},
             {"disconnect", SlowPolicy::kDisconnect}},
            "A slow subscriber misses the oldest (lag), holds publishers (block), or is ended "
            "(disconnect)");
  AddSeconds(*verb, "--block", options->block_s,
             "With --policy block: seconds that a message waits at most (0: the daemon's default)");
  AddSeconds(*verb, "--resume-window", options->resume_window_s,
             "Seconds that messages are stored after the last subscriber left (0: not at all)");
  AddLifetimeOptions(*verb, invocation, options->spec);
  AddChannelVerbs(*noun, invocation, Topics());
}

}  // namespace sluice::cli
