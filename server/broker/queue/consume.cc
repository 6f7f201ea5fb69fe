// SPDX-License-Identifier: Apache-2.0
// Consumers that are streams: their seats, their credit, and what is handed to them.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "broker/queue/core.h"

namespace sluice::broker {

Status Queue::Attach(Consumer& consumer, ConsumerOptions options, NotifierPtr notifier) {
  Turn turn(*this);
  Core& core = turn.core();
  SLUICE_CHECK(consumer.state_ == Consumer::State::kNew);
  if (core.has_ended) {
    consumer.state_ = Consumer::State::kEnded;
    consumer.end_ = core.intake.closed_reason();
    return Status();
  }
  if (!core.seats.has_room() && options.mode == AttachMode::kRefuse) return turn.ConsumerPresent();
  consumer.options_ = std::move(options);
  consumer.notifier_ = std::move(notifier);
  consumer.claim_.consumer = &consumer;
  if (!core.seats.has_room() && consumer.options_.mode == AttachMode::kStandby) {
    core.seats.StandBy(consumer);
    return Status();
  }
  if (!core.seats.has_room()) turn.Evict();
  turn.TakeSeat(consumer);
  return Status();
}

ConsumerNews Queue::Poll(Consumer& consumer) {
  MutexLock lock(core_->mutex);
  ConsumerNews news;
  if (consumer.state_ == Consumer::State::kAttached && !consumer.is_told_) {
    consumer.is_told_ = true;
    news.attached = consumer.attached_;
  }
  news.ended = consumer.end_;
  news.superseded_by = consumer.superseded_by_;
  return news;
}

std::uint32_t Queue::PlaceInLine(const Consumer& consumer) const {
  MutexLock lock(core_->mutex);
  if (consumer.state_ != Consumer::State::kStandby) return 0;
  std::uint32_t place = 1;
  const Consumer* other = core_->seats.standby().front();
  for (; other != &consumer; ++place) other = IntrusiveList<Consumer>::Next(*other);
  return place;
}

std::uint32_t Queue::HeldBy(const Consumer& consumer) const {
  MutexLock lock(core_->mutex);
  return consumer.held_messages_;
}

void Queue::Take(Consumer& consumer, std::uint64_t bytes_max, Delivery& out, bool is_writing) {
  out.Clear();
  Turn turn(*this);
  if (consumer.state_ != Consumer::State::kAttached || consumer.is_finishing_) return;
  const Credit& credit = consumer.options_.credit;
  const std::uint64_t credit_bytes =
      credit.bytes == 0 ? std::numeric_limits<std::uint64_t>::max() : credit.bytes;
  Turn::Allowance allowance;
  allowance.messages = credit.messages - std::min(credit.messages, consumer.held_messages_);
  allowance.delivery_bytes = bytes_max;
  allowance.credit_bytes = credit_bytes - std::min(credit_bytes, consumer.held_bytes_);
  allowance.holds_nothing = consumer.held_messages_ == 0;
  const Turn::Handed handed = turn.HandOut(*consumer.lease_, allowance, out);
  consumer.held_messages_ += handed.messages;
  consumer.held_bytes_ += handed.bytes;
  consumer.wants_ = handed.messages == 0 && !is_writing;
  consumer.claim_.is_called = false;
  // Something is there, and bytes of credit are short: then others come first, until credit frees.
  const bool is_short = turn.core().available() > 0;
  if (!consumer.wants_ || is_short) turn.core().seats.StopWaiting(consumer.claim_);
  if (consumer.wants_ && !is_short) turn.Want(consumer);
}

void Queue::Written(Consumer& consumer, const Delivery& delivery, bool ok) {
  if (!consumer.options_.auto_ack) return;
  Turn turn(*this);
  if (consumer.state_ != Consumer::State::kAttached) return;
  const auto because = consumer.is_finishing_ ? Turn::Because::kReleased : Turn::Because::kFailed;
  for (const Run& run : delivery.runs) {
    const std::uint64_t last = run.first_position + run.count - 1;
    if (ok) {
      turn.Acknowledge(*consumer.lease_, run.first_position, last);
    } else {
      turn.GoBack(*consumer.lease_, run.first_position, last, because);
    }
  }
}

void Queue::SetCredit(Consumer& consumer, Credit credit) {
  Turn turn(*this);
  consumer.options_.credit = credit;
  if (consumer.state_ == Consumer::State::kAttached && consumer.wants_) turn.Want(consumer);
}

bool Queue::Finish(Consumer& consumer) {
  Turn turn(*this);
  consumer.is_finishing_ = true;
  consumer.wants_ = false;
  turn.core().seats.StopWaiting(consumer.claim_);
  return consumer.held_messages_ == 0;
}

bool Queue::HoldsNothing(const Consumer& consumer) const {
  MutexLock lock(core_->mutex);
  return consumer.held_messages_ == 0;
}

// What comes back after `finish` counts no failure, and is no loss, however the stream ends then.
void Queue::Detach(Consumer& consumer, Leaving leaving) {
  Turn turn(*this);
  turn.LetGo(std::move(consumer.notifier_));
  const auto state = std::exchange(consumer.state_, Consumer::State::kEnded);
  if (state == Consumer::State::kStandby) turn.core().seats.LeaveStandby(consumer);
  if (state != Consumer::State::kAttached) return;
  const bool is_lost = leaving == Leaving::kLost && !consumer.is_finishing_;
  turn.Leave(consumer, is_lost ? Turn::Because::kFailed : Turn::Because::kReleased);
  if (is_lost && turn.core().spec.close_on_consumer_loss) turn.Destroy(ClosedReason::kDeleted);
}

Status Queue::Turn::ConsumerPresent() const {
  return Status(Code::kFailedPrecondition, "CONSUMER_PRESENT",
                "queue \"" + core_.name + "\" has a consumer, and is not shared")
      .With("queue", core_.name);
}

void Queue::Turn::TakeSeat(Consumer& consumer) {
  core_.seats.Attach(consumer);
  Lease& lease = core_.ledger.Open();
  lease.consumer = &consumer;
  lease.period = std::max(consumer.options_.ack_timeout, Duration::zero());
  consumer.lease_ = &lease;
  consumer.attached_.lease = lease.id;
  consumer.attached_.epoch = core_.epoch;
  consumer.attached_.max_in_flight = core_.spec.max_in_flight;
  consumer.attached_.next_position =
      core_.come_back.ready() > 0 ? core_.come_back.front().position : core_.mpsc.front_position();
}

void Queue::Turn::Leave(Consumer& consumer, Because because) {
  core_.seats.StopWaiting(consumer.claim_);
  consumer.wants_ = false;
  GoBack(*consumer.lease_, 0, kLastPosition, because);
  core_.ledger.Close(*std::exchange(consumer.lease_, nullptr));
  core_.seats.Detach(consumer);
}

void Queue::Turn::Evict() {
  Consumer* holder = core_.seats.attached().front();
  if (holder != nullptr) {
    holder->end_ = ClosedReason::kSuperseded;
    holder->superseded_by_ = core_.seats.next_fence();
    // It lost its seat, not its messages: no failure is counted.
    Leave(*holder, Because::kReleased);
    holder->state_ = Consumer::State::kEnded;
    Tell(std::move(holder->notifier_));
    return;
  }
  Claim* next = nullptr;
  for (Claim* claim = core_.seats.first_waiting(); claim != nullptr; claim = next) {
    next = IntrusiveList<Claim>::Next(*claim);
    EndReceive(*claim->ticket, Outcome::kClosed, ClosedReason::kSuperseded);
  }
  for (Lease* lease : core_.ledger.Select([](const Lease&) { return true; })) {
    GoBack(*lease, 0, kLastPosition, Because::kReleased);
  }
}

void Queue::Turn::PassSeat() {
  while (!core_.has_ended && core_.seats.has_room()) {
    Consumer* consumer = core_.seats.standby().PopFront();
    if (consumer == nullptr) return;
    TakeSeat(*consumer);
    Tell(consumer->notifier_);
  }
}

void Queue::Turn::Want(Consumer& consumer) {
  const Credit& credit = consumer.options_.credit;
  const bool has_credit =
      credit.messages > consumer.held_messages_ &&
      (credit.bytes == 0 || consumer.held_messages_ == 0 || consumer.held_bytes_ < credit.bytes);
  if (has_credit) {
    core_.seats.Wait(consumer.claim_);
  } else {
    core_.seats.StopWaiting(consumer.claim_);
  }
}

// What came back goes out first, then what was never out (N15).
Queue::Turn::Handed Queue::Turn::HandOut(Lease& lease, const Allowance& allowance, Delivery& out) {
  Handed handed;
  Due* due = nullptr;
  std::uint64_t available = std::min(core_.available(), allowance.messages);
  for (; available > 0; --available) {
    const bool is_again = core_.come_back.ready() > 0;
    const std::uint32_t size =
        is_again ? core_.come_back.front().message.size() : core_.mpsc.values().front().size();
    if (handed.messages > 0 && handed.bytes + size > allowance.delivery_bytes) break;
    const bool passes_anyway = allowance.holds_nothing && handed.messages == 0;
    if (!passes_anyway && handed.bytes + size > allowance.credit_bytes) break;

    Parcel parcel;
    if (is_again) {
      parcel = core_.come_back.PopFront();
      core_.expired.Remove(lease.id, parcel.position);
      ++core_.redelivered;
    } else {
      parcel.position = core_.mpsc.front_position();
      parcel.message = core_.mpsc.Pop();
    }
    ++parcel.attempts;
    Append(parcel, out);
    if (due == nullptr && lease.period > Duration::zero()) {
      due = core_.ledger.MakeDue(lease, Later(now(), lease.period));
    }
    core_.ledger.Hold(lease, std::move(parcel), due);
    ++handed.messages;
    handed.bytes += size;
  }
  core_.delivered += handed.messages;
  return handed;
}

}  // namespace sluice::broker
