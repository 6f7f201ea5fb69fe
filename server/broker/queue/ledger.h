// SPDX-License-Identifier: Apache-2.0
// What is in flight: which message is with whom, under which lease, until when.
//
// A lease is drawn for each attachment of a stream and for each unary batch, and is unique in the
// queue's life. What it holds is kept by position: handing out appends, settling in order takes
// from the front. Messages that are settled out of order leave a gap, closed when half of the list
// is gaps. Handed out together with a deadline, messages share one `Due`; it goes with the last of
// them.
//
// Threads    none of its own; the queue's lock guards it.
// Cost       per message a few ns, no allocation; a map node per handing out with a deadline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "broker/queue/parcel.h"

namespace sluice::broker {

class Consumer;
struct Lease;

// Messages of one lease that run out together.
struct Due {
  Lease* lease;
  std::uint64_t first;  // positions: those of the lease in [first, last] that refer to this
  std::uint64_t last;
  std::uint32_t live;
  std::multimap<TimePoint, Due>::iterator self;
};

// What a lease holds, by position.
class HeldList {
 public:
  struct Held {
    Parcel parcel;  // without a message: a gap
    Due* due = nullptr;
  };

  std::uint32_t live() const noexcept { return live_; }
  // Nullptr: it holds nothing.
  const Parcel* oldest() const noexcept { return live_ == 0 ? nullptr : &held_[head_].parcel; }
  void Add(Parcel parcel, Due* due);

  // Calls `visit(held)` for each message in [first, last]; true from it takes the message out.
  template <class Function>
  void Visit(std::uint64_t first, std::uint64_t last, Function visit) {
    for (std::size_t i = LowerBound(first); i < held_.size(); ++i) {
      Held& held = held_[i];
      if (held.parcel.position > last) break;
      if (!held.parcel.message) continue;
      if (visit(held)) {
        held.parcel.message.Reset();
        --live_;
      }
    }
    Tidy();
  }

 private:
  std::size_t LowerBound(std::uint64_t position) const;
  void Tidy();

  std::vector<Held> held_;  // by rising position, from head_ on
  std::size_t head_ = 0;    // before it everything is a gap
  std::uint32_t live_ = 0;
};

struct Lease {
  std::uint64_t id = 0;
  Consumer* consumer = nullptr;  // nullptr: of a unary receive
  std::string group;             // unary: whose seat it shares
  std::string session_id;        // unary: whose end gives it back
  Duration period{0};            // as given at first; zero: bound to the stream only
  HeldList held;
};

class Ledger {
 public:
  explicit Ledger(std::uint64_t first_lease) : next_lease_(first_lease) {}

  std::uint64_t in_flight() const noexcept { return in_flight_; }
  std::size_t leases() const noexcept { return leases_.size(); }
  // Of what is in flight; nullptr: nothing is. A step for each lease.
  const Parcel* oldest() const noexcept;

  Lease& Open();
  // nullptr: not open.
  Lease* Find(std::uint64_t id);
  // Requires: it holds nothing.
  void Close(Lease& lease);
  // The leases that `wanted` accepts.
  template <class Wanted>
  std::vector<Lease*> Select(Wanted wanted) {
    std::vector<Lease*> selected;
    for (auto& [id, lease] : leases_) {
      if (wanted(lease)) selected.push_back(&lease);
    }
    return selected;
  }

  // A deadline for what is handed out next; only with a message to follow.
  Due* MakeDue(Lease& lease, TimePoint at);
  void Hold(Lease& lease, Parcel parcel, Due* due);

  // Takes what the lease holds in [first, last], oldest first, and gives each to `take(Parcel)`.
  // Returns how many.
  template <class Take>
  std::uint32_t Release(Lease& lease, std::uint64_t first, std::uint64_t last, Take take) {
    std::uint32_t count = 0;
    lease.held.Visit(first, last, [&](HeldList::Held& held) {
      ++count;
      LeaveDue(held);
      --in_flight_;
      take(std::move(held.parcel));
      return true;
    });
    return count;
  }
  // What the lease holds in [first, last] runs out at `at`. Returns how many.
  std::uint32_t Extend(Lease& lease, std::uint64_t first, std::uint64_t last, TimePoint at);

  TimePoint next_due() const noexcept { return dues_.empty() ? kNever : dues_.begin()->first; }
  // Takes what runs out together, first by time: gives each to `take(Lease&, Parcel)`. Returns the
  // lease. Requires: next_due() is not kNever.
  template <class Take>
  Lease& Expire(Take take) {
    const Due due = dues_.begin()->second;
    const Due* identity = &dues_.begin()->second;
    due.lease->held.Visit(due.first, due.last, [&](HeldList::Held& held) {
      if (held.due != identity) return false;
      LeaveDue(held);
      --in_flight_;
      take(*due.lease, std::move(held.parcel));
      return true;
    });
    return *due.lease;
  }

 private:
  void LeaveDue(HeldList::Held& held);

  std::unordered_map<std::uint64_t, Lease> leases_;
  std::multimap<TimePoint, Due> dues_;
  std::uint64_t next_lease_;
  std::uint64_t in_flight_ = 0;
};

}  // namespace sluice::broker
