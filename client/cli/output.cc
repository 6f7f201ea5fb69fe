// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include <algorithm>
#include <iostream>

namespace sluice::cli {

void PrintJson(const Json& json) {
  // What is not UTF-8 can only come from text of a peer that breaks the protocol: shown, not thrown
  // at.
  std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    std::cout << line << "\n";
  }
}

Json ToJson(const QueueDescription& queue) {
  Json json;
  json["name"] = queue.name;
  json["state"] = ToString(queue.state);
  if (queue.state != QueueState::kOpen) json["closed_reason"] = ToString(queue.closed_reason);
  json["epoch"] = queue.epoch;
  json["spec"] = {{"capacity", queue.spec.capacity},
                  {"bytes_max", queue.spec.bytes_max},
                  {"message_bytes_max", queue.spec.message_bytes_max},
                  {"max_in_flight", queue.spec.max_in_flight},
                  {"lifetime", ToString(queue.spec.lifetime)},
                  {"close_on_consumer_loss", queue.spec.close_on_consumer_loss},
                  {"shared", queue.spec.shared},
                  {"durability", ToString(queue.spec.durability)}};
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

Json ToJson(const SendOutcome& outcome) {
  Json json;
  json["first_sequence"] = outcome.first_sequence;
  json["count"] = outcome.count;
  json["outcome"] = ToString(outcome.outcome);
  if (outcome.first_position > 0) json["first_position"] = outcome.first_position;
  if (outcome.outcome == Outcome::kOk) json["durability"] = ToString(outcome.durability);
  if (outcome.outcome == Outcome::kClosed) json["reason"] = ToString(outcome.reason);
  if (outcome.duplicate) json["duplicate"] = true;
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
