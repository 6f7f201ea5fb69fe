// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(Clock, LaterAdds) {
  const TimePoint now{milliseconds(5)};
  EXPECT_EQ(Later(now, milliseconds(7)), TimePoint(milliseconds(12)));
  EXPECT_EQ(Later(now, Duration::zero()), now);
  EXPECT_EQ(Later(now, milliseconds(-2)), TimePoint(milliseconds(3)));
}

TEST(Clock, LaterNeverOverflows) {
  const TimePoint now{hours(24)};
  EXPECT_EQ(Later(now, Duration::max()), kNever);
  EXPECT_EQ(Later(kNever, Duration::zero()), kNever);
  EXPECT_EQ(Later(kNever, hours(1)), kNever);
  EXPECT_EQ(Later(kNever, Duration::max()), kNever);
  // The last instant that is not never, and the first that is.
  EXPECT_LT(Later(now, kNever - now - nanoseconds(1)), kNever);
  EXPECT_EQ(Later(now, kNever - now), kNever);
}

TEST(Clock, SystemClockIsMonotonicAndKnowsTheYear) {
  const SystemClock clock;
  const TimePoint first = clock.Now();
  EXPECT_LE(first, clock.Now());
  // 2020 in microseconds; in seconds or milliseconds the number would be far below.
  EXPECT_GT(clock.UnixMicros(), std::uint64_t{1'577'836'800'000'000});
  EXPECT_LT(clock.UnixMicros(), std::uint64_t{1} << 53);
}

TEST(Clock, ManualClockStandsUntilItIsMoved) {
  testing::ManualClock clock;
  const TimePoint begin = clock.Now();
  const std::uint64_t begin_us = clock.UnixMicros();
  EXPECT_EQ(clock.Now(), begin);
  clock.Advance(milliseconds(3));
  EXPECT_EQ(clock.Now(), begin + milliseconds(3));
  EXPECT_EQ(clock.UnixMicros(), begin_us + 3'000);
}

}  // namespace
}  // namespace sluice
