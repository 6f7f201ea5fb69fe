// SPDX-License-Identifier: Apache-2.0
// What a worker answers, and what becomes of the call (N23, N25).
#include <algorithm>
#include <utility>

#include "broker/responder/core.h"

namespace sluice::broker {
namespace {

// A failure of the broker's own, told as the worker's.
constexpr char kPartCreditBroken[] = "_PART_CREDIT";

}  // namespace

void Responder::Reply(ResponderWorker& worker, std::span<WorkerReply> replies,
                      std::vector<ReplyResult>& results) {
  Turn turn(*this);
  results.reserve(results.size() + replies.size());
  for (WorkerReply& reply : replies) {
    results.push_back({reply.call_id, turn.Apply(worker, reply)});
  }
  turn.Rank(worker);
}

Outcome Responder::Turn::Apply(ResponderWorker& worker, WorkerReply& reply) {
  const auto held = worker.held_.find(reply.call_id);
  if (held == worker.held_.end()) {
    const bool was_its = reply.call_id > 0 && reply.call_id < worker.next_assignment_;
    return was_its ? Outcome::kAlreadyDone : Outcome::kUnknownCall;
  }
  const bool is_release = reply.kind == ReplyKind::kRelease;
  if (held->second.call == nullptr) {
    if (!is_release) {
      ++core_.counts.late_replies;
      ++worker.answered_;
    }
    Drop(worker, held);
    return Outcome::kClosed;
  }
  Envelope& call = *held->second.call;
  if (is_release) {
    Drop(worker, held);
    LetGo(call, worker, Leaving::kFinished);
    return Outcome::kOk;
  }
  CallReply last;
  Outcome result = Outcome::kOk;
  const bool is_message = reply.kind == ReplyKind::kMessage;
  if (is_message && call.sent >= call.told) {
    result = last.outcome = Outcome::kFailed;
    last.failure = {kPartCreditBroken, "the worker sent more parts than it was allowed"};
  } else if (is_message && reply.message.size() > core_.spec.message_bytes_max) {
    result = last.outcome = Outcome::kReplyTooLarge;
  } else if (reply.kind == ReplyKind::kFailure) {
    last.outcome = Outcome::kFailed;
    last.failure = std::move(reply.failure);
  } else {
    result = AddPart(call, reply, last);
    if (result == Outcome::kOk && !reply.is_last) return result;
  }
  Drop(worker, held);
  ++worker.answered_;
  call.may_be_done = true;
  Decide(call, std::move(last));
  return result;
}

Outcome Responder::Turn::AddPart(Envelope& call, WorkerReply& reply, CallReply& last) {
  last.outcome = Outcome::kOk;
  if (reply.kind == ReplyKind::kMessage) ++call.sent;
  if (!call.options.wants_parts) {
    if (reply.kind == ReplyKind::kMessage && !Gather(call, std::move(reply.message))) {
      last.outcome = Outcome::kReplyTooLarge;
      return last.outcome;
    }
    if (reply.is_last) {
      last.message = call.gathered;
      last.joined_payload = call.joined;
    } else {
      AllowMore(call);
    }
    return Outcome::kOk;
  }
  last.message = std::move(reply.message);
  if (reply.is_last) return Outcome::kOk;
  last.call_id = call.call_id;
  last.handed_out = true;
  Push(call, std::exchange(last, CallReply()));
  Reserve(call);
  AllowMore(call);
  return Outcome::kOk;
}

bool Responder::Turn::Gather(Envelope& call, EncodedMessage part) {
  if (!call.gathered) {
    call.gathered = std::move(part);
    Charge(call, call.gathered.size());
    return true;
  }
  const std::uint64_t payload =
      (call.joined != nullptr ? call.joined->size() : call.gathered.payload_bytes) +
      part.payload_bytes;
  if (EncodedBytes(call.gathered.other_bytes, payload) > core_.spec.message_bytes_max) return false;
  if (call.joined == nullptr) {
    call.joined = std::make_shared<std::string>(call.gathered.payload());
    Charge(call, call.joined->size());
  }
  call.joined->append(part.payload());
  Charge(call, part.payload_bytes);
  return true;
}

void Responder::Turn::Drop(ResponderWorker& worker, ResponderWorker::HeldTable::iterator held) {
  if (Envelope* call = held->second.call) {
    --core_.in_flight;
    call->where = Where::kNowhere;
    call->worker = nullptr;
  }
  worker.held_bytes_ -= held->second.bytes;
  worker.held_.erase(held);
}

// A release says that nothing was begun, unless a part says otherwise.
void Responder::Turn::LetGo(Envelope& call, const ResponderWorker& worker, Leaving leaving) {
  const bool is_release = leaving == Leaving::kFinished && call.sent == 0;
  const bool went_out = call.options.wants_parts && call.sent > 0;
  if (leaving == Leaving::kFinished) Exclude(call, worker);
  StopParts(call);
  if (is_release) return GoBack(call);
  call.may_be_done = true;
  if (went_out || !call.options.retry_on_loss) return Decide(call, Outcome::kResponderGone);
  GoBack(call);
}

// Those that have left since can have nothing any more: when there must be some among them, they
// go. Both lists rise, so that one walk finds who is in both.
void Responder::Turn::Exclude(Envelope& call, const ResponderWorker& worker) {
  std::vector<std::uint64_t>& fences = call.excluded;
  fences.insert(std::upper_bound(fences.begin(), fences.end(), worker.fence_), worker.fence_);
  if (fences.size() <= 2 * (core_.workers.size() + 1)) return;
  auto kept = fences.begin();
  auto fence = fences.begin();
  for (const ResponderWorker* other = core_.workers.front(); other != nullptr;
       other = IntrusiveList<ResponderWorker>::Next(*other)) {
    while (fence != fences.end() && *fence < other->fence_) ++fence;
    if (fence != fences.end() && *fence == other->fence_) *kept++ = *fence++;
  }
  fences.erase(kept, fences.end());
}

}  // namespace sluice::broker
