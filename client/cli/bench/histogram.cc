// SPDX-License-Identifier: Apache-2.0
#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::bench {

// Octaves above the first two, which are exact, have 2^kBits buckets each.
Histogram::Histogram() : buckets_((64 - kBits + 1) << kBits) {}

std::size_t Histogram::BucketOf(std::uint64_t ns) {
  const int shift = std::max(static_cast<int>(std::bit_width(ns)) - kBits - 1, 0);
  return (static_cast<std::size_t>(shift) << kBits) + static_cast<std::size_t>(ns >> shift);
}

std::uint64_t Histogram::TopOf(std::size_t bucket) {
  if (bucket < std::size_t{2} << kBits) return bucket;
  const std::size_t shift = (bucket >> kBits) - 1;
  const std::uint64_t place = bucket - (shift << kBits);
  return ((place + 1) << shift) - 1;
}

void Histogram::Record(std::uint64_t ns) {
  ++buckets_[BucketOf(ns)];
  ++count_;
  max_ = std::max(max_, ns);
  sum_ += static_cast<double>(ns);
}

void Histogram::Add(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::uint64_t Histogram::Percentile(double percent) const {
  if (count_ == 0) return 0;
  const double exact = std::ceil(percent / 100 * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact), 1, count_);
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += buckets_[bucket]) < rank) ++bucket;
  return std::min(TopOf(bucket), max_);
}

}  // namespace sluice::bench
