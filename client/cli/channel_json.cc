// SPDX-License-Identifier: Apache-2.0
#include "channel_json.h"

namespace sluice::cli {
namespace {

// What the descriptions of all kinds begin with.
template <class Description>
Json Head(const Description& channel, bool is_open, Json spec) {
  Json json;
  json["name"] = channel.name;
  json["state"] = ToString(channel.state);
  if (!is_open) json["closed_reason"] = ToString(channel.closed_reason);
  json["epoch"] = channel.epoch;
  json["spec"] = std::move(spec);
  return json;
}

}  // namespace

Json ToJson(const QueueDescription& queue) {
  Json json = Head(queue, queue.state == QueueState::kOpen,
                   {{"capacity", queue.spec.capacity},
                    {"bytes_max", queue.spec.bytes_max},
                    {"message_bytes_max", queue.spec.message_bytes_max},
                    {"max_in_flight", queue.spec.max_in_flight},
                    {"lifetime", ToString(queue.spec.lifetime)},
                    {"close_on_consumer_loss", queue.spec.close_on_consumer_loss},
                    {"shared", queue.spec.shared},
                    {"durability", ToString(queue.spec.durability)}});
  json["next_position"] = queue.next_position;
  json["accepted"] = queue.accepted;
  json["settled"] = queue.settled;
  json["purged"] = queue.purged;
  json["deleted"] = queue.deleted;
  json["depth"] = queue.depth;
  json["in_flight"] = queue.in_flight;
  json["delayed"] = queue.delayed;
  json["come_back"] = queue.come_back;
  json["free_slots"] = queue.free_slots;
  json["retained_bytes"] = queue.retained_bytes;
  json["delivered"] = queue.delivered;
  json["redelivered"] = queue.redelivered;
  json["failures"] = queue.failures;
  json["duplicates"] = queue.duplicates;
  json["refused_full"] = queue.refused_full;
  json["refused_closed"] = queue.refused_closed;
  json["timed_out"] = queue.timed_out;
  json["waiting_sends"] = queue.waiting_sends;
  json["waiting_receives"] = queue.waiting_receives;
  json["producers"] = queue.producers;
  json["consumers"] = queue.consumers;
  json["standby"] = queue.standby;
  json["leases"] = queue.leases;
  json["consumer_peers"] = queue.consumer_peers;
  return json;
}

Json ToJson(const TopicDescription& topic) {
  const TopicSpec& spec = topic.spec;
  // Of a daemon's answer it is never missing.
  const Json resume_window = spec.resume_window ? Json(spec.resume_window->count()) : Json();
  Json json = Head(topic, topic.state == TopicState::kOpen,
                   {{"capacity", spec.capacity},
                    {"bytes_max", spec.bytes_max},
                    {"message_bytes_max", spec.message_bytes_max},
                    {"policy", ToString(spec.policy)},
                    {"block_ms", spec.block.count()},
                    {"resume_window_ms", resume_window},
                    {"lifetime", ToString(spec.lifetime)},
                    {"durability", ToString(spec.durability)}});
  json["next_position"] = topic.next_position;
  json["oldest_position"] = topic.oldest_position;
  json["accepted"] = topic.accepted;
  json["overwritten"] = topic.overwritten;
  json["depth"] = topic.depth;
  json["no_subscribers"] = topic.no_subscribers;
  json["refused_full"] = topic.refused_full;
  json["refused_closed"] = topic.refused_closed;
  json["timed_out"] = topic.timed_out;
  json["duplicates"] = topic.duplicates;
  json["delivered"] = topic.delivered;
  json["missed"] = topic.missed;
  json["retained_bytes"] = topic.retained_bytes;
  json["waiting_publishes"] = topic.waiting_publishes;
  json["publishers"] = topic.publishers;
  json["subscribers"] = topic.subscribers;
  json["stores"] = topic.stores;
  return json;
}

Json ToJson(const SubscriberDescription& subscriber) {
  Json json;
  json["stream_id"] = subscriber.stream_id;
  json["subscriber"] = subscriber.subscriber;
  json["peer"] = subscriber.peer;
  json["pattern"] = subscriber.pattern;
  json["next_position"] = subscriber.next_position;
  json["behind"] = subscriber.behind;
  json["delivered"] = subscriber.delivered;
  json["missed"] = subscriber.missed;
  return json;
}

Json ToJson(const ResponderDescription& responder) {
  Json json = Head(responder, responder.state == ResponderState::kOpen,
                   {{"capacity", responder.spec.capacity},
                    {"bytes_max", responder.spec.bytes_max},
                    {"message_bytes_max", responder.spec.message_bytes_max}});
  json["accepted"] = responder.accepted;
  json["answered"] = responder.answered;
  json["failed"] = responder.failed;
  json["responder_gone"] = responder.responder_gone;
  json["no_responder"] = responder.no_responder;
  json["too_large"] = responder.too_large;
  json["timed_out"] = responder.timed_out;
  json["cancelled"] = responder.cancelled;
  json["closed"] = responder.closed;
  json["depth"] = responder.depth;
  json["in_flight"] = responder.in_flight;
  json["refused_full"] = responder.refused_full;
  json["refused_no_responder"] = responder.refused_no_responder;
  json["refused_closed"] = responder.refused_closed;
  json["redelivered"] = responder.redelivered;
  json["late_replies"] = responder.late_replies;
  json["retained_bytes"] = responder.retained_bytes;
  json["workers"] = responder.workers;
  return json;
}

Json ToJson(const WorkerDescription& worker) {
  Json json;
  json["stream_id"] = worker.stream_id;
  json["worker"] = worker.worker;
  json["peer"] = worker.peer;
  json["fence"] = worker.fence;
  json["credit_messages"] = worker.credit_messages;
  json["credit_bytes"] = worker.credit_bytes;
  json["held"] = worker.held;
  json["answered"] = worker.answered;
  json["finishing"] = worker.finishing;
  return json;
}

Json ToJson(const SendOutcome& outcome) {
  Json json;
  json["first_sequence"] = outcome.first_sequence;
  json["count"] = outcome.count;
  json["outcome"] = ToString(outcome.outcome);
  if (outcome.first_position > 0) json["first_position"] = outcome.first_position;
  if (outcome.outcome == Outcome::kOk) json["durability"] = ToString(outcome.durability);
  if (outcome.outcome == Outcome::kClosed) json["reason"] = ToString(outcome.reason);
  if (outcome.duplicate) json["duplicate"] = true;
  if (outcome.delivered_to > 0) json["delivered_to"] = outcome.delivered_to;
  if (outcome.full_reason != FullReason::kUnspecified) {
    json["full_reason"] = ToString(outcome.full_reason);
  }
  if (!outcome.status.ok()) json["status"] = outcome.status.ToString();
  return json;
}

Json ToJson(const StreamDescription& stream) {
  Json json;
  json["id"] = stream.id;
  json["method"] = stream.method;
  json["peer"] = stream.peer;
  json["channel"] = stream.channel;
  json["state"] = stream.state;
  json["age_ms"] = stream.age.count();
  json["write_stalled_ms"] = stream.write_stalled.count();
  json["write_bytes"] = stream.write_bytes;
  json["held_messages"] = stream.held_messages;
  json["credit_messages"] = stream.credit_messages;
  json["waiting_messages"] = stream.waiting_messages;
  return json;
}

Json ToJson(const ServerInfo& info) {
  Json json;
  json["version"] = info.version;
  json["uptime_ms"] = info.uptime.count();
  json["started_unix_us"] = info.started_unix_us;
  json["draining"] = info.draining;
  json["live"] = info.live;
  json["bounds"] = info.bounds;
  return json;
}

}  // namespace sluice::cli
