// SPDX-License-Identifier: Apache-2.0
#include "broker/broker.h"

#include <utility>

namespace sluice::broker {

Broker::Broker(BrokerOptions options, const Clock& clock)
    : clock_(clock),
      timers_(nullptr),
      space_{.limits = options.limits,
             .clock = clock,
             .timers = timers_,
             .auto_declare = options.auto_declare,
             .make_room =
                 [this] {
                   queues_.ForgetEnded();
                   topics_.ForgetEnded();
                   responders_.ForgetEnded();
                 }},
      sessions_(std::make_shared<Sessions>(clock, timers_, space_.limits)),
      queues_(space_),
      topics_(space_),
      responders_(space_),
      config_(Config::Create(space_)) {}

Broker::~Broker() = default;

Broker::Totals Broker::totals() const {
  Totals totals;
  totals.sessions = sessions_->count();
  const ConfigStats config = config_->Describe();
  totals.keys = config.keys;
  totals.watchers = config.watchers;
  totals.waiting_gets = config.waiting_gets;
  totals.retained_bytes = config.retained_bytes;
  for (const auto& queue : queues_.All()) {
    const QueueStats stats = queue->Describe();
    ++totals.queues;
    totals.waiting_sends += stats.waiting_sends;
    totals.waiting_receives += stats.waiting_receives;
    totals.leases += stats.leases;
    totals.in_flight += stats.in_flight;
    totals.depth += stats.depth;
    totals.retained_bytes += stats.retained_bytes;
    totals.producers += stats.producers;
    totals.consumers += stats.consumers;
  }
  for (const auto& topic : topics_.All()) {
    const TopicStats stats = topic->Describe();
    ++totals.topics;
    totals.publishers += stats.publishers;
    totals.waiting_publishes += stats.waiting_publishes;
    totals.subscribers += stats.subscribers;
    totals.retained_bytes += stats.retained_bytes;
  }
  for (const auto& responder : responders_.All()) {
    const ResponderStats stats = responder->Describe();
    ++totals.responders;
    totals.workers += stats.workers;
    totals.queued_calls += stats.depth;
    totals.calls_in_flight += stats.in_flight;
    totals.retained_bytes += stats.retained_bytes;
  }
  return totals;
}

void Broker::StartDrain() {
  space_.is_draining = true;  // first: a declaration is refused, or in the list
  for (const auto& queue : queues_.All()) queue->Close(ClosedReason::kShuttingDown);
  for (const auto& topic : topics_.All()) topic->Close(ClosedReason::kShuttingDown);
  for (const auto& responder : responders_.All()) responder->Close(ClosedReason::kShuttingDown);
  config_->Close(ClosedReason::kShuttingDown);
}

bool Broker::is_draining() const noexcept { return space_.is_draining; }

bool Broker::is_drained() const {
  for (const auto& queue : queues_.All()) {
    const QueueStats stats = queue->Describe();
    if (stats.consumers > 0 && stats.depth + stats.in_flight > 0) return false;
  }
  for (const auto& topic : topics_.All()) {
    if (!topic->has_ended()) return false;
  }
  for (const auto& responder : responders_.All()) {
    if (responder->Describe().in_flight > 0) return false;
  }
  return true;
}

std::vector<Broker::Lost> Broker::FinishDrain() {
  std::vector<Lost> lost;
  for (const auto& queue : queues_.All()) {
    const std::uint64_t messages = queue->Delete(ClosedReason::kShuttingDown);
    if (messages > 0) lost.push_back({queue->name(), messages});
  }
  for (const auto& topic : topics_.All()) topic->Delete(ClosedReason::kShuttingDown);
  for (const auto& responder : responders_.All()) responder->Delete(ClosedReason::kShuttingDown);
  sessions_->EndAll();
  return lost;
}

}  // namespace sluice::broker
