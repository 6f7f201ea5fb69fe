// SPDX-License-Identifier: Apache-2.0
#include "broker/broker.h"

#include <algorithm>
#include <utility>

namespace sluice::broker {
namespace {

// One channel that does not say how much it may retain leaves room for others.
Limits InMemory(Limits limits) {
  limits.bytes_max = std::min(limits.bytes_max, limits.memory_bytes_max / kChannelPartOfMemory);
  return limits;
}

}  // namespace

// Lets go of channels that ended long ago: a daemon whose channels come and go does not grow.
class Broker::Forgetting final : public Scheduled {
 public:
  explicit Forgetting(Broker& broker) : broker_(broker), due_(broker.clock_.Now() + kEndedMemory) {}
  TimePoint due() const noexcept { return due_; }
  TimePoint RunDue(TimePoint now) override {
    if (now < due_) return due_;
    due_ = now + kEndedMemory;
    // While it drains everything has ended, and answers until the end.
    if (broker_.is_draining()) return due_;
    broker_.queues_.ForgetLongEnded();
    broker_.topics_.ForgetLongEnded();
    broker_.responders_.ForgetLongEnded();
    return due_;
  }

 private:
  Broker& broker_;
  TimePoint due_;
};

Broker::Broker(BrokerOptions options, const Clock& clock)
    : clock_(clock),
      timers_(nullptr),
      memory_(options.limits.memory_bytes_max, timers_),
      space_{.limits = InMemory(options.limits),
             .clock = clock,
             .timers = timers_,
             .memory = memory_,
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
      config_(Config::Create(space_)),
      forgetting_(std::make_shared<Forgetting>(*this)) {
  timers_.RunBy(forgetting_->due(), forgetting_);
}

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
