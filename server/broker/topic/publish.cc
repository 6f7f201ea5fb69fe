// SPDX-License-Identifier: Apache-2.0
// The publishing side: what has room enters, or makes room; the rest is the intake's.
#include <algorithm>
#include <utility>

#include "broker/topic/core.h"

namespace sluice::broker {

Result<ProducerOpened> Topic::OpenProducer(Producer& producer, std::string producer_id,
                                           NotifierPtr notifier) {
  Turn turn(*this);
  return turn.core().intake.OpenProducer(producer, producer_id, std::move(notifier), turn.after());
}

void Topic::CloseProducer(Producer& producer) {
  Turn turn(*this);
  if (turn.core().intake.CloseProducer(producer, turn.after())) {
    turn.Close(ClosedReason::kProducersGone);
  }
}

bool Topic::IsSuperseded(const Producer& producer) const {
  MutexLock lock(core_->mutex);
  return Intake::IsSuperseded(producer);
}

Status Topic::Publish(SendTicket& ticket, Incoming incoming, const SendOptions& options,
                      NotifierPtr notifier) {
  if (Status status = core_->intake.Check(incoming, options); !status.ok()) return status;
  Turn turn(*this);
  return turn.core().intake.Send(ticket, std::move(incoming), options, std::move(notifier),
                                 turn.after(),
                                 [&turn](SendTicket& fresh) { return turn.Enter(fresh); });
}

bool Topic::TakeAcks(SendTicket& ticket, std::vector<Ack>& out) {
  MutexLock lock(core_->mutex);
  return Intake::TakeAcks(ticket, out);
}

void Topic::CancelPublish(SendTicket& ticket) {
  Turn turn(*this);
  turn.core().intake.Cancel(ticket, turn.after());
}

bool Topic::Turn::Enter(SendTicket& ticket) {
  if (core_.intake.AnswerRepeats(ticket, after_)) return true;
  if (!core_.Stores([this] { return now(); })) {
    core_.intake.Refuse(ticket, Outcome::kNoSubscribers, after_);
    return true;
  }
  Incoming& incoming = Intake::incoming(ticket);
  const bool is_overdue = ticket.is_linked() && core_.block_ends() <= now();
  const bool is_atomic = Intake::is_atomic(ticket);
  const std::uint64_t owed = Intake::Owes(ticket);
  if (is_atomic && !MakeRoom({incoming.remaining(), incoming.total_charge()}, owed, is_overdue)) {
    return false;
  }
  Retained& retained = core_.retained;
  const std::uint64_t now_unix_us = core_.clock.UnixMicros();
  const std::uint64_t first_position = retained.next();
  std::uint32_t count = 0;
  while (incoming.remaining() > 0) {
    if (!is_atomic && !MakeRoom({1, incoming.next_charge()}, owed, is_overdue)) break;
    retained.Push(incoming.Store(retained.meter(), now_unix_us));
    ++count;
  }
  if (count > 0) {
    const auto offered = static_cast<std::uint32_t>(core_.subscribers.size());
    core_.intake.Accept(ticket, count, first_position, offered, after_);
  }
  return incoming.remaining() == 0;
}

// What it has room for in bytes is its own bound, and in the daemon's memory what is free beside
// what it retains: so it can always store as much as it overwrites.
bool Topic::Turn::MakeRoom(const Retained::Wanted& wanted, std::uint64_t owed, bool is_overdue) {
  MemoryPlace& memory = core_.intake.memory();
  Retained& retained = core_.retained;
  const std::uint64_t own_most = core_.spec.bytes_max;
  Retained::Wanted allowed = wanted;
  allowed.bytes_most = own_most;
  if (wanted.charge != 0) {
    const std::uint64_t most = retained.FreeBeside(memory.free());
    allowed.bytes_most = std::min(own_most, most - std::min(most, owed));
  }
  const auto drop = ToDrop(allowed, is_overdue);
  if (!drop.has_value()) {
    bool is_memory = allowed.bytes_most < own_most;
    allowed.bytes_most = own_most;
    is_memory = is_memory && ToDrop(allowed, is_overdue).has_value();
    return is_memory ? memory.SetShort(wanted.charge + owed) : !memory.SetEnough();
  }
  if (is_overdue && *drop > 0) Excuse(*drop);
  for (std::uint64_t i = 0; i < *drop; ++i) retained.DropOldest();
  return memory.SetEnough();
}

// How many of the oldest go. None: some of them are wanted, and the wait for that is not over; or
// all together are too little.
std::optional<std::uint64_t> Topic::Turn::ToDrop(const Retained::Wanted& wanted, bool is_overdue) {
  const Retained& retained = core_.retained;
  if (retained.HasRoom(wanted)) return 0;
  const bool may_drop_all = core_.spec.policy != SlowPolicy::kBlock;
  if (!may_drop_all) {
    if (const auto drop = ToDropUnwanted(wanted)) return drop;
  }
  return may_drop_all || is_overdue ? retained.ToDrop(wanted, retained.size()) : std::nullopt;
}

// Those that wanted what goes are not waited for any more.
void Topic::Turn::Excuse(std::uint64_t drop) {
  const std::uint64_t end = core_.retained.oldest() + drop;
  for (Subscriber* slow = core_.subscribers.front(); slow != nullptr;
       slow = IntrusiveList<Subscriber>::Next(*slow)) {
    if (slow->cursor_ < end) slow->is_excused_ = true;
  }
}

// First by what is known of the slowest, then by what is true.
std::optional<std::uint64_t> Topic::Turn::ToDropUnwanted(const Retained::Wanted& wanted) {
  const Retained& retained = core_.retained;
  const auto most = [&] {
    return std::clamp(core_.wanted_from, retained.oldest(), retained.next()) - retained.oldest();
  };
  if (auto drop = retained.ToDrop(wanted, most())) return drop;
  core_.wanted_from = core_.SlowestWants();
  return retained.ToDrop(wanted, most());
}

MemoryWaiter::Turn Topic::TakeMemory() {
  Turn turn(*this);
  Intake& intake = turn.core().intake;
  const bool is_progress =
      intake.TakeMemory(turn.after(), [&turn](SendTicket& head) { return turn.Enter(head); });
  turn.Balance();
  return {intake.needs_memory(), is_progress};
}

}  // namespace sluice::broker
