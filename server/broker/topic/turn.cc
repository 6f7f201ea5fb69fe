// SPDX-License-Identifier: Apache-2.0
// A turn's frame: the lock, the coming to rest, and what is told after it.
#include <algorithm>
#include <utility>

#include "broker/topic/core.h"

namespace sluice::broker {

Topic::Core::Core(std::string topic_name, const TopicSpec& topic_spec, std::uint64_t topic_epoch,
                  const Clock& topic_clock, Timers& topic_timers, MemoryBudget& topic_memory)
    : name(std::move(topic_name)),
      spec(topic_spec),
      epoch(topic_epoch),
      clock(topic_clock),
      timers(topic_timers),
      memory(topic_memory),
      retained(topic_spec.capacity, topic_memory),
      line(static_cast<std::size_t>(topic_spec.capacity)),
      intake({Topic::kKind, name, topic_epoch, topic_spec.capacity, topic_spec.bytes_max,
              topic_spec.lifetime},
             topic_clock, line, topic_memory) {}

// The line is in order of arrival, and all wait equally long: the head's wait ends first.
TimePoint Topic::Core::block_ends() const {
  const SendTicket* head = line.head();
  if (spec.policy != SlowPolicy::kBlock || head == nullptr) return kNever;
  return Later(Intake::joined_at(*head), std::chrono::milliseconds(spec.block_ms));
}

// Whose time is over, and finds no memory, is not waited for by time.
TimePoint Topic::Core::next_due() const {
  const bool is_vain = intake.needs_memory() != 0 && block_ends() <= clock.Now();
  return is_vain ? intake.next_due() : std::min(intake.next_due(), block_ends());
}

std::uint64_t Topic::Core::SlowestWants() const {
  std::uint64_t slowest = kNobody;
  for (const Subscriber* subscriber = subscribers.front(); subscriber != nullptr;
       subscriber = IntrusiveList<Subscriber>::Next(*subscriber)) {
    if (!subscriber->is_excused_) slowest = std::min(slowest, subscriber->cursor_);
  }
  return slowest;
}

std::uint64_t Topic::Core::LagMax() const {
  std::uint64_t lag = 0;
  for (const Subscriber* subscriber = subscribers.front(); subscriber != nullptr;
       subscriber = IntrusiveList<Subscriber>::Next(*subscriber)) {
    lag = std::max(lag, retained.next() - subscriber->cursor_);
  }
  return lag;
}

Topic::Turn::Turn(Topic& topic)
    : topic_(topic),
      core_(*topic.core_),
      after_(core_.clock, core_.timers, core_.memory),
      lock_(core_.mutex) {}

Topic::Turn::Turn(Topic& topic, TimePoint now) : Turn(topic) { after_.SetNow(now); }

Topic::Turn::~Turn() {
  Balance();
  core_.intake.SettleMemory(after_, [this] { return topic_.shared_from_this(); });
  const TimePoint next = core_.next_due();
  if (next >= core_.scheduled) return;
  core_.scheduled = next;
  after_.RunBy(next, topic_.shared_from_this());
}

void Topic::Turn::Balance() {
  Compact(core_.retained.meter());
  if (core_.line.has_line()) {
    core_.intake.Advance(after_, [this](SendTicket& head) { return Enter(head); });
  }
  if (core_.woken_at != core_.retained.next() || core_.intake.is_closed()) WakeWaiting();
  if (core_.intake.is_closed() && core_.subscribers.empty()) core_.has_ended = true;
}

void Topic::Turn::WakeWaiting() {
  core_.woken_at = core_.retained.next();
  while (Subscriber::Wait* wait = core_.waiting.PopFront()) {
    after_.Tell(wait->subscriber.notifier_);
  }
}

}  // namespace sluice::broker
