// SPDX-License-Identifier: Apache-2.0
// Which call goes to which worker: in order of acceptance, in turn among those that have credit
// (N27).
#include <algorithm>
#include <utility>

#include "broker/responder/core.h"

namespace sluice::broker {

void Responder::Turn::GoBack(Envelope& call) {
  call.where = Where::kNowhere;
  call.worker = nullptr;
  if (core_.is_closed) return Decide(call, Outcome::kClosed, core_.closed_reason);
  if (!call.options.wait_for_responder && !HasOther(call)) {
    return Decide(call, Outcome::kNoResponder);
  }
  call.where = Where::kReturned;
  core_.returned.emplace(call.position, &call);
  for (ResponderWorker* worker = core_.workers.front(); worker != nullptr;
       worker = IntrusiveList<ResponderWorker>::Next(*worker)) {
    if (!call.excludes(worker->fence_)) worker->passed_ = std::min(worker->passed_, call.position);
  }
}

bool Responder::Turn::HasOther(const Envelope& call) const {
  if (core_.serving == 0 || call.excluded.empty()) return core_.serving != 0;
  const ResponderWorker* worker = core_.workers.front();
  while (worker != nullptr && (worker->is_finishing_ || call.excludes(worker->fence_))) {
    worker = IntrusiveList<ResponderWorker>::Next(*worker);
  }
  return worker != nullptr;
}

Envelope* Responder::Turn::FirstFor(ResponderWorker& worker) {
  for (;;) {
    Envelope* first = core_.fresh.front();
    auto it = core_.returned.lower_bound(worker.passed_);
    while (it != core_.returned.end() && it->second->excludes(worker.fence_)) {
      worker.passed_ = (it++)->first + 1;
    }
    if (it != core_.returned.end()) first = it->second;
    // The timers may be late; what is over is not begun.
    if (first == nullptr || !first->has_due || first->due->first > after_.now()) return first;
    Decide(*first, Outcome::kTimedOut);
  }
}

bool Responder::Turn::HasCredit(const ResponderWorker& worker, std::uint64_t bytes) {
  const Credit& credit = worker.options_.credit;
  const std::uint64_t held = worker.held_count();
  if (held >= credit.messages) return false;
  return held == 0 || credit.bytes == 0 || worker.held_bytes_ + bytes <= credit.bytes;
}

void Responder::Turn::Assign(Envelope& call, ResponderWorker& worker) {
  if (call.where == Where::kFresh) {
    core_.fresh.Erase(call);
  } else {
    core_.returned.erase(call.position);
  }
  call.where = Where::kAssigned;
  call.worker = &worker;
  worker.assigned_.PushBack(call);
  worker.held_bytes_ += call.request_bytes;
  ++core_.in_flight;
}

void Responder::Turn::Fetch(Envelope& call, ResponderWorker& worker, WorkerNews& out) {
  worker.assigned_.Erase(call);
  call.where = Where::kHeld;
  call.assignment = worker.next_assignment_++;
  worker.held_.emplace(call.assignment, ResponderWorker::Held{&call, call.request_bytes});
  if (++call.attempts > 1) ++core_.counts.redelivered;
  AllowMore(call);
  Assignment assignment;
  assignment.call_id = call.assignment;
  assignment.request = call.request;
  assignment.deadline = call.options.deadline;
  assignment.wants_parts = call.options.wants_parts;
  assignment.part_credit = call.told;
  assignment.attempts = call.attempts;
  out.assignments.push_back(std::move(assignment));
  out.bytes += call.request_bytes;
}

void Responder::Turn::Rank(ResponderWorker& worker) {
  const bool belongs = worker.state_ == ResponderWorker::State::kAttached && worker.wants_ &&
                       !worker.is_finishing_ &&
                       worker.held_count() < worker.options_.credit.messages;
  if (belongs == worker.place_.is_linked()) return;
  if (belongs) {
    core_.ring.PushBack(worker.place_);
  } else {
    core_.ring.Erase(worker.place_);
  }
}

void Responder::Turn::Dispatch() {
  WorkerPlace* place = core_.ring.front();
  while (place != nullptr && core_.depth() > 0) {
    ResponderWorker& worker = *place->worker;
    Envelope* call = FirstFor(worker);
    if (call == nullptr || !HasCredit(worker, call->request_bytes)) {
      place = IntrusiveList<WorkerPlace>::Next(*place);
      continue;
    }
    Assign(*call, worker);
    after_.Tell(worker.notifier_);
    core_.ring.Erase(*place);
    Rank(worker);
    place = core_.ring.front();
  }
}

void Responder::Turn::Abandon() {
  const auto end_if_alone = [this](Envelope& call) {
    if (call.options.wait_for_responder || HasOther(call)) return;
    Decide(call, Outcome::kNoResponder);
  };
  for (auto it = core_.returned.begin(); it != core_.returned.end();) {
    end_if_alone(*(it++)->second);
  }
  if (core_.serving > 0) return;  // the fresh ones are for everybody
  Envelope* next = nullptr;
  for (Envelope* call = core_.fresh.front(); call != nullptr; call = next) {
    next = IntrusiveList<Envelope>::Next(*call);
    end_if_alone(*call);
  }
}

}  // namespace sluice::broker
