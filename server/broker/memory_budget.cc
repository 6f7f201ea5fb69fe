// SPDX-License-Identifier: Apache-2.0
#include "broker/memory_budget.h"

#include <algorithm>
#include <utility>

namespace sluice::broker {
namespace {

// Then the timers run the others that are due: room may be freed as fast as it is taken.
constexpr std::size_t kTurnsAtOnce = 256;

std::uint64_t WaitingMax(std::uint64_t limit) {
  if (limit == kNoMemoryLimit) return kNoMemoryLimit;
  return std::max(limit / kWaitingPartOfMemory, kWaitingBytesLeast);
}

}  // namespace

// What the timers run.
class MemoryBudget::Line final : public Scheduled {
 public:
  explicit Line(MemoryBudget& budget) : budget_(budget) {}
  TimePoint RunDue(TimePoint) override {
    return budget_.RunLine(kTurnsAtOnce) ? TimePoint() : kNever;
  }

 private:
  MemoryBudget& budget_;
};

MemoryBudget::MemoryBudget(std::uint64_t limit, Timers& timers)
    : limit_(limit),
      waiting_max_(WaitingMax(limit)),
      timers_(timers),
      line_(std::make_shared<Line>(*this)) {}

MemoryBudget::~MemoryBudget() = default;

MemoryBudget::Snapshot MemoryBudget::snapshot() const noexcept {
  return {.limit = limit_,
          .used = used_.load(std::memory_order_relaxed),
          .waiting_max = waiting_max_,
          .waiting = waiting_.load(std::memory_order_relaxed),
          .refused = refused_.load(std::memory_order_relaxed),
          .waiting_channels = waiters_.load(std::memory_order_relaxed)};
}

bool MemoryBudget::Hold(std::uint64_t bytes) noexcept {
  if (waiting_.fetch_add(bytes) + bytes <= waiting_max_) return true;
  waiting_.fetch_sub(bytes);
  return false;
}

void MemoryBudget::Join(std::shared_ptr<MemoryWaiter> waiter, std::uint64_t needs) {
  {
    MutexLock lock(mutex_);
    if (!waiter->is_in_line_) {
      waiters_.fetch_add(1);
      const bool is_first = needs <= Reserve();
      if (is_first) first_.fetch_add(1);
      waiter->is_in_line_ = true;
      (is_first ? firsts_ : apart_).push_back(waiter);
    }
  }
  Schedule();
}

void MemoryBudget::Tell(bool has_left) {
  if (!has_left && !is_freed_.load(std::memory_order_relaxed)) return;
  is_freed_.exchange(false);
  Schedule();
}

void MemoryBudget::Schedule() { timers_.RunBy(TimePoint(), line_); }

bool MemoryBudget::RunLine(std::size_t turns) {
  while (RunFirst(turns)) {
    if (!RunApart(turns)) return false;
  }
  return turns == 0;
}

bool MemoryBudget::RunFirst(std::size_t& turns) {
  for (; turns > 0; --turns) {
    const std::shared_ptr<MemoryWaiter> waiter = Pop(firsts_);
    if (waiter == nullptr) return true;
    const MemoryWaiter::Turn turn = waiter->TakeMemory();
    const bool blocks = turn.needs != 0 && turn.needs <= Reserve() && !turn.is_progress;
    File(waiter, turn.needs, blocks);
    first_.fetch_sub(1);
    if (blocks) return false;
  }
  return false;
}

bool MemoryBudget::RunApart(std::size_t& turns) {
  std::size_t count = 0;
  {
    MutexLock lock(mutex_);
    count = apart_.size();
  }
  turns -= std::min(turns, count);
  bool has_moved = false;
  for (; count > 0; --count) {
    const std::shared_ptr<MemoryWaiter> waiter = Pop(apart_);
    if (waiter == nullptr) break;
    const MemoryWaiter::Turn turn = waiter->TakeMemory();
    File(waiter, turn.needs, /*is_front=*/false);
    has_moved |= turn.is_progress;
  }
  return has_moved;
}

// Who has its turn counts as waiting until it is filed: nobody takes what is meant for it.
std::shared_ptr<MemoryWaiter> MemoryBudget::Pop(Waiters& from) {
  for (;;) {
    std::shared_ptr<MemoryWaiter> waiter;
    MutexLock lock(mutex_);
    if (from.empty()) return nullptr;
    waiter = from.front().lock();
    from.pop_front();
    if (waiter != nullptr) {
      waiter->is_in_line_ = false;
      return waiter;
    }
    if (&from == &firsts_) first_.fetch_sub(1);
    waiters_.fetch_sub(1);
  }
}

void MemoryBudget::File(const std::shared_ptr<MemoryWaiter>& waiter, std::uint64_t needs,
                        bool is_front) {
  MutexLock lock(mutex_);
  // It may have joined again during its turn.
  if (needs == 0 || waiter->is_in_line_) {
    waiters_.fetch_sub(1);
    return;
  }
  waiter->is_in_line_ = true;
  const bool is_first = needs <= Reserve();
  if (is_first) first_.fetch_add(1);
  Waiters& line = is_first ? firsts_ : apart_;
  if (is_front) {
    line.push_front(waiter);
  } else {
    line.push_back(waiter);
  }
}

}  // namespace sluice::broker
