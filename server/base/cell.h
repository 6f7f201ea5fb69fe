// SPDX-License-Identifier: Apache-2.0
// A figure that one thread writes and any reads: adding is a load and a store, and no bus is
// locked.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

class Cell {
 public:
  // The owning thread only.
  void Add(std::uint64_t count = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  // Any thread. Never less than what the same reader saw before.
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace sluice
