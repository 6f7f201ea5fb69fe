// SPDX-License-Identifier: Apache-2.0
// The worker's end: its seat, its credit, and what it fetches.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "broker/responder/core.h"

namespace sluice::broker {
namespace {

// Assignments whose callers have gone are held, too, and charged to nothing.
Credit Bounded(Credit credit) {
  credit.messages = std::min(credit.messages, kWorkerHoldsMax);
  return credit;
}

}  // namespace

Responder::Attachment Responder::Attach(ResponderWorker& worker, WorkerOptions options,
                                        NotifierPtr notifier) {
  Turn turn(*this);
  Core& core = turn.core();
  SLUICE_CHECK(worker.state_ == ResponderWorker::State::kNew);
  if (core.has_ended) {
    worker.state_ = ResponderWorker::State::kEnded;
    return {.fence = 0, .ended = core.closed_reason};
  }
  worker.options_ = std::move(options);
  worker.options_.credit = Bounded(worker.options_.credit);
  worker.notifier_ = std::move(notifier);
  worker.state_ = ResponderWorker::State::kAttached;
  worker.fence_ = core.next_fence++;
  worker.wants_ = true;
  core.workers.PushBack(worker);
  ++core.serving;
  turn.Rank(worker);
  return {.fence = worker.fence_, .ended = ClosedReason::kUnspecified};
}

void Responder::Take(ResponderWorker& worker, std::uint64_t bytes_max, bool is_writing,
                     WorkerNews& out) {
  out.assignments.clear();
  out.bytes = 0;
  out.cancelled.clear();
  out.part_credit.clear();
  Turn turn(*this);
  out.ended = worker.end_;
  if (out.ended != ClosedReason::kUnspecified) return;
  if (worker.state_ != ResponderWorker::State::kAttached) return;
  worker.wants_ = false;
  turn.Rank(worker);
  for (;;) {
    Envelope* call = worker.assigned_.front();
    if (call == nullptr && !worker.is_finishing_) {
      call = turn.FirstFor(worker);
      if (call != nullptr && !turn.HasCredit(worker, call->request_bytes)) call = nullptr;
    }
    if (call == nullptr) break;
    if (!out.assignments.empty() && out.bytes + call->request_bytes > bytes_max) break;
    if (call->where != Where::kAssigned) turn.Assign(*call, worker);
    turn.Fetch(*call, worker, out);
  }
  out.cancelled.swap(worker.cancelled_);
  // Whoever has answered meanwhile was told by the result.
  std::erase_if(out.cancelled,
                [&](std::uint64_t assignment) { return worker.held_.count(assignment) == 0; });
  for (const std::uint64_t assignment : worker.part_news_) {
    const auto held = worker.held_.find(assignment);
    if (held == worker.held_.end() || held->second.call == nullptr) continue;
    held->second.call->has_part_news = false;
    out.part_credit.push_back({assignment, held->second.call->told});
  }
  worker.part_news_.clear();
  worker.wants_ = out.empty() && !is_writing;
  turn.Rank(worker);
}

void Responder::SetCredit(ResponderWorker& worker, Credit credit) {
  Turn turn(*this);
  worker.options_.credit = Bounded(credit);
  turn.Rank(worker);
}

void Responder::Finish(ResponderWorker& worker) {
  Turn turn(*this);
  if (worker.state_ != ResponderWorker::State::kAttached || worker.is_finishing_) return;
  worker.is_finishing_ = true;
  --turn.core().serving;
  turn.TakeBack(worker);
  turn.Abandon();
}

std::uint64_t Responder::HeldBy(const ResponderWorker& worker) const {
  MutexLock lock(core_->mutex);
  return worker.held_count();
}

void Responder::Detach(ResponderWorker& worker, Leaving leaving) {
  Turn turn(*this);
  Core& core = turn.core();
  turn.after().LetGo(std::move(worker.notifier_));
  if (worker.state_ != ResponderWorker::State::kAttached) return;
  worker.state_ = ResponderWorker::State::kEnded;
  if (!worker.is_finishing_) --core.serving;
  core.workers.Erase(worker);
  turn.TakeBack(worker);
  // Decided one by one: what goes back does not look at this worker any more.
  ResponderWorker::HeldTable held = std::move(worker.held_);
  worker.held_.clear();
  worker.held_bytes_ = 0;
  for (auto& [id, one] : held) {
    if (one.call == nullptr) continue;
    --core.in_flight;
    one.call->where = Where::kNowhere;
    one.call->worker = nullptr;
    turn.LetGo(*one.call, worker, leaving);
  }
  turn.Abandon();
}

// What was assigned and not fetched was never in its hand.
void Responder::Turn::TakeBack(ResponderWorker& worker) {
  Rank(worker);
  while (Envelope* call = worker.assigned_.PopFront()) {
    worker.held_bytes_ -= call->request_bytes;
    --core_.in_flight;
    GoBack(*call);
  }
}

}  // namespace sluice::broker
