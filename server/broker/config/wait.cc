// SPDX-License-Identifier: Apache-2.0
// Gets that wait for a value (N39).
#include <utility>

#include "base/check.h"
#include "broker/config/core.h"
#include "broker/name.h"
#include "broker/refusals.h"

namespace sluice::broker {

Status Config::Wait(GetTicket& ticket, const std::string& key, KeyCondition condition,
                    TimePoint deadline, NotifierPtr notifier) {
  if (Status status = CheckName("key", key); !status.ok()) return status;
  if (Status status = CheckCondition(condition); !status.ok()) return status;
  SLUICE_CHECK(ticket.is_done_);
  ticket.key_ = key;
  ticket.condition_ = std::move(condition);
  Turn turn(*this);
  Core& core = turn.core();
  const KeyRecord* record = core.Find(key);
  if (record != nullptr && ticket.condition_.Holds(*record->entry)) {
    turn.Answer(ticket, Outcome::kOk);
  } else if (core.closed_reason != ClosedReason::kUnspecified) {
    turn.Answer(ticket, Outcome::kClosed);
  } else if (deadline <= turn.after().now()) {
    turn.Answer(ticket, Outcome::kTimedOut);
  } else if (!core.space.memory.Hold(ticket.condition_.equals.size())) {
    ticket.condition_.equals = {};
    return TooMuchWaits(core.space.memory.waiting_max());
  } else {
    ticket.is_done_ = false;
    ticket.notifier_ = std::move(notifier);
    ticket.due_ = core.dues.emplace(deadline, &ticket);
    core.interests.AddWaiting(key, ticket);
    return Status();
  }
  ticket.condition_.equals = {};  // Its answer may be long on its way.
  return Status();
}

bool Config::TakeAnswer(GetTicket& ticket, KeyAnswer& out) {
  MutexLock lock(core_->mutex);
  if (!ticket.is_done_) return false;
  out = std::exchange(ticket.answer_, KeyAnswer());
  return true;
}

void Config::CancelWait(GetTicket& ticket) {
  Turn turn(*this);
  if (ticket.is_done_) return;
  turn.Leave(ticket);
  turn.after().LetGo(std::move(ticket.notifier_));
}

void Config::Turn::Leave(GetTicket& ticket) {
  core_.interests.RemoveWaiting(ticket.key_, ticket);
  core_.space.memory.Unhold(std::exchange(ticket.condition_.equals, {}).size());
  core_.dues.erase(ticket.due_);
  ticket.is_done_ = true;
}

// As the key is now: under the lock that is what the condition was judged on (W19). Its own place
// is left already, and not counted.
void Config::Turn::Answer(GetTicket& ticket, Outcome outcome) {
  ConfigCounts& counts = core_.counts;
  ++(outcome == Outcome::kOk         ? counts.waits_ok
     : outcome == Outcome::kTimedOut ? counts.waits_timed_out
                                     : counts.waits_closed);
  ticket.answer_.outcome = outcome;
  ticket.answer_.watchers = core_.Watching(ticket.key_);
  if (outcome == Outcome::kClosed) {
    ticket.answer_.reason = core_.closed_reason;
  } else if (const KeyRecord* record = core_.Find(ticket.key_)) {
    ticket.answer_.entry = record->entry;
  }
}

void Config::Turn::EndWait(GetTicket& ticket, Outcome outcome) {
  Leave(ticket);
  Answer(ticket, outcome);
  after_.Tell(std::move(ticket.notifier_));
}

void Config::Turn::AnswerWaits(const KeyEntry& entry) {
  GetTicket* next = nullptr;
  for (GetTicket* ticket = core_.interests.first_waiting(entry.key); ticket != nullptr;
       ticket = next) {
    next = IntrusiveList<GetTicket>::Next(*ticket);
    if (ticket->condition_.Holds(entry)) EndWait(*ticket, Outcome::kOk);
  }
}

void Config::Turn::WaitsTimeOut(TimePoint now) {
  while (!core_.dues.empty() && core_.dues.begin()->first <= now) {
    EndWait(*core_.dues.begin()->second, Outcome::kTimedOut);
  }
}

void Config::Turn::EndAllWaits() {
  while (!core_.dues.empty()) EndWait(*core_.dues.begin()->second, Outcome::kClosed);
}

}  // namespace sluice::broker
