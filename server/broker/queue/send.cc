// SPDX-License-Identifier: Apache-2.0
// The sending side: what has room enters; the rest is the intake's.
#include <utility>

#include "broker/queue/core.h"

namespace sluice::broker {

Result<Queue::Opened> Queue::OpenProducer(Producer& producer, std::string producer_id,
                                          NotifierPtr notifier) {
  Turn turn(*this);
  return turn.core().intake.OpenProducer(producer, producer_id, std::move(notifier), turn.after());
}

void Queue::CloseProducer(Producer& producer) {
  Turn turn(*this);
  if (turn.core().intake.CloseProducer(producer, turn.after())) {
    turn.Close(ClosedReason::kProducersGone);
  }
}

bool Queue::IsSuperseded(const Producer& producer) const {
  MutexLock lock(core_->mutex);
  return Intake::IsSuperseded(producer);
}

Status Queue::Send(SendTicket& ticket, Incoming incoming, const SendOptions& options,
                   NotifierPtr notifier) {
  if (Status status = core_->intake.Check(incoming, options); !status.ok()) return status;
  Turn turn(*this);
  return turn.core().intake.Send(ticket, std::move(incoming), options, std::move(notifier),
                                 turn.after(),
                                 [&turn](SendTicket& fresh) { return turn.Enter(fresh); });
}

bool Queue::TakeAcks(SendTicket& ticket, std::vector<Ack>& out) {
  MutexLock lock(core_->mutex);
  return Intake::TakeAcks(ticket, out);
}

void Queue::CancelSend(SendTicket& ticket) {
  Turn turn(*this);
  turn.core().intake.Cancel(ticket, turn.after());
}

// Of the queue's own first: what it lacks itself is not for want of memory.
bool Queue::Turn::HasRoom(std::uint64_t messages, std::uint64_t charge, std::uint64_t owed) {
  MemoryPlace& memory = core_.intake.memory();
  const bool has_own =
      messages <= core_.mpsc.slots().free() && core_.meter.bytes + charge <= core_.spec.bytes_max;
  if (has_own) return memory.Fits(charge + owed);
  memory.SetEnough();
  return false;
}

MemoryWaiter::Turn Queue::TakeMemory() {
  Turn turn(*this);
  Intake& intake = turn.core().intake;
  const bool is_progress =
      intake.TakeMemory(turn.after(), [&turn](SendTicket& head) { return turn.Enter(head); });
  turn.Balance();
  return {intake.needs_memory(), is_progress};
}

bool Queue::Turn::Enter(SendTicket& ticket) {
  if (core_.intake.AnswerRepeats(ticket, after_)) return true;
  Incoming& incoming = Intake::incoming(ticket);
  const std::uint64_t owed = Intake::Owes(ticket);
  const bool may_enter = Intake::is_atomic(ticket)
                             ? HasRoom(incoming.remaining(), incoming.total_charge(), owed)
                             : HasRoom(1, incoming.next_charge(), owed);
  if (!may_enter) return false;

  const std::uint64_t now_unix_us = core_.clock.UnixMicros();
  const std::uint64_t first_position = core_.mpsc.next_position();
  std::uint32_t count = 0;
  do {
    core_.mpsc.slots().IssueUpTo(1);
    core_.mpsc.Push(incoming.Store(core_.meter, now_unix_us));
    ++count;
  } while (incoming.remaining() > 0 &&
           (Intake::is_atomic(ticket) || HasRoom(1, incoming.next_charge(), owed)));
  core_.intake.Accept(ticket, count, first_position, /*delivered_to=*/0, after_);
  return incoming.remaining() == 0;
}

}  // namespace sluice::broker
