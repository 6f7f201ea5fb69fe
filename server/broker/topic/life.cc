// SPDX-License-Identifier: Apache-2.0
// How a topic comes to be, what it shows of itself, and how it ends.
#include <algorithm>
#include <utility>

#include "broker/topic/core.h"

namespace sluice::broker {

std::shared_ptr<Topic> Topic::Create(std::string name, const TopicSpec& spec, std::uint64_t epoch,
                                     const Clock& clock, Timers& timers, MemoryBudget& memory) {
  return std::shared_ptr<Topic>(new Topic(std::move(name), spec, epoch, clock, timers, memory));
}

Topic::Topic(std::string name, const TopicSpec& spec, std::uint64_t epoch, const Clock& clock,
             Timers& timers, MemoryBudget& memory)
    : core_(std::make_unique<Core>(std::move(name), spec, epoch, clock, timers, memory)) {}

Topic::~Topic() = default;

const std::string& Topic::name() const noexcept { return core_->name; }
const TopicSpec& Topic::spec() const noexcept { return core_->spec; }
std::uint64_t Topic::epoch() const noexcept { return core_->epoch; }
bool Topic::has_ended() const { return core_->has_ended; }
bool Topic::is_deleted() const { return core_->is_deleted; }

TopicStats Topic::Describe() const {
  const Core& core = *core_;
  MutexLock lock(core.mutex);
  TopicStats stats;
  stats.name = core.name;
  stats.spec = core.spec;
  stats.epoch = core.epoch;
  stats.state = core.has_ended            ? TopicState::kEnded
                : core.intake.is_closed() ? TopicState::kClosed
                                          : TopicState::kOpen;
  stats.closed_reason = core.intake.closed_reason();
  stats.next_position = core.retained.next();
  stats.oldest_position = core.retained.oldest();
  stats.accepted = stats.next_position - 1;
  stats.overwritten = stats.oldest_position - 1;
  stats.depth = core.retained.size();
  const Intake::Counts& counts = core.intake.counts();
  stats.no_subscribers = counts.no_subscribers;
  stats.refused_full = counts.refused_full;
  stats.refused_closed = counts.refused_closed;
  stats.timed_out = counts.timed_out;
  stats.refused_memory = counts.refused_memory;
  stats.duplicates = counts.duplicates;
  stats.delivered = core.delivered;
  stats.missed = core.missed;
  stats.lags = core.lags;
  stats.evicted = core.evicted;
  stats.deleted = core.deleted;
  stats.abandoned = counts.abandoned;
  stats.waited_publishes = counts.waited;
  stats.lag_max = core.LagMax();
  stats.waiting_since = core.intake.waiting_since();
  stats.retained_bytes = core.retained.meter().bytes;
  stats.waiting_publishes = static_cast<std::uint32_t>(core.line.waiting());
  stats.publishers = static_cast<std::uint32_t>(core.intake.producers());
  stats.subscribers = static_cast<std::uint32_t>(core.subscribers.size());
  stats.stores = core.Stores([&core] { return core.clock.Now(); });
  return stats;
}

std::vector<SubscriberStats> Topic::Subscribers(std::uint64_t after_stream_id,
                                                std::size_t count) const {
  std::vector<SubscriberStats> list;
  {
    MutexLock lock(core_->mutex);
    for (const Subscriber* subscriber = core_->subscribers.front(); subscriber != nullptr;
         subscriber = IntrusiveList<Subscriber>::Next(*subscriber)) {
      const SubscriberOptions& options = subscriber->options_;
      if (options.stream_id <= after_stream_id) continue;
      list.push_back({.stream_id = options.stream_id,
                      .subscriber = options.subscriber,
                      .peer = options.peer,
                      .pattern = options.pattern,
                      .next_position = subscriber->cursor_,
                      .behind = core_->retained.next() - subscriber->cursor_,
                      .delivered = subscriber->delivered_,
                      .missed = subscriber->missed_});
    }
  }
  std::sort(list.begin(), list.end(), [](const SubscriberStats& a, const SubscriberStats& b) {
    return a.stream_id < b.stream_id;
  });
  if (list.size() > count) list.resize(count);
  return list;
}

std::uint64_t Topic::free_slots() const {
  const Core& core = *core_;
  if (core.spec.policy != SlowPolicy::kBlock) return core.spec.capacity;
  MutexLock lock(core.mutex);
  if (core.line.has_line()) return 0;
  const std::uint64_t wanted =
      std::clamp(core.SlowestWants(), core.retained.oldest(), core.retained.next());
  return core.retained.capacity() - (core.retained.next() - wanted);
}

void Topic::Close(ClosedReason reason) { Turn(*this).Close(reason); }

std::uint64_t Topic::Delete(ClosedReason reason) { return Turn(*this).Destroy(reason); }

void Topic::SessionEnded(const std::string& session_id) {
  Turn turn(*this);
  if (turn.core().intake.SessionEnded(session_id, turn.after())) {
    turn.Close(ClosedReason::kProducersGone);
  }
}

// Who waited long enough for the slow enters before it is asked how long it would wait at all.
TimePoint Topic::RunDue(TimePoint now) {
  Turn turn(*this, now);
  Core& core = turn.core();
  turn.Balance();
  core.intake.TimeOut(turn.after());
  core.intake.ForgetProducers(now);
  turn.Balance();
  core.scheduled = core.next_due();
  return core.scheduled;
}

void Topic::Turn::Close(ClosedReason reason) {
  const bool is_news =
      !core_.intake.is_closed() || (reason == ClosedReason::kShuttingDown && !core_.has_ended &&
                                    core_.intake.closed_reason() == ClosedReason::kRequested);
  if (is_news) core_.intake.Close(reason, after_);
}

// What is destroyed counts as overwritten: nobody finds a deleted topic any more.
std::uint64_t Topic::Turn::Destroy(ClosedReason reason) {
  if (core_.is_deleted) return 0;
  core_.is_deleted = reason == ClosedReason::kDeleted;
  if (!core_.has_ended) core_.intake.Close(reason, after_);
  while (Subscriber* subscriber = core_.subscribers.front()) {
    after_.Tell(subscriber->notifier_);
    End(*subscriber, reason);
  }
  const std::uint64_t count = core_.retained.Clear();
  core_.deleted += count;
  return count;
}

}  // namespace sluice::broker
