// SPDX-License-Identifier: Apache-2.0
// The one schedule of the daemon: who wants to be run when. Driven from outside, by RunDue(now), so
// that a test's manual clock decides everything.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace sluice::broker {

// Something that has deadlines of its own and knows the nearest.
class Scheduled {
 public:
  virtual ~Scheduled() = default;
  // Does what is due by `now`. Returns when to be run next, or kNever. Called with no lock held.
  virtual TimePoint RunDue(TimePoint now) = 0;
};

// Thread-safe. A leaf: its lock is never held while anything else is called.
class Timers {
 public:
  // `wake` is called, with no lock held, when the nearest deadline has come nearer.
  explicit Timers(std::function<void()> wake) : wake_(std::move(wake)) {}
  void SetWake(std::function<void()> wake);  // before other threads know of the timers

  // `who` is run at `when` at the latest. Only brings a deadline nearer: who is run too early finds
  // nothing due, and says when to come back. Held weakly.
  void RunBy(TimePoint when, const std::shared_ptr<Scheduled>& who);

  TimePoint next() const;
  // Runs, once, each that is due by `now` when it is called: who becomes due meanwhile, again too,
  // waits for the next call. Returns the next deadline, which may have passed.
  TimePoint RunDue(TimePoint now);

 private:
  struct Entry {
    Scheduled* key;
    std::weak_ptr<Scheduled> who;
  };
  using Due = std::multimap<TimePoint, Entry>;
  // Out of the schedule, by rising deadline.
  std::vector<std::weak_ptr<Scheduled>> TakeDue(TimePoint now) REQUIRES(mutex_);
  // True: it is the nearest now.
  bool Insert(TimePoint when, const std::shared_ptr<Scheduled>& who) REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::function<void()> wake_;
  Due due_ GUARDED_BY(mutex_);
  // The one entry of each. A key may be the address of one that is gone, taken by another since.
  std::unordered_map<Scheduled*, Due::iterator> entries_ GUARDED_BY(mutex_);
};

}  // namespace sluice::broker
