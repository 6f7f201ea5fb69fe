// SPDX-License-Identifier: Apache-2.0
#include "base/time_histogram.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(TimeHistogram, ABoundBelongsToItsBucket) {
  TimeHistogram histogram;
  for (const auto bound : kTimeBuckets) {
    histogram.Observe(bound);
    histogram.Observe(bound + 1ns);
  }
  const TimeBuckets read = histogram.Read();
  EXPECT_EQ(read.counts.front(), 1u);
  for (std::size_t i = 1; i < kTimeBuckets.size(); ++i) EXPECT_EQ(read.counts[i], 2u) << i;
  EXPECT_EQ(read.counts.back(), 1u);
}

TEST(TimeHistogram, ManyOfOneTimeCountEach) {
  TimeHistogram histogram;
  histogram.Observe(2ms, 1'000);
  histogram.Observe(-5s);
  const TimeBuckets read = histogram.Read();
  EXPECT_EQ(read.counts[6], 1'000u);
  EXPECT_EQ(read.counts[0], 1u) << "a negative time is none";
  EXPECT_DOUBLE_EQ(read.sum_seconds, 2);
  TimeBuckets sum = read;
  sum += read;
  EXPECT_EQ(sum.counts[6], 2'000u);
  EXPECT_DOUBLE_EQ(sum.sum_seconds, 4);
}

// Five million messages that waited an hour: more nanoseconds than an integer has.
TEST(TimeHistogram, TheSumOfAgesDoesNotOverflow) {
  TimeHistogram histogram;
  for (int i = 0; i < 10; ++i) histogram.Observe(1h, 1'000'000);
  EXPECT_DOUBLE_EQ(histogram.Read().sum_seconds, 3.6e10);
}

TEST(Cell, NeverGoesBackForAReader) {
  constexpr std::uint64_t kMost = 1'000'000;
  Cell cell;
  std::thread writer([&cell] {
    for (std::uint64_t i = 0; i < kMost; ++i) cell.Add();
  });
  std::uint64_t last = 0;
  while (last < kMost) {
    const std::uint64_t now = cell.get();
    ASSERT_GE(now, last);
    last = now;
  }
  writer.join();
}

}  // namespace
}  // namespace sluice
