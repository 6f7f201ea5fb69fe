// SPDX-License-Identifier: Apache-2.0
// Which positions a broadcast retains, and by how many a slow receiver is behind: the arithmetic of
// B1, B8, B9 and B12, without the values.
//
//   position   the number of a value, rising by one in the order of acceptance (B3)
//   next       the position the next value will get
//   oldest     the position of the oldest value retained; next, if none is
//   cursor     a receiver's: the position of the next value it wants
//
// Two owners keep values by it: channel::broadcast, which lets go of what everybody has read (B20),
// and broker::Topic, which retains for those who come back (N31).
//
// Threads: none of its own; the owner's lock guards it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

namespace sluice::channel::broadcast {

using Position = std::uint64_t;

class Window {
 public:
  // Holds N positions, the smallest power of two not below `count` (B1), beginning at `first`.
  // Throws std::invalid_argument unless 1 ≤ count ≤ max/2 (B1, D7).
  Window(std::size_t count, Position first)
      : capacity_(std::bit_ceil(InBounds(count))), oldest_(first), next_(first) {}

  std::size_t capacity() const noexcept { return capacity_; }  // N
  std::size_t size() const noexcept { return static_cast<std::size_t>(next_ - oldest_); }
  Position next() const noexcept { return next_; }
  Position oldest() const noexcept { return oldest_; }

  void Push() noexcept { ++next_; }
  void Pop() noexcept { ++oldest_; }  // requires size() > 0

  // Moves a cursor that is behind to the oldest value. Returns by how many it was behind; 0 means
  // it was not, and has not moved (B8, B12).
  Position CatchUp(Position& cursor) const noexcept {
    if (cursor >= oldest_) return 0;
    return oldest_ - std::exchange(cursor, oldest_);
  }

 private:
  static std::size_t InBounds(std::size_t count) {
    if (count == 0 || count > std::numeric_limits<std::size_t>::max() / 2) {
      throw std::invalid_argument("broadcast: capacity out of bounds");
    }
    return count;
  }

  const std::size_t capacity_;
  Position oldest_;
  Position next_;
};

}  // namespace sluice::channel::broadcast
