// SPDX-License-Identifier: Apache-2.0
// How long something took, in buckets: cells of one thread, and the sum of many of them.
//
// Cost: at most as many comparisons as there are buckets, and two stores.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/cell.h"
#include "base/clock.h"

namespace sluice {

// Upper bounds, the value included; what is above the last has a bucket of its own.
inline constexpr std::array<std::chrono::microseconds, 17> kTimeBuckets = {
    std::chrono::microseconds(25),        std::chrono::microseconds(50),
    std::chrono::microseconds(100),       std::chrono::microseconds(250),
    std::chrono::microseconds(500),       std::chrono::microseconds(1'000),
    std::chrono::microseconds(2'500),     std::chrono::microseconds(5'000),
    std::chrono::microseconds(10'000),    std::chrono::microseconds(25'000),
    std::chrono::microseconds(50'000),    std::chrono::microseconds(100'000),
    std::chrono::microseconds(250'000),   std::chrono::microseconds(500'000),
    std::chrono::microseconds(1'000'000), std::chrono::microseconds(2'500'000),
    std::chrono::microseconds(10'000'000)};

struct TimeBuckets {
  std::array<std::uint64_t, kTimeBuckets.size() + 1> counts{};  // each bucket for itself
  double sum_seconds = 0;

  TimeBuckets& operator+=(const TimeBuckets& other);
};

// One thread writes, any reads.
class TimeHistogram {
 public:
  // `count` of them took as long. A negative time counts as none.
  void Observe(Duration time, std::uint64_t count = 1) noexcept {
    if (time < Duration::zero()) time = Duration::zero();
    std::size_t bucket = 0;
    while (bucket < kTimeBuckets.size() && time > kTimeBuckets[bucket]) ++bucket;
    counts_[bucket].Add(count);
    const double seconds = std::chrono::duration<double>(time).count();
    sum_seconds_.store(
        sum_seconds_.load(std::memory_order_relaxed) + seconds * static_cast<double>(count),
        std::memory_order_relaxed);
  }
  TimeBuckets Read() const;

 private:
  std::array<Cell, kTimeBuckets.size() + 1> counts_;
  std::atomic<double> sum_seconds_ = 0;  // an integer of nanoseconds would overflow in hours
};

}  // namespace sluice
