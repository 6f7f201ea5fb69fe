// SPDX-License-Identifier: Apache-2.0
// Config keys without their values, which may be secrets.
#include <nlohmann/json.hpp>

#include "admin/json_page.h"
#include "admin/pages.h"

namespace sluice::admin {
namespace {

// Of a page of the list; without values it is far less.
constexpr std::uint64_t kListBytesMax = std::uint64_t{4} << 20;

Json ToJson(const broker::KeyEntry& entry) {
  return {{"key", entry.key},
          {"epoch", entry.epoch},
          {"version", entry.version},
          {"revision", entry.revision},
          {"value_bytes", entry.value.size()},
          {"content_type", entry.content_type},
          {"changed_unix_us", entry.changed_unix_us},
          {"ephemeral", entry.ephemeral}};
}

Response List(const broker::Config& config, const Target& target) {
  const Result<Page> page = PageOf(target);
  if (!page) return Refusal(page.error());
  if (Status status = broker::CheckPrefix("prefix", page->prefix); !status.ok()) {
    return Refusal(status);
  }
  const broker::ConfigStats stats = config.Describe();
  Json json = {{"keys", stats.keys},
               {"keys_ephemeral", stats.ephemeral_keys},
               {"tombstones", stats.tombstones},
               {"watchers", stats.watchers},
               {"waiting_gets", stats.waiting_gets},
               {"revision", stats.revision},
               {"service_epoch", config.service_epoch()},
               {"retained_bytes", stats.retained_bytes},
               {"config", Json::array()}};
  const broker::KeyPage keys =
      config.List(page->prefix, page->token, page->count, kListBytesMax, /*with_values=*/false);
  for (const broker::EntryPtr& entry : keys.entries) json["config"].push_back(ToJson(*entry));
  if (keys.has_more) json["next_page_token"] = keys.entries.back()->key;
  return JsonResponse(json);
}

Response One(const broker::Config& config, std::string_view key) {
  const Result<broker::KeyAnswer> answer = config.Get(std::string(key));
  if (!answer) return Refusal(answer.error());
  if (answer->outcome != broker::Outcome::kOk) {
    return Refusal(404, "NOT_FOUND", "there is no key " + std::string(key));
  }
  Json json = ToJson(*answer->entry);
  json["watchers"] = answer->watchers;
  return JsonResponse(json);
}

}  // namespace

void AddConfigViews(const Sources& sources, Router& router) {
  const broker::Config& config = *sources.broker.config();
  router.Add("/api/v1/config",
             {.handler = [&config](const Request& r) { return List(config, r.target); },
              .parameters = {"prefix", "page_size", "page_token"}});
  router.AddUnder(
      "/api/v1/config/",
      {.handler = [&config](const Request& r) { return One(config, r.name); }, .parameters = {}});
}

}  // namespace sluice::admin
