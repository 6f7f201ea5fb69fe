// SPDX-License-Identifier: Apache-2.0
// Unary receives: a long poll that ends with a batch under a lease of its own (N17).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "broker/queue/core.h"

namespace sluice::broker {

Status Queue::Receive(ReceiveTicket& ticket, ReceiveOptions options, NotifierPtr notifier) {
  Turn turn(*this);
  Core& core = turn.core();
  SLUICE_CHECK(ticket.is_done_);
  ticket.delivery_ = Delivery();
  ticket.lease_ = 0;
  if (core.has_ended) {
    ticket.outcome_ = Outcome::kClosed;
    ticket.reason_ = core.intake.closed_reason();
    ++core.receives_closed;
    return Status();
  }
  if (!core.seats.admits(options.consumer)) return turn.ConsumerPresent();
  ticket.options_ = std::move(options);
  ticket.claim_.ticket = &ticket;
  ticket.is_done_ = false;
  core.seats.Join(ticket.options_.consumer);
  core.seats.Wait(ticket.claim_);
  turn.Balance();
  if (ticket.is_done_) return Status();
  const TimePoint deadline = ticket.options_.deadline;
  if (deadline <= turn.now()) {
    turn.EndReceive(ticket, Outcome::kEmpty, ClosedReason::kUnspecified);
    return Status();
  }
  ticket.notifier_ = std::move(notifier);
  if (deadline != kNever) {
    ticket.due_ = core.receive_dues.emplace(deadline, &ticket);
    ticket.has_due_ = true;
  }
  return Status();
}

bool Queue::TakeReceived(ReceiveTicket& ticket, Received& out) {
  MutexLock lock(core_->mutex);
  if (!ticket.is_done_) return false;
  out.outcome = ticket.outcome_;
  out.reason = ticket.reason_;
  out.delivery = std::exchange(ticket.delivery_, Delivery());
  out.lease = std::exchange(ticket.lease_, 0);
  return true;
}

void Queue::CancelReceive(ReceiveTicket& ticket) {
  {
    Turn turn(*this);
    if (!ticket.is_done_) {
      turn.LetGo(std::move(ticket.notifier_));
      turn.EndReceive(ticket, Outcome::kEmpty, ClosedReason::kUnspecified);
    }
  }
  if (ticket.lease_ != 0) ReturnLease(std::exchange(ticket.lease_, 0));
}

void Queue::ReturnLease(std::uint64_t lease_id) {
  Turn turn(*this);
  Lease* lease = turn.core().ledger.Find(lease_id);
  if (lease == nullptr || lease->consumer != nullptr) return;
  turn.GoBack(*lease, 0, kLastPosition, Turn::Because::kReleased);
}

// Its place in the group goes over to its lease. Requires: something is available.
void Queue::Turn::ServeTicket(ReceiveTicket& ticket, std::uint64_t messages_max) {
  core_.seats.StopWaiting(ticket.claim_);
  if (ticket.has_due_) core_.receive_dues.erase(ticket.due_);
  ticket.has_due_ = false;
  const ReceiveOptions& options = ticket.options_;
  Lease& lease = core_.ledger.Open();
  lease.group = options.consumer;
  lease.session_id = options.session_id;
  lease.period = options.lease > Duration::zero() ? std::min<Duration>(options.lease, kLeaseMax)
                                                  : Duration(kLeaseDefault);
  Allowance allowance;
  allowance.messages = std::clamp<std::uint64_t>(options.max_messages, 1, messages_max);
  allowance.delivery_bytes = options.max_bytes;
  allowance.credit_bytes = options.max_bytes;
  allowance.holds_nothing = true;
  HandOut(lease, allowance, ticket.delivery_);
  ticket.lease_ = lease.id;
  ++core_.receives_ok;
  ticket.outcome_ = Outcome::kOk;
  ticket.reason_ = ClosedReason::kUnspecified;
  ticket.is_done_ = true;
  Tell(std::move(ticket.notifier_));
}

void Queue::Turn::EndReceive(ReceiveTicket& ticket, Outcome outcome, ClosedReason reason) {
  core_.seats.StopWaiting(ticket.claim_);
  core_.seats.Leave(ticket.options_.consumer);
  if (ticket.has_due_) core_.receive_dues.erase(ticket.due_);
  ticket.has_due_ = false;
  ++(outcome == Outcome::kClosed ? core_.receives_closed : core_.receives_empty);
  ticket.outcome_ = outcome;
  ticket.reason_ = reason;
  ticket.is_done_ = true;
  Tell(std::move(ticket.notifier_));
}

void Queue::Turn::ReceivesTimeOut() {
  while (!core_.receive_dues.empty() && core_.receive_dues.begin()->first <= now()) {
    EndReceive(*core_.receive_dues.begin()->second, Outcome::kEmpty, ClosedReason::kUnspecified);
  }
}

}  // namespace sluice::broker
