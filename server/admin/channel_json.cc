// SPDX-License-Identifier: Apache-2.0
#include "admin/channel_json.h"

#include <nlohmann/json.hpp>

namespace sluice::admin {
namespace {

const char* Word(broker::ClosedReason reason) {
  switch (reason) {
    case broker::ClosedReason::kUnspecified:
      break;
    case broker::ClosedReason::kRequested:
      return "REQUESTED";
    case broker::ClosedReason::kDeleted:
      return "DELETED";
    case broker::ClosedReason::kProducersGone:
      return "PRODUCERS_GONE";
    case broker::ClosedReason::kShuttingDown:
      return "SHUTTING_DOWN";
    case broker::ClosedReason::kSuperseded:
      return "SUPERSEDED";
    case broker::ClosedReason::kLagged:
      return "LAGGED";
    case broker::ClosedReason::kFinished:
      return "FINISHED";
    case broker::ClosedReason::kLimit:
      return "LIMIT";
  }
  return "UNSPECIFIED";
}

const char* Word(broker::Lifetime lifetime) {
  return lifetime == broker::Lifetime::kTied ? "TIED" : "STANDING";
}

const char* Word(broker::SlowPolicy policy) {
  switch (policy) {
    case broker::SlowPolicy::kUnspecified:
      break;
    case broker::SlowPolicy::kLag:
      return "LAG";
    case broker::SlowPolicy::kBlock:
      return "BLOCK";
    case broker::SlowPolicy::kDisconnect:
      return "DISCONNECT";
  }
  return "UNSPECIFIED";
}

// What all kinds begin with.
template <class Stats>
Json Head(const Stats& s, Json spec) {
  using State = decltype(s.state);
  Json json = {{"name", s.name}, {"state", s.state == State::kOpen ? "OPEN" : "CLOSED"}};
  if (s.state == State::kEnded) json["state"] = "ENDED";
  if (s.state != State::kOpen) json["closed_reason"] = Word(s.closed_reason);
  json.update({{"epoch", s.epoch}, {"spec", std::move(spec)}});
  return json;
}

template <class Spec>
Json Bounds(const Spec& spec) {
  return {{"capacity", spec.capacity},
          {"bytes_max", spec.bytes_max},
          {"message_bytes_max", spec.message_bytes_max}};
}

}  // namespace

Json ToJson(const broker::QueueStats& s) {
  Json spec = Bounds(s.spec);
  spec.update({{"max_in_flight", s.spec.max_in_flight},
               {"lifetime", Word(s.spec.lifetime)},
               {"shared", s.spec.shared},
               {"close_on_consumer_loss", s.spec.close_on_consumer_loss}});
  Json json = Head(s, std::move(spec));
  json.update({{"accepted", s.accepted},
               {"settled", s.settled},
               {"purged", s.purged},
               {"deleted", s.deleted},
               {"depth", s.depth},
               {"in_flight", s.in_flight}});
  json.update({{"delayed", s.delayed},
               {"come_back", s.come_back},
               {"free_slots", s.free_slots},
               {"retained_bytes", s.retained_bytes},
               {"next_position", s.next_position}});
  json.update({{"delivered", s.delivered},
               {"redelivered", s.redelivered},
               {"failures", s.failures},
               {"duplicates", s.duplicates}});
  json.update({{"refused_full", s.refused_full},
               {"refused_closed", s.refused_closed},
               {"timed_out", s.timed_out}});
  json.update({{"waiting_sends", s.waiting_sends},
               {"waiting_receives", s.waiting_receives},
               {"producers", s.producers},
               {"consumers", s.consumers},
               {"standby", s.standby},
               {"leases", s.leases},
               {"consumer_peers", s.consumer_peers}});
  return json;
}

Json ToJson(const broker::TopicStats& s) {
  Json spec = Bounds(s.spec);
  spec.update({{"policy", Word(s.spec.policy)},
               {"block_ms", s.spec.block_ms},
               {"resume_window_ms", s.spec.resume_window_ms.value_or(0)},
               {"lifetime", Word(s.spec.lifetime)}});
  Json json = Head(s, std::move(spec));
  json.update({{"accepted", s.accepted},
               {"overwritten", s.overwritten},
               {"depth", s.depth},
               {"oldest_position", s.oldest_position},
               {"next_position", s.next_position},
               {"retained_bytes", s.retained_bytes}});
  json.update({{"delivered", s.delivered}, {"missed", s.missed}, {"duplicates", s.duplicates}});
  json.update({{"no_subscribers", s.no_subscribers},
               {"refused_full", s.refused_full},
               {"refused_closed", s.refused_closed},
               {"timed_out", s.timed_out}});
  json.update({{"waiting_publishes", s.waiting_publishes},
               {"publishers", s.publishers},
               {"subscribers", s.subscribers},
               {"stores", s.stores}});
  return json;
}

Json ToJson(const broker::SubscriberStats& s) {
  return {{"stream_id", s.stream_id}, {"subscriber", s.subscriber},
          {"peer", s.peer},           {"pattern", s.pattern},
          {"behind", s.behind},       {"missed", s.missed},
          {"delivered", s.delivered}, {"next_position", s.next_position}};
}

Json ToJson(const broker::ResponderStats& s) {
  const broker::ResponderCounts& c = s.counts;
  Json json = Head(s, Bounds(s.spec));
  json.update({{"accepted", c.accepted},
               {"answered", c.answered},
               {"failed", c.failed},
               {"responder_gone", c.responder_gone},
               {"no_responder", c.no_responder},
               {"too_large", c.too_large},
               {"timed_out", c.timed_out},
               {"cancelled", c.cancelled},
               {"closed", c.closed}});
  json.update({{"depth", s.depth},
               {"in_flight", s.in_flight},
               {"workers", s.workers},
               {"retained_bytes", s.retained_bytes}});
  json.update({{"refused_full", c.refused_full},
               {"refused_no_responder", c.refused_no_responder},
               {"refused_closed", c.refused_closed},
               {"redelivered", c.redelivered},
               {"late_replies", c.late_replies}});
  return json;
}

Json ToJson(const broker::WorkerStats& s) {
  return {{"stream_id", s.stream_id},
          {"worker", s.name},
          {"peer", s.peer},
          {"fence", s.fence},
          {"credit_messages", s.credit.messages},
          {"credit_bytes", s.credit.bytes},
          {"held", s.held},
          {"answered", s.answered},
          {"finishing", s.is_finishing}};
}

}  // namespace sluice::admin
