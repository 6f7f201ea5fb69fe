// SPDX-License-Identifier: Apache-2.0
// The values of a broadcast ring, without a lock and without waking anybody: which are retained,
// and who still wants each. Positions begin at 0; their arithmetic is broadcast_window.h.
//
// Values leave at the front for one of two reasons: the ring is full, in count or in bytes, and
// they are overwritten; or nobody wants them any more, and they go at once (B20). Each value counts
// the cursors that stand *at* it, not those that still want it: since cursors only move forward,
// nobody wants the front exactly when nobody stands there, and a receiver can go in one step,
// however much it had not read. A cursor whose value was overwritten is counted at the front, where
// it will land. So the front is always wanted, size() is what somebody wants (B21), and a receiver
// is behind exactly when its cursor is below oldest. By count alone oldest is next − N then (B8,
// B27).
//
// Threads: none of its own; the channel's lock guards it.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "channel/broadcast_window.h"

namespace sluice::channel::broadcast {

// A value as all receivers share it; immutable, so that readers need not exclude each other (D9).
template <class T>
using Value = std::shared_ptr<const T>;

// A value and its weight in bytes; 0 where the ring is not bounded in bytes.
template <class T>
struct Weighed {
  Value<T> value;
  std::size_t bytes = 0;
};

// Values that left the ring and nobody took: to be destroyed outside the lock (G6).
template <class T>
using Dead = std::vector<Value<T>>;

template <class T>
class Ring {
 public:
  static constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

  // Holds N values, the smallest power of two not below `count` (B1). Throws std::invalid_argument
  // unless 1 ≤ count ≤ max/2 and bytes_max ≥ 1 (B1, D7).
  Ring(std::size_t count, std::size_t bytes_max)
      : window_(count, 0), bytes_max_(InBounds(bytes_max)) {}

  std::size_t capacity() const noexcept { return window_.capacity(); }  // N
  std::size_t size() const noexcept { return slots_.size(); }           // B21
  Position next() const noexcept { return window_.next(); }
  Position oldest() const noexcept { return window_.oldest(); }

  // Sets a cursor at the end: it wants what comes from now on (B14).
  void Join(Position& cursor) noexcept {
    cursor = next();
    ++at_end_;
  }

  // Takes the cursor away; what it alone wanted dies.
  void Leave(Position cursor, Dead<T>& dead) {
    --StandingAt(cursor < oldest() ? oldest() : cursor);
    while (!slots_.empty() && slots_.front().cursors == 0) PopFront(dead);
  }

  // Requires: there is a cursor. Overwrites the oldest values for which there is no room; the
  // newest one stays, whatever it weighs.
  void Push(Weighed<T> item, Dead<T>& dead) {
    const std::size_t bytes = item.bytes;
    slots_.push_back(Slot{std::move(item), at_end_});
    bytes_ += bytes;
    at_end_ = 0;
    window_.Push();
    while (slots_.size() > capacity() || (bytes_ > bytes_max_ && slots_.size() > 1)) PopFront(dead);
  }

  // Moves a cursor that is behind to the oldest value. Returns by how many it was behind; 0 means
  // it was not, and has not moved (B8, B12).
  Position CatchUp(Position& cursor) const noexcept { return window_.CatchUp(cursor); }

  // Requires: oldest ≤ cursor < next. The value there (B7); the last one to want it takes it away.
  Value<T> Read(Position& cursor) {
    Slot& slot = slots_[cursor - oldest()];
    --slot.cursors;
    ++StandingAt(++cursor);
    if (slots_.front().cursors != 0) return slot.item.value;
    // Only the value just read can have become unwanted.
    bytes_ -= slot.item.bytes;
    Value<T> value = std::move(slot.item.value);
    slots_.pop_front();
    window_.Pop();
    return value;
  }

 private:
  struct Slot {
    Weighed<T> item;
    std::size_t cursors;  // how many stand here
  };

  static std::size_t InBounds(std::size_t bytes_max) {
    if (bytes_max == 0) throw std::invalid_argument("broadcast: capacity out of bounds");
    return bytes_max;
  }

  // Requires: oldest ≤ position ≤ next.
  std::size_t& StandingAt(Position position) {
    return position == next() ? at_end_ : slots_[position - oldest()].cursors;
  }

  void PopFront(Dead<T>& dead) {
    Slot& slot = slots_.front();
    dead.push_back(std::move(slot.item.value));
    bytes_ -= slot.item.bytes;
    StandingAt(oldest() + 1) += slot.cursors;
    slots_.pop_front();
    window_.Pop();
  }

  Window window_;
  const std::size_t bytes_max_;
  std::deque<Slot> slots_;  // [0] is the oldest; grows with what is retained, not with the capacity
  std::size_t bytes_ = 0;   // of all slots_
  std::size_t at_end_ = 0;  // cursors that have read everything
};

}  // namespace sluice::channel::broadcast
