// SPDX-License-Identifier: Apache-2.0
// How a responder comes to be, what it shows of itself, how it ends; and the frame of a turn.
#include <algorithm>
#include <utility>

#include "broker/responder/core.h"

namespace sluice::broker {

std::shared_ptr<Responder> Responder::Create(std::string name, const ResponderSpec& spec,
                                             std::uint64_t epoch, const Clock& clock,
                                             Timers& timers, MemoryBudget& memory) {
  return std::shared_ptr<Responder>(
      new Responder(std::move(name), spec, epoch, clock, timers, memory));
}

Responder::Responder(std::string name, const ResponderSpec& spec, std::uint64_t epoch,
                     const Clock& clock, Timers& timers, MemoryBudget& memory)
    : core_(std::make_unique<Core>(std::move(name), spec, epoch, clock, timers, memory)) {}

Responder::~Responder() = default;

const std::string& Responder::name() const noexcept { return core_->name; }
const ResponderSpec& Responder::spec() const noexcept { return core_->spec; }
std::uint64_t Responder::epoch() const noexcept { return core_->epoch; }
bool Responder::has_ended() const { return core_->has_ended; }
bool Responder::is_deleted() const { return core_->is_deleted; }

ResponderStats Responder::Describe() const {
  MutexLock lock(core_->mutex);
  return core_->Describe();
}

ResponderView Responder::Look(std::uint64_t after_fence, std::size_t workers_max) const {
  MutexLock lock(core_->mutex);
  ResponderView view;
  view.stats = core_->Describe();
  for (const ResponderWorker* worker = core_->workers.front();
       worker != nullptr && view.workers.size() < workers_max;
       worker = IntrusiveList<ResponderWorker>::Next(*worker)) {
    if (worker->fence_ <= after_fence) continue;
    WorkerStats stats;
    stats.stream_id = worker->options_.stream_id;
    stats.name = worker->options_.name;
    stats.peer = worker->options_.peer;
    stats.fence = worker->fence_;
    stats.credit = worker->options_.credit;
    stats.held = worker->held_count();
    stats.answered = worker->answered_;
    stats.is_finishing = worker->is_finishing_;
    view.workers.push_back(std::move(stats));
  }
  return view;
}

void Responder::Close(ClosedReason reason) { Turn(*this).Close(reason); }

std::uint64_t Responder::Delete(ClosedReason reason) { return Turn(*this).Destroy(reason); }

TimePoint Responder::RunDue(TimePoint now) {
  Turn turn(*this, now);
  turn.TimeOut();
  turn.core().scheduled = turn.core().next_due();
  return turn.core().scheduled;
}

// Fences begin at the time of creation, so that they rise over restarts, too.
Responder::Core::Core(std::string its_name, const ResponderSpec& its_spec, std::uint64_t its_epoch,
                      const Clock& its_clock, Timers& its_timers, MemoryBudget& its_memory)
    : name(std::move(its_name)),
      spec(its_spec),
      epoch(its_epoch),
      clock(its_clock),
      timers(its_timers),
      memory(its_memory),
      next_fence(its_clock.UnixMicros()),
      retained(its_memory) {}

ResponderStats Responder::Core::Describe() const {
  ResponderStats stats;
  stats.name = name;
  stats.spec = spec;
  stats.epoch = epoch;
  stats.state = has_ended   ? ResponderState::kEnded
                : is_closed ? ResponderState::kClosed
                            : ResponderState::kOpen;
  stats.closed_reason = closed_reason;
  stats.counts = counts;
  stats.depth = depth();
  stats.in_flight = in_flight;
  stats.retained_bytes = retained;
  stats.workers = static_cast<std::uint32_t>(workers.size());
  return stats;
}

Responder::Turn::Turn(Responder& responder)
    : responder_(responder),
      core_(*responder.core_),
      after_(core_.clock, core_.timers, core_.memory),
      lock_(core_.mutex) {}

Responder::Turn::Turn(Responder& responder, TimePoint now) : Turn(responder) { after_.SetNow(now); }

Responder::Turn::~Turn() {
  Dispatch();
  ServeHungry();
  EndIfDone();
  const TimePoint next = core_.next_due();
  if (next >= core_.scheduled) return;
  core_.scheduled = next;
  after_.RunBy(next, responder_.shared_from_this());
}

void Responder::Turn::Close(ClosedReason reason) {
  if (core_.is_closed) {
    const bool is_news = reason == ClosedReason::kShuttingDown &&
                         core_.closed_reason == ClosedReason::kRequested && !core_.has_ended;
    if (is_news) core_.closed_reason = reason;
    return;
  }
  core_.is_closed = true;
  core_.closed_reason = reason;
  while (!core_.returned.empty()) {
    Decide(*core_.returned.begin()->second, Outcome::kClosed, reason);
  }
  while (Envelope* call = core_.fresh.front()) Decide(*call, Outcome::kClosed, reason);
}

std::uint64_t Responder::Turn::Destroy(ClosedReason reason) {
  if (core_.has_ended) return 0;
  const std::uint64_t count = core_.depth() + core_.in_flight;
  core_.is_deleted = reason == ClosedReason::kDeleted;
  if (core_.is_closed) core_.closed_reason = reason;
  Close(reason);
  for (ResponderWorker* worker = core_.workers.front(); worker != nullptr;
       worker = IntrusiveList<ResponderWorker>::Next(*worker)) {
    while (Envelope* call = worker->assigned_.front()) Decide(*call, Outcome::kClosed, reason);
    for (auto& [id, held] : worker->held_) {
      if (held.call != nullptr) Decide(*held.call, Outcome::kClosed, reason);
    }
  }
  return count;
}

void Responder::Turn::TimeOut() {
  while (core_.next_due() <= after_.now()) {
    Decide(*core_.dues.begin()->second, Outcome::kTimedOut);
  }
}

// N4, N20: closed, and nobody waits for an answer.
void Responder::Turn::EndIfDone() {
  if (core_.has_ended || !core_.is_closed || core_.depth() + core_.in_flight > 0) return;
  core_.has_ended = true;
  for (ResponderWorker* worker = core_.workers.front(); worker != nullptr;
       worker = IntrusiveList<ResponderWorker>::Next(*worker)) {
    worker->end_ = core_.closed_reason;
    after_.Tell(worker->notifier_);
  }
}

}  // namespace sluice::broker
