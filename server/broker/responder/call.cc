// SPDX-License-Identifier: Apache-2.0
// The caller's end: asking, giving up, and the one outcome of each call (N22, N24, N25).
#include <utility>

#include "base/check.h"
#include "broker/responder/core.h"

namespace sluice::broker {

Caller::Caller(NotifierPtr notifier) : notifier_(std::move(notifier)) {}
Caller::~Caller() { SLUICE_CHECK(calls_.empty()); }

std::optional<CallReply> Responder::Ask(Caller& caller, std::uint64_t call_id,
                                        EncodedMessage request, const CallOptions& options) {
  Turn turn(*this);
  Core& core = turn.core();
  CallReply refused;
  refused.call_id = call_id;
  refused.is_last = true;
  const std::uint64_t charge = request.size() + kMessageOverheadBytes;
  if (core.is_closed) {
    ++core.counts.refused_closed;
    refused.outcome = Outcome::kClosed;
    refused.reason = core.closed_reason;
    return refused;
  }
  if (core.serving == 0 && !options.wait_for_responder) {
    ++core.counts.refused_no_responder;
    refused.outcome = Outcome::kNoResponder;
    return refused;
  }
  const bool has_own_room =
      core.depth() < core.spec.capacity && core.retained + charge <= core.spec.bytes_max;
  if (!has_own_room || charge > core.memory.free_to_all()) {
    ++core.counts.refused_full;
    refused.outcome = Outcome::kFull;
    if (!has_own_room) return refused;
    ++core.counts.refused_memory;
    core.memory.CountRefused(1);
    refused.full_reason = FullReason::kServerMemory;
    return refused;
  }
  auto& call = caller.calls_[call_id];
  SLUICE_CHECK(call == nullptr);
  call = std::make_unique<Envelope>(caller, call_id, std::move(request), options);
  turn.Accept(*call);
  return std::nullopt;
}

void Responder::TakeReplies(Caller& caller, std::size_t replies_max, std::uint64_t bytes_max,
                            CallReplies& out) {
  Turn turn(*this);
  // Each in its turn, so that one call of many parts does not hold up the others.
  while (CallPlace* place = caller.ready_.front()) {
    Envelope& call = place->call;
    for (; call.next_reply < call.replies.size(); ++call.next_reply) {
      CallReply& reply = call.replies[call.next_reply];
      const std::uint64_t bytes = reply.size();
      const bool passes = out.replies.empty() ||
                          (out.replies.size() < replies_max && out.bytes + bytes <= bytes_max);
      if (!passes) {
        call.DropTaken();
        caller.ready_.Erase(*place);
        caller.ready_.PushBack(*place);
        return;
      }
      turn.Release(call, bytes);
      out.bytes += bytes;
      if (!reply.is_last) ++call.taken;
      out.replies.push_back(std::move(reply));
    }
    call.replies.clear();
    call.next_reply = 0;
    caller.ready_.Erase(*place);
    if (call.where == Where::kOver) {
      turn.Release(call, call.charged);
      const std::uint64_t call_id = call.call_id;
      caller.calls_.erase(call_id);
    } else if (call.where == Where::kHeld) {
      turn.AllowMore(call);
    }
  }
}

void Responder::AllowParts(Caller& caller, std::uint64_t call_id, std::uint64_t parts) {
  Turn turn(*this);
  const auto it = caller.calls_.find(call_id);
  if (it == caller.calls_.end()) return;
  Envelope& call = *it->second;
  if (!call.options.wants_parts || parts <= call.allowed) return;
  call.allowed = parts;
  if (call.where == Where::kHeld) turn.AllowMore(call);
}

void Responder::Cancel(Caller& caller, std::uint64_t call_id, GivingUp why) {
  Turn turn(*this);
  const auto it = caller.calls_.find(call_id);
  if (it == caller.calls_.end()) return;
  turn.Forget(*it->second, why);
  caller.calls_.erase(it);
}

void Responder::Leave(Caller& caller, GivingUp why) {
  Turn turn(*this);
  for (auto& [id, call] : caller.calls_) turn.Forget(*call, why);
  caller.calls_.clear();
  turn.after().LetGo(std::move(caller.notifier_));
}

void Responder::Turn::Accept(Envelope& call) {
  call.position = ++core_.counts.accepted;
  Charge(call, call.request_bytes + kMessageOverheadBytes);
  if (call.options.deadline != kNever) {
    call.due = core_.dues.emplace(call.options.deadline, &call);
    call.has_due = true;
  }
  call.where = Where::kFresh;
  core_.fresh.PushBack(call);
}

void Responder::Turn::Decide(Envelope& call, CallReply reply) {
  reply.call_id = call.call_id;
  reply.is_last = true;
  reply.handed_out = call.may_be_done || call.where == Where::kHeld;
  Count(reply.outcome);
  Unplace(call);
  Push(call, std::move(reply));
}

void Responder::Turn::Decide(Envelope& call, Outcome outcome, ClosedReason reason) {
  CallReply reply;
  reply.outcome = outcome;
  reply.reason = reason;
  Decide(call, std::move(reply));
}

// Whoever has its outcome, taken or not, has lost nothing by going.
void Responder::Turn::Forget(Envelope& call, GivingUp why) {
  if (call.where != Where::kOver) {
    ++(why == GivingUp::kTimedOut ? core_.counts.timed_out : core_.counts.cancelled);
    Unplace(call);
  }
  Release(call, call.charged);
  if (call.ready.is_linked()) call.caller.ready_.Erase(call.ready);
}

void Responder::Turn::Push(Envelope& call, CallReply reply) {
  Charge(call, reply.size());
  call.replies.push_back(std::move(reply));
  if (!call.ready.is_linked()) call.caller.ready_.PushBack(call.ready);
  after_.Tell(call.caller.notifier_);
}

void Responder::Turn::Unplace(Envelope& call) {
  switch (call.where) {
    case Where::kFresh:
      core_.fresh.Erase(call);
      break;
    case Where::kReturned:
      core_.returned.erase(call.position);
      break;
    case Where::kAssigned: {
      ResponderWorker& worker = *call.worker;
      worker.assigned_.Erase(call);
      worker.held_bytes_ -= call.request_bytes;
      --core_.in_flight;
      Rank(worker);
      break;
    }
    case Where::kHeld:
      // The assignment stays with the worker, and holds its credit, until it is answered.
      call.worker->held_.find(call.assignment)->second.call = nullptr;
      call.worker->cancelled_.push_back(call.assignment);
      --core_.in_flight;
      after_.Tell(call.worker->notifier_);
      break;
    case Where::kNowhere:
    case Where::kOver:
      break;
  }
  call.where = Where::kOver;
  call.worker = nullptr;
  if (std::exchange(call.has_due, false)) core_.dues.erase(call.due);
  StopParts(call);
  Release(call, call.request.size());
  call.request = EncodedMessage();
}

void Responder::Turn::Charge(Envelope& call, std::uint64_t bytes) {
  call.charged += bytes;
  core_.retained += bytes;
}

void Responder::Turn::Release(Envelope& call, std::uint64_t bytes) {
  SLUICE_CHECK(bytes <= call.charged);
  call.charged -= bytes;
  core_.retained -= bytes;
}

void Responder::Turn::Count(Outcome outcome) {
  ResponderCounts& counts = core_.counts;
  switch (outcome) {
    case Outcome::kOk:
      ++counts.answered;
      return;
    case Outcome::kFailed:
      ++counts.failed;
      return;
    case Outcome::kResponderGone:
      ++counts.responder_gone;
      return;
    case Outcome::kNoResponder:
      ++counts.no_responder;
      return;
    case Outcome::kReplyTooLarge:
      ++counts.too_large;
      return;
    case Outcome::kTimedOut:
      ++counts.timed_out;
      return;
    case Outcome::kClosed:
      ++counts.closed;
      return;
    default:
      SLUICE_CHECK(false);  // no call ends so
  }
}

}  // namespace sluice::broker
