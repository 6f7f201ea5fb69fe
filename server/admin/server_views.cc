// SPDX-License-Identifier: Apache-2.0
// The daemon itself: who is slow, who is connected, what is bounded, what it is.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "admin/http_limits.h"
#include "admin/json_page.h"
#include "admin/pages.h"
#include "base/version.h"

namespace sluice::admin {
namespace {

const std::set<std::string> kPageParameters = {"page_size", "page_token"};

template <class D>
std::int64_t Ms(D duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

Json ToJson(const rpc::StreamView& view) {
  return {{"id", view.id},
          {"method", view.method},
          {"channel", view.channel},
          {"peer", view.peer},
          {"state", view.state},
          {"age_ms", Ms(view.age)},
          {"write_stalled_ms", Ms(view.write_stalled)},
          {"write_bytes", view.write_bytes},
          {"held_messages", view.held_messages},
          {"credit_messages", view.credit_messages},
          {"waiting_messages", view.waiting_messages}};
}

// A page of `all`, which is one instant: the token is how many were shown.
template <class Item>
Response PageOfAll(const Target& target, const std::string& field, const std::vector<Item>& all,
                   Json json = Json::object()) {
  const Result<Page> page = PageOf(target);
  if (!page) return Refusal(page.error());
  const Result<std::uint64_t> skip = NumberedToken(target);
  if (!skip) return Refusal(skip.error());
  json[field] = Json::array();
  for (std::size_t i = *skip; i < all.size() && i - *skip < page->count; ++i) {
    json[field].push_back(ToJson(all[i]));
  }
  if (*skip < all.size() && all.size() - *skip > page->count) {
    json["next_page_token"] = std::to_string(*skip + page->count);
  }
  return JsonResponse(json);
}

Json ToJson(const broker::SessionView& view) {
  Json json = {{"id_begins", view.id_begins}, {"held", view.is_held}, {"tied", view.tied}};
  if (!view.is_held) json["ends_in_ms"] = Ms(view.ends_in);
  return json;
}

Response SessionsOf(const Sources& sources, const Target& target) {
  const Result<Page> page = PageOf(target);
  if (!page) return Refusal(page.error());
  const Result<std::uint64_t> place = NumberedToken(target);
  if (!place) return Refusal(place.error());
  const broker::SessionPage shown = sources.broker.sessions().List(*place, page->count);
  Json json = {{"sessions", Json::array()}};
  for (const broker::SessionView& view : shown.sessions) json["sessions"].push_back(ToJson(view));
  if (shown.next != 0) json["next_page_token"] = std::to_string(shown.next);
  return JsonResponse(json);
}

// A connection with calls, as they tell of it.
struct ConnectionView {
  std::string peer;
  std::uint64_t calls = 0;
  std::uint64_t held_messages = 0;
  Duration write_stalled{0};  // the longest
};

Json ToJson(const ConnectionView& view) {
  return {{"peer", view.peer},
          {"calls", view.calls},
          {"held_messages", view.held_messages},
          {"write_stalled_ms", Ms(view.write_stalled)}};
}

// The longest stalled first, then those with the most calls.
std::vector<ConnectionView> ConnectionsOf(const std::vector<rpc::StreamView>& streams) {
  std::map<std::string, ConnectionView> by_peer;
  for (const rpc::StreamView& stream : streams) {
    ConnectionView& view = by_peer[stream.peer];
    ++view.calls;
    view.held_messages += stream.held_messages;
    view.write_stalled = std::max(view.write_stalled, stream.write_stalled);
  }
  std::vector<ConnectionView> views;
  for (auto& [peer, view] : by_peer) {
    view.peer = peer;
    views.push_back(std::move(view));
  }
  std::stable_sort(
      views.begin(), views.end(), [](const ConnectionView& a, const ConnectionView& b) {
        return std::pair(b.write_stalled, b.calls) < std::pair(a.write_stalled, a.calls);
      });
  return views;
}

Response Connections(const Sources& sources, const Target& target) {
  const rpc::ConnectionCounts counts = sources.connections.Counts();
  Json json = {{"open", counts.open},
               {"accepted", counts.accepted},
               {"refused", Json::object()},
               {"cut", Json::object()},
               {"accept_errors", counts.accept_errors}};
  for (std::size_t i = 0; i < counts.refused.size(); ++i) {
    json["refused"][std::string(rpc::kRefusalNames[i])] = counts.refused[i];
  }
  for (std::size_t i = 0; i < counts.cut.size(); ++i) {
    json["cut"][std::string(rpc::kStrikeNames[i])] = counts.cut[i];
  }
  return PageOfAll(target, "connections", ConnectionsOf(sources.streams.List(sources.clock.Now())),
                   std::move(json));
}

Response Limits(const Sources& sources, const HttpLimits& http) {
  Json json = {{"limits", Json::object()}};
  for (const rpc::Bound& bound : sources.bounds) json["limits"][bound.name] = bound.value;
  json["http"] = {{"connections_max", http.connections_max},
                  {"connections_per_address_max", http.connections_per_address_max},
                  {"refusals_max", http.refusals_max},
                  {"header_bytes_max", http.header_bytes_max},
                  {"target_bytes_max", Target::kBytesMax},
                  {"body_bytes_max", 0},
                  {"unsent_bytes_max", http.unsent_bytes_max},
                  {"header_timeout_ms", Ms(http.header_timeout)},
                  {"idle_timeout_ms", Ms(http.idle_timeout)},
                  {"write_timeout_ms", Ms(http.write_timeout)},
                  {"linger_timeout_ms", Ms(http.linger_timeout)},
                  {"turn_timeout_ms", Ms(http.turn_timeout)}};
  return JsonResponse(json);
}

Response Info(const Sources& sources) {
  const broker::Broker::Totals t = sources.broker.totals();
  Json json = {{"version", kVersion},
               {"started_unix_us", sources.started_unix_us},
               {"uptime_ms", Ms(sources.clock.Now() - sources.started)},
               {"draining", sources.broker.is_draining()},
               {"workers", sources.workers}};
  const std::string why_not_ready = sources.why_not_ready();
  json["ready"] = why_not_ready.empty();
  if (!why_not_ready.empty()) json["why_not_ready"] = why_not_ready;
  Json& live = json["live"];
  live = {{"calls", sources.streams.size()},
          {"streams", sources.streams.streams()},
          {"sessions", t.sessions},
          {"retained_bytes", t.retained_bytes}};
  live.update({{"queues", t.queues},
               {"depth", t.depth},
               {"in_flight", t.in_flight},
               {"leases", t.leases},
               {"waiting_sends", t.waiting_sends},
               {"waiting_receives", t.waiting_receives},
               {"producers", t.producers},
               {"consumers", t.consumers}});
  live.update({{"topics", t.topics},
               {"publishers", t.publishers},
               {"subscribers", t.subscribers},
               {"waiting_publishes", t.waiting_publishes}});
  live.update({{"responders", t.responders},
               {"workers", t.workers},
               {"queued_calls", t.queued_calls},
               {"calls_in_flight", t.calls_in_flight}});
  live.update({{"keys", t.keys}, {"watchers", t.watchers}, {"waiting_gets", t.waiting_gets}});
  return JsonResponse(json);
}

}  // namespace

void AddServerViews(const Sources& sources, const HttpLimits& limits, Router& router) {
  router.Add("/api/v1/streams", {.handler =
                                     [&sources](const Request& r) {
                                       return PageOfAll(r.target, "streams",
                                                        sources.streams.List(sources.clock.Now()));
                                     },
                                 .parameters = kPageParameters});
  router.Add("/api/v1/sessions",
             {.handler = [&sources](const Request& r) { return SessionsOf(sources, r.target); },
              .parameters = kPageParameters});
  router.Add("/api/v1/connections",
             {.handler = [&sources](const Request& r) { return Connections(sources, r.target); },
              .parameters = kPageParameters});
  router.Add("/api/v1/limits",
             {.handler = [&sources, &limits](const Request&) { return Limits(sources, limits); },
              .parameters = {}});
  router.Add("/api/v1/info",
             {.handler = [&sources](const Request&) { return Info(sources); }, .parameters = {}});
}

}  // namespace sluice::admin
