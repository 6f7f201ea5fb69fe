// SPDX-License-Identifier: Apache-2.0
#include "base/time_histogram.h"

namespace sluice {

TimeBuckets& TimeBuckets::operator+=(const TimeBuckets& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum_ns += other.sum_ns;
  return *this;
}

TimeBuckets TimeHistogram::Read() const {
  TimeBuckets buckets;
  for (std::size_t i = 0; i < counts_.size(); ++i) buckets.counts[i] = counts_[i].get();
  buckets.sum_ns = sum_ns_.get();
  return buckets;
}

}  // namespace sluice
