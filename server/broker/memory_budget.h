// SPDX-License-Identifier: Apache-2.0
// The memory that all channels together may retain, and who waits for it.
//
// Counted      what channels retain: stored batches of queues and topics, requests and replies of
//              calls, entries of config keys, and remembered producers (producer_table.h).
//              Apart from it, with a bound of its own: frames that wait in a line for room.
// Not counted  what a channel, a session or a stream takes beside that (bounded by their numbers),
//              bytes that are being written though their message has gone (a delivery a stream),
//              and gRPC's own buffers.
// Limit        Who wants room asks first. What must not be refused (a reply, a tombstone) is added
//              unasked, so `used` may pass the limit; then nothing has room until it is below.
//              Asking and adding are two steps: as many batches as there are threads may pass it.
// Line         A channel whose head of the line lacks nothing but memory joins the budget's line,
//              and is given a turn when memory is freed anywhere: the head alone, then the next
//              channel's (one line in turn, so that no channel's line goes before all others').
//              Nobody takes memory while a channel waits that needs at most Reserve(): so at worst
//              that little is unused. One that needs more (a large atomic batch) waits apart: it
//              gets its turn whenever the others have had theirs, and may be passed.
// Wake-up      Freeing sets a flag when somebody waits; the operation that freed it then has the
//              line run by the timers, after its lock is released (G6). Who joins has the line run,
//              too, so that nothing that was freed meanwhile is missed.
// Threads      safe from any thread. Its lock is a leaf: nothing is called with it held.
// Cost         one atomic addition for each batch stored, and one for each freed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/mutex.h"
#include "broker/limits.h"
#include "broker/timers.h"

namespace sluice::broker {

// A channel that waits for memory.
class MemoryWaiter {
 public:
  struct Turn {
    std::uint64_t needs = 0;   // for the next at the head; 0: it does not wait for memory any more
    bool is_progress = false;  // something entered, or left the line
  };
  virtual ~MemoryWaiter() = default;
  // What stands at its head may take memory now. Called with no lock held.
  virtual Turn TakeMemory() = 0;

 private:
  friend class MemoryBudget;
  bool is_in_line_ = false;  // guarded by the budget's lock
};

class MemoryBudget {
 public:
  // `timers` outlives the budget.
  MemoryBudget(std::uint64_t limit, Timers& timers);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  std::uint64_t limit() const noexcept { return limit_; }
  std::uint64_t waiting_max() const noexcept { return waiting_max_; }
  // The most that a waiter may need and not be passed.
  std::uint64_t Reserve() const noexcept { return limit_ / 16; }

  struct Snapshot {
    std::uint64_t limit = 0;
    std::uint64_t used = 0;
    std::uint64_t waiting_max = 0;
    std::uint64_t waiting = 0;           // bytes of frames in line for room
    std::uint64_t refused = 0;           // messages, calls and sets, for want of memory
    std::uint64_t waiting_channels = 0;  // whose line waits for memory
  };
  Snapshot snapshot() const noexcept;

  // --- what is retained -------------------------------------------------------------------------
  void Add(std::uint64_t bytes) noexcept { used_.fetch_add(bytes); }
  // Tell() is to follow, without a lock.
  void Release(std::uint64_t bytes) noexcept {
    used_.fetch_sub(bytes);
    if (waiters_.load() != 0) is_freed_.store(true, std::memory_order_release);
  }
  // What may be taken now: by one whose turn it is, and by anybody else.
  std::uint64_t free() const noexcept {
    const std::uint64_t used = used_.load();
    return used < limit_ ? limit_ - used : 0;
  }
  std::uint64_t free_to_all() const noexcept { return first_.load() == 0 ? free() : 0; }

  // --- what waits for room ----------------------------------------------------------------------
  // False: frames that wait take too much memory already.
  bool Hold(std::uint64_t bytes) noexcept;
  void Unhold(std::uint64_t bytes) noexcept { waiting_.fetch_sub(bytes); }
  void CountRefused(std::uint64_t count) noexcept {
    refused_.fetch_add(count, std::memory_order_relaxed);
  }

  // --- without a lock ---------------------------------------------------------------------------
  void Join(std::shared_ptr<MemoryWaiter> waiter, std::uint64_t needs);
  // The line is looked at soon if something was freed since, or `has_left`: who held others up
  // went.
  void Tell(bool has_left = false);

 private:
  class Line;
  using Waiters = std::deque<std::weak_ptr<MemoryWaiter>>;

  // At most about `turns` turns that move something. True: more may move.
  bool RunLine(std::size_t turns);
  // Each of the first in turn, until one has no room. True: those apart may have a turn.
  bool RunFirst(std::size_t& turns);
  // True: something moved.
  bool RunApart(std::size_t& turns);
  std::shared_ptr<MemoryWaiter> Pop(Waiters& from);
  // Back into a line, or out of it. `is_front`: it keeps its place.
  void File(const std::shared_ptr<MemoryWaiter>& waiter, std::uint64_t needs, bool is_front);
  void Schedule();

  const std::uint64_t limit_;
  const std::uint64_t waiting_max_;
  Timers& timers_;
  const std::shared_ptr<Line> line_;

  alignas(64) std::atomic<std::uint64_t> used_ = 0;
  alignas(64) std::atomic<std::uint64_t> waiting_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  // Read by every operation, written when somebody waits for memory.
  alignas(64) std::atomic<std::uint32_t> waiters_ = 0;  // in either line, or in their turn
  std::atomic<std::uint32_t> first_ = 0;                // of those, who may not be passed
  std::atomic<bool> is_freed_ = false;

  Mutex mutex_;
  Waiters firsts_ GUARDED_BY(mutex_);
  Waiters apart_ GUARDED_BY(mutex_);
};

// The bytes that one owner retains, mirrored in the budget; its lock guards them. Without a budget
// it is a number.
class RetainedBytes {
 public:
  RetainedBytes() = default;
  explicit RetainedBytes(MemoryBudget& budget) noexcept : budget_(&budget) {}
  // Requires: no lock is held.
  ~RetainedBytes() {
    if (budget_ == nullptr) return;
    budget_->Release(bytes_);
    budget_->Tell();
  }
  RetainedBytes(const RetainedBytes&) = delete;
  RetainedBytes& operator=(const RetainedBytes&) = delete;

  operator std::uint64_t() const noexcept { return bytes_; }
  RetainedBytes& operator+=(std::uint64_t bytes) noexcept {
    bytes_ += bytes;
    if (budget_ != nullptr) budget_->Add(bytes);
    return *this;
  }
  RetainedBytes& operator-=(std::uint64_t bytes) noexcept {
    bytes_ -= bytes;
    if (budget_ != nullptr) budget_->Release(bytes);
    return *this;
  }

 private:
  MemoryBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace sluice::broker
