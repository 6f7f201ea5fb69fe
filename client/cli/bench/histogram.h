// SPDX-License-Identifier: Apache-2.0
// Durations by size, in nanoseconds: buckets of one 256th of their octave, so that a percentile is
// at most 0.4 % above the true one; below 512 ns, and the greatest, exact. Written here because the
// distribution that this is built on has no library for it. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::bench {

class Histogram {
 public:
  Histogram();

  void Record(std::uint64_t ns);
  void Add(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  double mean() const;
  // The least duration that `percent` of all do not exceed, rounded up to its bucket; 0 if empty.
  std::uint64_t Percentile(double percent) const;

 private:
  static constexpr int kBits = 8;
  static std::size_t BucketOf(std::uint64_t ns);
  static std::uint64_t TopOf(std::size_t bucket);

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace sluice::bench
