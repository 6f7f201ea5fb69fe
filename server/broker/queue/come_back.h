// SPDX-License-Identifier: Apache-2.0
// Messages that came back: handed out once, not settled, and queued again by their original
// position. They need no slots of the queue (N15); what bounds them is max_in_flight, whose places
// they keep. Ready ones go out before anything newer; delayed ones wait until they are due.
//
// Threads    none of its own; the queue's lock guards it.
// Cost       a map node each: coming back is not the common path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/clock.h"
#include "broker/queue/parcel.h"

namespace sluice::broker {

class ComeBack {
 public:
  bool empty() const noexcept { return ready_.empty() && delayed_.empty(); }
  std::size_t size() const noexcept { return ready_.size() + delayed_.size(); }
  std::size_t ready() const noexcept { return ready_.size(); }
  std::size_t delayed() const noexcept { return delayed_.size(); }

  void Add(Parcel parcel);
  void AddDelayed(Parcel parcel, TimePoint due);

  // The oldest that is ready. Requires: ready() > 0.
  const Parcel& front() const noexcept { return ready_.begin()->second; }
  Parcel PopFront();

  TimePoint next_due() const noexcept { return dues_.empty() ? kNever : dues_.begin()->first; }
  // Makes ready what is due.
  void RunDue(TimePoint now);

  // Destroys everything. Returns how many.
  std::size_t Clear();

  // Calls `visit(parcel)` in order of position, from `position` on, delayed ones included, until it
  // returns false. Returns whether it never did.
  template <class Visit>
  bool VisitFrom(std::uint64_t position, Visit visit) const {
    auto ready = ready_.lower_bound(position);
    auto delayed = delayed_.lower_bound(position);
    while (ready != ready_.end() || delayed != delayed_.end()) {
      const bool is_ready_next =
          delayed == delayed_.end() || (ready != ready_.end() && ready->first < delayed->first);
      const Parcel& parcel = is_ready_next ? (ready++)->second : (delayed++)->second.parcel;
      if (!visit(parcel)) return false;
    }
    return true;
  }

 private:
  struct Delayed {
    Parcel parcel;
    TimePoint due;
  };
  std::map<std::uint64_t, Parcel> ready_;     // by position
  std::map<std::uint64_t, Delayed> delayed_;  // by position
  std::set<std::pair<TimePoint, std::uint64_t>> dues_;
};

}  // namespace sluice::broker
