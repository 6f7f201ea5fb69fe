// SPDX-License-Identifier: Apache-2.0
// Queues, topics and responders: a page of a list holds the registry's lock for its own length and
// each channel's for one description, whatever there is in all.
#include <nlohmann/json.hpp>

#include "admin/channel_json.h"
#include "admin/pages.h"

namespace sluice::admin {
namespace {

const std::set<std::string> kListParameters = {"prefix", "page_size", "page_token"};
const std::set<std::string> kOneParameters = {"page_size", "page_token"};

template <class Channel>
Response ListOf(const broker::Registry<Channel>& registry, const std::string& field,
                const Target& target) {
  const Result<Page> page = PageOf(target);
  if (!page) return Refusal(page.error());
  const auto channels = registry.List(page->prefix, page->token, page->count + 1);
  Json json = {{field, Json::array()}};
  for (std::size_t i = 0; i < channels.size() && i < page->count; ++i) {
    json[field].push_back(ToJson(channels[i]->Describe()));
  }
  if (channels.size() > page->count) {
    json["next_page_token"] = channels[page->count - 1]->name();
  }
  return JsonResponse(json);
}

// LookAt: the description, and in it those who use the channel: at most `count` numbered above
// `after`. Returns the number of the last of them, or 0 when there are no more.
std::uint64_t LookAt(const broker::Queue& queue, std::uint64_t, std::size_t, Json& json) {
  json = ToJson(queue.Describe());
  return 0;
}

std::uint64_t LookAt(const broker::Topic& topic, std::uint64_t after, std::size_t count,
                     Json& json) {
  json = ToJson(topic.Describe());
  json["attached"] = Json::array();
  const auto subscribers = topic.Subscribers(after, count + 1);
  for (std::size_t i = 0; i < subscribers.size() && i < count; ++i) {
    json["attached"].push_back(ToJson(subscribers[i]));
  }
  return subscribers.size() > count ? subscribers[count - 1].stream_id : 0;
}

std::uint64_t LookAt(const broker::Responder& responder, std::uint64_t after, std::size_t count,
                     Json& json) {
  const broker::ResponderView view = responder.Look(after, count + 1);
  json = ToJson(view.stats);
  json["attached"] = Json::array();
  for (std::size_t i = 0; i < view.workers.size() && i < count; ++i) {
    json["attached"].push_back(ToJson(view.workers[i]));
  }
  return view.workers.size() > count ? view.workers[count - 1].fence : 0;
}

template <class Channel>
Response OneOf(const broker::Registry<Channel>& registry, const Request& request) {
  const Result<Page> page = PageOf(request.target);
  if (!page) return Refusal(page.error());
  const Result<std::uint64_t> after = NumberedToken(request.target);
  if (!after) return Refusal(after.error());
  const auto channel = registry.LookUp(std::string(request.name));
  if (!channel) return Refusal(channel.error());
  Json json;
  const std::uint64_t last = LookAt(**channel, *after, page->count, json);
  if (last != 0) json["next_page_token"] = std::to_string(last);
  return JsonResponse(json);
}

template <class Channel>
void AddKind(const broker::Registry<Channel>& registry, const std::string& field,
             std::set<std::string> one_parameters, Router& router) {
  const std::string path = "/api/v1/" + field;
  router.Add(path, {.handler = [&registry, field](
                                   const Request& r) { return ListOf(registry, field, r.target); },
                    .parameters = kListParameters});
  router.AddUnder(path + "/",
                  {.handler = [&registry](const Request& r) { return OneOf(registry, r); },
                   .parameters = std::move(one_parameters)});
}

}  // namespace

void AddChannelViews(const Sources& sources, Router& router) {
  AddKind<broker::Queue>(sources.broker.queues(), "queues", {}, router);
  AddKind<broker::Topic>(sources.broker.topics(), "topics", kOneParameters, router);
  AddKind<broker::Responder>(sources.broker.responders(), "responders", kOneParameters, router);
}

}  // namespace sluice::admin
