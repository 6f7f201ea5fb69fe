// SPDX-License-Identifier: Apache-2.0
// What a topic is, and one turn at it. Private to the topic's own sources.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/mutex.h"
#include "broker/after.h"
#include "broker/intake.h"
#include "broker/topic.h"
#include "broker/topic/retained.h"

namespace sluice::broker {

struct Topic::Core {
  Core(std::string topic_name, const TopicSpec& topic_spec, std::uint64_t topic_epoch,
       const Clock& topic_clock, Timers& topic_timers, MemoryBudget& topic_memory);

  const std::string name;
  const TopicSpec spec;
  const std::uint64_t epoch;
  const Clock& clock;
  Timers& timers;
  MemoryBudget& memory;
  // Written under the lock, read without.
  std::atomic<bool> has_ended = false;
  std::atomic<bool> is_deleted = false;

  mutable Mutex mutex;
  // All below is guarded by mutex.
  Retained retained;
  Intake::Line line;  // its slots are not used: room is what the slowest subscriber leaves
  Intake intake;
  IntrusiveList<Subscriber> subscribers;    // attached
  IntrusiveList<Subscriber::Wait> waiting;  // of those: asked and found nothing
  std::optional<TimePoint> left_at;         // when the last of those that left did
  std::uint64_t woken_at = 1;               // the next position when the waiting were last told
  // No position below it is wanted by a subscriber that publishing waits for. It may be too low:
  // it is made exact when that matters.
  std::uint64_t wanted_from = kNobody;
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;
  std::uint64_t lags = 0;
  std::uint64_t evicted = 0;
  std::uint64_t deleted = 0;
  TimePoint scheduled = kNever;  // the timers know of

  static constexpr std::uint64_t kNobody = std::numeric_limits<std::uint64_t>::max();

  // N29. `now` is a function, asked only when nobody is attached.
  template <class Now>
  bool Stores(Now now) const {
    if (intake.is_closed()) return false;
    if (!subscribers.empty()) return true;
    return left_at.has_value() && now() < Later(*left_at, ResumeWindow());
  }
  Duration ResumeWindow() const {
    return std::chrono::milliseconds(spec.resume_window_ms.value_or(0));
  }
  // When the head of the line waits no more for the slow.
  TimePoint block_ends() const;
  TimePoint next_due() const;
  // Of those that publishing waits for, the position that the slowest wants; kNobody: there is
  // none.
  std::uint64_t SlowestWants() const;
  // How far the last of the attached is behind. A step for each of them.
  std::uint64_t LagMax() const;
};

// One operation: holds the lock, and at its end lets everything happen that the change makes
// possible (publishes enter, who waits is told, the topic ends); then unlocks; then tells.
class Topic::Turn {
 public:
  explicit Turn(Topic& topic);
  Turn(Topic& topic, TimePoint now);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Core& core() noexcept { return core_; }
  After& after() noexcept { return after_; }
  TimePoint now() { return after_.now(); }

  // Brings the topic to rest. Idempotent; also done at the end of the turn.
  void Balance();

  // --- publishing (publish.cc) ---
  // Stores what has room. True: nothing remains. Requires: it is the head of the line, or none
  // stands.
  bool Enter(SendTicket& ticket);

  // --- subscribing (subscribe.cc) ---
  void Read(Subscriber& subscriber, std::uint64_t bytes_max, Delivery& out);
  // It is waited for (again), from where it stands.
  void WaitFor(const Subscriber& subscriber);
  void Detach(Subscriber& subscriber);
  void End(Subscriber& subscriber, ClosedReason reason);

  // --- life (life.cc) ---
  void Close(ClosedReason reason);
  std::uint64_t Destroy(ClosedReason reason);

 private:
  // Overwrites what it must; false: somebody wants that, and the wait for it is not over.
  // `owed`: of memory beside the charge (Intake::Owes).
  bool MakeRoom(const Retained::Wanted& wanted, std::uint64_t owed, bool is_overdue);
  std::optional<std::uint64_t> ToDrop(const Retained::Wanted& wanted, bool is_overdue);
  std::optional<std::uint64_t> ToDropUnwanted(const Retained::Wanted& wanted);
  void Excuse(std::uint64_t drop);
  void WakeWaiting();

  Topic& topic_;
  Core& core_;
  After after_;  // before the lock, so destroyed after it
  MutexLock lock_;
};

}  // namespace sluice::broker
