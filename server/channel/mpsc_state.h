// SPDX-License-Identifier: Apache-2.0
// What an mpsc channel *is*, without a lock and without waking anybody: the values in order, the
// room, the line before it, and whether it is closed. Two owners put a lock around it:
// channel::mpsc (typed ends in one process) and broker::Queue (a named queue with leases and
// redelivery), so that the rules of order, room and closing exist once.
//
// Threads: none of its own; the owner's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "channel/slot_line.h"

namespace sluice::channel {

template <class T, class Request>
class MpscState {
 public:
  explicit MpscState(std::size_t slots) : slots_(slots) {}

  SlotLine<Request>& slots() noexcept { return slots_; }
  const SlotLine<Request>& slots() const noexcept { return slots_; }

  bool is_closed() const noexcept { return is_closed_; }
  // Refuses what comes; what was issued before stays valid (M30). Fails nobody: the owner empties
  // the line.
  void Close() noexcept { is_closed_ = true; }
  // Nothing is queued and nothing can come any more (M31, M36).
  bool has_ended(bool senders_gone) const noexcept {
    return values_.empty() && slots_.is_idle() && (is_closed_ || senders_gone);
  }

  // Requires: a slot was issued for it. The position is fixed here, not when the slot was issued
  // (M6); positions count from 1.
  std::uint64_t Push(T&& value) {
    values_.push_back(std::move(value));
    return ++pushed_;
  }

  // Requires: not empty. The slot is returned after the value has left (M46); the owner then serves
  // the line.
  T Pop() {
    T value = std::move(values_.front());
    DropFront();
    return value;
  }
  // The same in two steps, for a value too large to pass over the stack (G12): it is moved out of
  // `front`, and then its slot is returned.
  T& front() noexcept { return values_.front(); }
  void DropFront() noexcept {
    values_.pop_front();
    slots_.Return(1);
  }
  // All values, in order; their slots are returned.
  std::deque<T> PopAll() {
    slots_.Return(values_.size());
    return std::exchange(values_, {});
  }

  bool empty() const noexcept { return values_.empty(); }
  std::size_t size() const noexcept { return values_.size(); }  // permits do not count (M26)
  // In order, oldest first. The position of values()[i] is front_position() + i.
  const std::deque<T>& values() const noexcept { return values_; }
  std::uint64_t front_position() const noexcept { return pushed_ - values_.size() + 1; }
  std::uint64_t next_position() const noexcept { return pushed_ + 1; }

 private:
  SlotLine<Request> slots_;
  std::deque<T> values_;
  std::uint64_t pushed_ = 0;
  bool is_closed_ = false;
};

}  // namespace sluice::channel
