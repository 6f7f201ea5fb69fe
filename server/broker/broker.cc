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
             .make_room = [this] { queues_.ForgetEnded(); }},
      sessions_(std::make_shared<Sessions>(clock, timers_, space_.limits)),
      queues_(space_) {}

Broker::~Broker() = default;

Broker::Totals Broker::totals() const {
  Totals totals;
  totals.sessions = sessions_->count();
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
  return totals;
}

void Broker::StartDrain() {
  space_.is_draining = true;  // first: a declaration is refused, or in the list
  for (const auto& queue : queues_.All()) queue->Close(ClosedReason::kShuttingDown);
}

bool Broker::is_draining() const noexcept { return space_.is_draining; }

bool Broker::is_drained() const {
  for (const auto& queue : queues_.All()) {
    const QueueStats stats = queue->Describe();
    if (stats.consumers > 0 && stats.depth + stats.in_flight > 0) return false;
  }
  return true;
}

std::vector<Broker::Lost> Broker::FinishDrain() {
  std::vector<Lost> lost;
  for (const auto& queue : queues_.All()) {
    const std::uint64_t messages = queue->Delete(ClosedReason::kShuttingDown);
    if (messages > 0) lost.push_back({queue->name(), messages});
  }
  sessions_->EndAll();
  return lost;
}

}  // namespace sluice::broker
