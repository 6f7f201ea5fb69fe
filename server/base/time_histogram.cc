// SPDX-License-Identifier: Apache-2.0
#include "base/time_histogram.h"

namespace sluice {

TimeBuckets& TimeBuckets::operator+=(const TimeBuckets& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum_seconds += other.sum_seconds;
  return *this;
}

TimeBuckets TimeHistogram::Read() const {
  TimeBuckets buckets;
  for (std::size_t i = 0; i < counts_.size(); ++i) buckets.counts[i] = counts_[i].get();
  buckets.sum_seconds = sum_seconds_.load(std::memory_order_relaxed);
  return buckets;
}

}  // namespace sluice
