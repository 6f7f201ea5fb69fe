// SPDX-License-Identifier: Apache-2.0
#include "rpc/call_stats.h"

#include <utility>

namespace sluice::rpc {

void WorkerCells::CountRefused(const std::string& reason) {
  MutexLock lock(mutex_);
  const bool is_full = refused_.size() >= CallStats::kReasonsMax && !refused_.contains(reason);
  ++refused_[is_full ? std::string(CallStats::kOtherReasons) : reason];
}

void WorkerCells::TurnBegins(TimePoint now) noexcept {
  if (woke_at_ == TimePoint()) return;
  busy_ns_.Add(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now - woke_at_).count()));
}

void WorkerCells::TurnEnds(std::uint64_t events) noexcept {
  turns_.Add();
  events_.Add(events);
}

void WorkerCells::Observe(const std::vector<broker::Run>& runs, std::uint64_t now_unix_us,
                          TimeHistogram& ages) noexcept {
  for (const broker::Run& run : runs) {
    // The wall clock may have been set back since.
    const std::uint64_t age =
        now_unix_us > run.accepted_unix_us ? now_unix_us - run.accepted_unix_us : 0;
    ages.Observe(std::chrono::microseconds(age), run.count);
  }
}

CallStats::CallStats(std::vector<MethodName> methods, std::size_t workers)
    : methods_(std::move(methods)) {
  for (std::size_t i = 0; i < workers; ++i) {
    workers_.push_back(std::make_unique<WorkerCells>(methods_.size()));
  }
}

std::vector<MethodFigures> CallStats::Methods() const {
  std::vector<MethodFigures> figures(methods_.size());
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    MethodFigures& sum = figures[i];
    sum.name = methods_[i];
    for (const auto& worker : workers_) {
      const MethodCells& cells = worker->methods_[i];
      // Ends before begins: what has ended has begun.
      for (std::size_t code = 0; code < kCodes; ++code) {
        sum.handled[code] += cells.handled[code].get();
      }
      sum.handling += cells.handling.Read();
      sum.sent += cells.sent.get();
      sum.sent_bytes += cells.sent_bytes.get();
      sum.received += cells.received.get();
      sum.received_bytes += cells.received_bytes.get();
      sum.started += cells.started.get();
    }
  }
  return figures;
}

std::map<std::string, std::uint64_t> CallStats::Refused() const {
  std::map<std::string, std::uint64_t> sum;
  for (const auto& worker : workers_) {
    MutexLock lock(worker->mutex_);
    for (const auto& [reason, count] : worker->refused_) sum[reason] += count;
  }
  return sum;
}

TimeBuckets CallStats::QueueAges() const {
  TimeBuckets sum;
  for (const auto& worker : workers_) sum += worker->queue_ages_.Read();
  return sum;
}

TimeBuckets CallStats::TopicAges() const {
  TimeBuckets sum;
  for (const auto& worker : workers_) sum += worker->topic_ages_.Read();
  return sum;
}

std::vector<WorkerFigures> CallStats::Workers() const {
  std::vector<WorkerFigures> figures;
  for (const auto& worker : workers_) {
    figures.push_back({.busy = std::chrono::nanoseconds(worker->busy_ns_.get()),
                       .turns = worker->turns_.get(),
                       .events = worker->events_.get()});
  }
  return figures;
}

}  // namespace sluice::rpc
