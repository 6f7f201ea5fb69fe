// SPDX-License-Identifier: Apache-2.0
// How a queue comes to be, what it shows of itself, and how it ends.
#include <algorithm>
#include <utility>

#include "broker/queue/core.h"

namespace sluice::broker {
namespace {

constexpr std::size_t kPeersShown = 16;

}  // namespace

std::shared_ptr<Queue> Queue::Create(std::string name, const QueueSpec& spec, std::uint64_t epoch,
                                     const Clock& clock, Timers& timers, MemoryBudget& memory) {
  return std::shared_ptr<Queue>(new Queue(std::move(name), spec, epoch, clock, timers, memory));
}

Queue::Queue(std::string name, const QueueSpec& spec, std::uint64_t epoch, const Clock& clock,
             Timers& timers, MemoryBudget& memory)
    : core_(std::make_unique<Core>(std::move(name), spec, epoch, clock, timers, memory)) {}

Queue::~Queue() = default;

const std::string& Queue::name() const noexcept { return core_->name; }
const QueueSpec& Queue::spec() const noexcept { return core_->spec; }
std::uint64_t Queue::epoch() const noexcept { return core_->epoch; }
bool Queue::has_ended() const { return core_->has_ended; }
bool Queue::is_deleted() const { return core_->is_deleted; }

QueueStats Queue::Describe() const {
  const Core& core = *core_;
  MutexLock lock(core.mutex);
  QueueStats stats;
  stats.name = core.name;
  stats.spec = core.spec;
  stats.epoch = core.epoch;
  stats.state = core.has_ended          ? QueueState::kEnded
                : core.mpsc.is_closed() ? QueueState::kClosed
                                        : QueueState::kOpen;
  stats.closed_reason = core.intake.closed_reason();
  stats.next_position = core.mpsc.next_position();
  stats.accepted = stats.next_position - 1;
  stats.settled = core.settled;
  stats.purged = core.purged;
  stats.deleted = core.deleted;
  stats.depth = core.depth();
  stats.in_flight = core.ledger.in_flight();
  stats.delayed = core.come_back.delayed();
  stats.come_back = core.come_back.ready();
  stats.free_slots = core.mpsc.slots().capacity();
  stats.retained_bytes = core.meter.bytes;
  stats.delivered = core.delivered;
  stats.redelivered = core.redelivered;
  stats.failures = core.failures;
  stats.duplicates = core.intake.counts().duplicates;
  stats.refused_full = core.intake.counts().refused_full;
  stats.refused_closed = core.intake.counts().refused_closed;
  stats.timed_out = core.intake.counts().timed_out;
  stats.refused_memory = core.intake.counts().refused_memory;
  stats.waiting_sends = static_cast<std::uint32_t>(core.mpsc.slots().waiting());
  stats.waiting_receives = static_cast<std::uint32_t>(core.seats.waiting_receives());
  stats.lease_expiries = core.lease_expiries;
  stats.stale_settlements = core.stale_settlements;
  stats.abandoned = core.intake.counts().abandoned;
  stats.waited_sends = core.intake.counts().waited;
  stats.receives_ok = core.receives_ok;
  stats.receives_empty = core.receives_empty;
  stats.receives_closed = core.receives_closed;
  stats.oldest_unsettled_unix_us = core.oldest_unsettled_unix_us();
  stats.waiting_since = core.intake.waiting_since();
  stats.producers = static_cast<std::uint32_t>(core.intake.producers());
  stats.consumers = static_cast<std::uint32_t>(core.seats.taken());
  stats.standby = static_cast<std::uint32_t>(core.seats.standby().size());
  stats.leases = static_cast<std::uint32_t>(core.ledger.leases());
  for (const Consumer* consumer = core.seats.attached().front();
       consumer != nullptr && stats.consumer_peers.size() < kPeersShown;
       consumer = IntrusiveList<Consumer>::Next(*consumer)) {
    stats.consumer_peers.push_back(consumer->options_.peer);
  }
  return stats;
}

std::uint64_t Queue::free_slots() const {
  MutexLock lock(core_->mutex);
  return core_->mpsc.slots().capacity();
}

// What came back was at the front once, so all of it is older than what never left.
void Queue::Peek(std::uint64_t from_position, std::uint32_t messages_max, std::uint64_t bytes_max,
                 Delivery& out) const {
  const Core& core = *core_;
  out = Delivery();
  const auto has_room = [&](const Message& message) {
    return out.messages < messages_max &&
           (out.messages == 0 || out.bytes + message.size() <= bytes_max);
  };
  MutexLock lock(core.mutex);
  const bool has_more = core.come_back.VisitFrom(from_position, [&](const Parcel& parcel) {
    if (!has_room(parcel.message)) return false;
    Append(parcel, out);
    return true;
  });
  if (!has_more) return;
  const auto& queued = core.mpsc.values();
  const std::uint64_t front = core.mpsc.front_position();
  std::uint64_t position = std::max(from_position, front);
  for (; position < core.mpsc.next_position(); ++position) {
    const Message& message = queued[position - front];
    if (!has_room(message)) return;
    Append(message, position, 0, 0, out);
  }
}

void Queue::Close(ClosedReason reason) { Turn(*this).Close(reason); }

std::uint64_t Queue::Delete(ClosedReason reason) { return Turn(*this).Destroy(reason); }

std::uint64_t Queue::Purge() {
  Turn turn(*this);
  Core& core = turn.core();
  std::uint64_t count = core.come_back.Clear();
  for (; !core.mpsc.empty(); ++count) core.mpsc.Pop();
  core.purged += count;
  return count;
}

void Queue::SessionEnded(const std::string& session_id) {
  Turn turn(*this);
  Core& core = turn.core();
  const bool is_last = core.intake.SessionEnded(session_id, turn.after());
  Claim* next = nullptr;
  for (Claim* claim = core.seats.first_waiting(); claim != nullptr; claim = next) {
    next = IntrusiveList<Claim>::Next(*claim);
    if (claim->ticket == nullptr || claim->ticket->options_.session_id != session_id) continue;
    turn.EndReceive(*claim->ticket, Outcome::kEmpty, ClosedReason::kUnspecified);
  }
  const auto is_tied = [&](const Lease& lease) {
    return lease.consumer == nullptr && lease.session_id == session_id;
  };
  for (Lease* lease : core.ledger.Select(is_tied)) {
    turn.GoBack(*lease, 0, kLastPosition, Turn::Because::kReleased);
  }
  if (is_last) turn.Close(ClosedReason::kProducersGone);
}

TimePoint Queue::RunDue(TimePoint now) {
  Turn turn(*this, now);
  Core& core = turn.core();
  core.intake.TimeOut(turn.after());
  turn.ReceivesTimeOut();
  turn.LeasesRunOut();
  core.come_back.RunDue(now);
  core.intake.ForgetProducers(now);
  turn.Balance();
  core.scheduled = core.next_due();
  return core.scheduled;
}

void Queue::Turn::Close(ClosedReason reason) {
  if (core_.mpsc.is_closed()) {
    const bool is_news = reason == ClosedReason::kShuttingDown && !core_.has_ended &&
                         core_.intake.closed_reason() == ClosedReason::kRequested;
    if (is_news) core_.intake.Close(reason, after_);
    return;
  }
  core_.mpsc.Close();
  core_.intake.Close(reason, after_);
}

// N4: as the end of the one receiver (M38), with everything it holds.
std::uint64_t Queue::Turn::Destroy(ClosedReason reason) {
  if (core_.has_ended) return 0;
  core_.is_deleted = reason == ClosedReason::kDeleted;
  core_.mpsc.Close();
  core_.intake.Close(reason, after_);
  std::uint64_t count = core_.come_back.Clear();
  for (; !core_.mpsc.empty(); ++count) core_.mpsc.Pop();
  for (Lease* lease : core_.ledger.Select([](const Lease&) { return true; })) {
    count += core_.ledger.Release(*lease, 0, kLastPosition,
                                  [&](const Parcel& parcel) { Unhold(*lease, parcel.message); });
    Freed(*lease);
  }
  core_.deleted += count;
  return count;
}

}  // namespace sluice::broker
