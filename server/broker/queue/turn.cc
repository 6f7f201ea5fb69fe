// SPDX-License-Identifier: Apache-2.0
// A turn's frame: the lock, the coming to rest, and what is told after it.
#include <algorithm>
#include <utility>

#include "broker/queue/core.h"
#include "broker/random.h"

namespace sluice::broker {

// Leases begin anywhere in the lower half of what may be drawn: a settlement for an earlier queue
// of this name meets no lease of this one.
Queue::Core::Core(std::string queue_name, const QueueSpec& queue_spec, std::uint64_t queue_epoch,
                  const Clock& queue_clock, Timers& queue_timers, MemoryBudget& queue_memory)
    : name(std::move(queue_name)),
      spec(queue_spec),
      epoch(queue_epoch),
      clock(queue_clock),
      timers(queue_timers),
      memory(queue_memory),
      meter{.bytes = RetainedBytes(queue_memory), .sparse = {}},
      mpsc(queue_spec.capacity),
      ledger(RandomNumber() / 2 + 1),
      seats(queue_spec.shared, queue_clock.UnixMicros()),
      intake({Queue::kKind, name, queue_epoch, queue_spec.capacity, queue_spec.bytes_max,
              queue_spec.lifetime},
             queue_clock, mpsc.slots(), queue_memory) {}

std::uint64_t Queue::Core::available() const {
  const std::uint64_t places = spec.max_in_flight - ledger.in_flight();
  const std::uint64_t fresh = std::min<std::uint64_t>(
      mpsc.size(), places - std::min(places, std::uint64_t{come_back.size()}));
  return std::min<std::uint64_t>(places, come_back.ready() + fresh);
}

// What was handed out once is older than what never was.
std::uint64_t Queue::Core::oldest_unsettled_unix_us() const {
  const Parcel* oldest = ledger.oldest();
  come_back.VisitFrom(0, [&](const Parcel& parcel) {
    if (oldest == nullptr || parcel.position < oldest->position) oldest = &parcel;
    return false;
  });
  if (oldest != nullptr) return oldest->message.accepted_unix_us();
  return mpsc.empty() ? 0 : mpsc.values().front().accepted_unix_us();
}

TimePoint Queue::Core::next_due() const {
  TimePoint next = std::min(come_back.next_due(), ledger.next_due());
  next = std::min(next, intake.next_due());
  if (!receive_dues.empty()) next = std::min(next, receive_dues.begin()->first);
  return next;
}

Queue::Turn::Turn(Queue& queue)
    : queue_(queue),
      core_(*queue.core_),
      after_(core_.clock, core_.timers, core_.memory),
      lock_(core_.mutex) {}

Queue::Turn::Turn(Queue& queue, TimePoint now) : Turn(queue) { after_.SetNow(now); }

Queue::Turn::~Turn() {
  Balance();
  core_.intake.SettleMemory(after_, [this] { return queue_.shared_from_this(); });
  const TimePoint next = core_.next_due();
  if (next >= core_.scheduled) return;
  core_.scheduled = next;
  after_.RunBy(next, queue_.shared_from_this());
}

// Senders that enter may be what a receive waits for, and what it takes makes room for senders.
void Queue::Turn::Balance() {
  do {
    Compact(core_.meter);
    core_.intake.Advance(after_, [this](SendTicket& head) { return Enter(head); });
    EndIfDone();
    PassSeat();
  } while (Serve());
}

// In order of the line, and nobody is passed over for one behind: a stream that was told has its
// share kept in mind until it asks.
bool Queue::Turn::Serve() {
  bool has_served = false;
  std::uint64_t promised = 0;
  Claim* next = nullptr;
  for (Claim* claim = core_.seats.first_waiting(); claim != nullptr; claim = next) {
    const std::uint64_t available = core_.available();
    if (available <= promised) break;
    next = IntrusiveList<Claim>::Next(*claim);
    if (claim->ticket != nullptr) {
      ServeTicket(*claim->ticket, available - promised);
      has_served = true;
      continue;
    }
    const Consumer& consumer = *claim->consumer;
    if (!claim->is_called) {
      claim->is_called = true;
      Tell(consumer.notifier_);
    }
    promised += consumer.options_.credit.messages - consumer.held_messages_;
  }
  return has_served;
}

// M31, N4, N20: closed, nothing queued and nothing in flight that could come back.
void Queue::Turn::EndIfDone() {
  if (core_.has_ended || !core_.mpsc.is_closed()) return;
  if (core_.depth() > 0 || core_.ledger.in_flight() > 0) return;
  core_.has_ended = true;
  while (Claim* claim = core_.seats.first_waiting()) {
    if (claim->ticket != nullptr) {
      EndReceive(*claim->ticket, Outcome::kClosed, core_.intake.closed_reason());
    } else {
      core_.seats.StopWaiting(*claim);
    }
  }
  const IntrusiveList<Consumer>& attached = core_.seats.attached();
  for (Consumer* consumer = attached.front(); consumer != nullptr;
       consumer = IntrusiveList<Consumer>::Next(*consumer)) {
    consumer->end_ = core_.intake.closed_reason();
    Tell(consumer->notifier_);
  }
  while (Consumer* consumer = core_.seats.standby().PopFront()) {
    consumer->state_ = Consumer::State::kEnded;
    consumer->end_ = core_.intake.closed_reason();
    Tell(std::move(consumer->notifier_));
  }
}

}  // namespace sluice::broker
