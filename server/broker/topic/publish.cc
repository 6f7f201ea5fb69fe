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
  if (is_atomic && !MakeRoom(incoming.remaining(), incoming.total_charge(), is_overdue)) {
    return false;
  }
  Retained& retained = core_.retained;
  const std::uint64_t now_unix_us = core_.clock.UnixMicros();
  const std::uint64_t first_position = retained.next();
  std::uint32_t count = 0;
  while (incoming.remaining() > 0) {
    if (!is_atomic && !MakeRoom(1, incoming.next_charge(), is_overdue)) break;
    retained.Push(incoming.Store(retained.meter(), now_unix_us));
    ++count;
  }
  if (count > 0) {
    const auto offered = static_cast<std::uint32_t>(core_.subscribers.size());
    core_.intake.Accept(ticket, count, first_position, offered, after_);
  }
  return incoming.remaining() == 0;
}

bool Topic::Turn::MakeRoom(std::uint64_t count, std::uint64_t charge, bool is_overdue) {
  Retained& retained = core_.retained;
  if (retained.HasRoom(count, charge)) return true;
  if (core_.spec.policy != SlowPolicy::kBlock) {
    while (retained.size() > 0 && !retained.HasRoom(count, charge)) retained.DropOldest();
    return true;
  }
  std::optional<std::uint64_t> drop = ToDropUnwanted(count, charge);
  if (!drop.has_value()) {
    if (!is_overdue) return false;
    drop = retained.ToDrop(count, charge, retained.size());
    const std::uint64_t end = retained.oldest() + drop.value();
    for (Subscriber* slow = core_.subscribers.front(); slow != nullptr;
         slow = IntrusiveList<Subscriber>::Next(*slow)) {
      if (slow->cursor_ < end) slow->is_excused_ = true;
    }
  }
  for (std::uint64_t i = 0; i < *drop; ++i) retained.DropOldest();
  return true;
}

// First by what is known of the slowest, then by what is true.
std::optional<std::uint64_t> Topic::Turn::ToDropUnwanted(std::uint64_t count,
                                                         std::uint64_t charge) {
  const Retained& retained = core_.retained;
  const auto most = [&] {
    return std::clamp(core_.wanted_from, retained.oldest(), retained.next()) - retained.oldest();
  };
  if (auto drop = retained.ToDrop(count, charge, most())) return drop;
  core_.wanted_from = core_.SlowestWants();
  return retained.ToDrop(count, charge, most());
}

}  // namespace sluice::broker
