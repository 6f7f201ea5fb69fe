// SPDX-License-Identifier: Apache-2.0
// responder declare, describe, list, close, delete.
#include <CLI/CLI.hpp>
#include <memory>

#include "channel_verbs.h"
#include "spec_options.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

Result<Json> Describe(Client& client, const std::string& name, Deadline deadline) {
  Json json;
  Json workers = Json::array();
  std::string page_token;
  do {
    const auto reply = client.DescribeResponder(name, deadline, kPageSize, page_token);
    if (!reply.ok()) return reply.status();
    json = ToJson(reply->description);
    for (const WorkerDescription& worker : reply->workers) workers.push_back(ToJson(worker));
    page_token = reply->next_page_token;
  } while (!page_token.empty());
  json["attached"] = std::move(workers);
  return json;
}

const ChannelKind& Responders() {
  static const ChannelKind kind = {"responder",
                                   "responder ",
                                   Names::kResponders,
                                   "calls",
                                   {{"NAME", "name"},
                                    {"STATE", "state"},
                                    {"DEPTH", "depth"},
                                    {"CAPACITY", "spec.capacity"},
                                    {"IN FLIGHT", "in_flight"},
                                    {"ANSWERED", "answered"},
                                    {"FAILED", "failed"},
                                    {"WORKERS", "workers"}},
                                   Describe,
                                   [](Client& client, const std::string& prefix, Deadline deadline,
                                      const std::string& page_token) -> Result<ChannelPage> {
                                     const auto reply = client.ListResponders(
                                         prefix, deadline, kPageSize, page_token);
                                     if (!reply.ok()) return reply.status();
                                     return PageOf(reply->responders, reply->next_page_token);
                                   },
                                   [](Client& client, const std::string& name, Deadline deadline) {
                                     return client.CloseResponder(name, deadline);
                                   },
                                   [](Client& client, const std::string& name, Deadline deadline) {
                                     return client.DeleteResponder(name, deadline);
                                   }};
  return kind;
}

}  // namespace

void AddResponderVerbs(CLI::App& app, Invocation& invocation) {
  struct Options {
    std::string responder;
    ResponderSpec spec;
  };
  CLI::App* const noun = AddNoun(app, "responder", "Declares, shows and ends responders");
  const auto options = std::make_shared<Options>();
  CLI::App* const verb =
      AddVerb(*noun, invocation,
              {"declare",
               "Makes a responder, or finds it as it is",
               {"sluice responder declare upper", "sluice responder declare upper --capacity 64"}},
              [options](Invocation& with, Client& client) {
                const auto reply =
                    client.DeclareResponder(options->responder, options->spec, with.CallDeadline());
                return reply.ok() ? SayDeclared(with, ToJson(reply->description), reply->created)
                                  : Fail(reply.status());
              });
  AddName(*verb, invocation, options->responder, Names::kResponders, "responder");
  AddRoomOptions(*verb, options->spec,
                 "Calls queued at most, beside those with a worker (0: the daemon's default)");
  AddChannelVerbs(*noun, invocation, Responders());
}

}  // namespace sluice::cli
