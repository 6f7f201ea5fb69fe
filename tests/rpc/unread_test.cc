// SPDX-License-Identifier: Apache-2.0
#include "rpc/unread.h"

#include <gtest/gtest.h>

namespace sluice::rpc {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kMiB = 1u << 20;

class UnreadTest : public ::testing::Test {
 protected:
  // A look after so long, during which the daemon worked as long.
  bool Look(milliseconds after) { return Look(after, after); }
  bool Look(milliseconds after, milliseconds worked) {
    now_ += after;
    worked_ += worked;
    return judge_.Look(traffic_, taken_, now_, worked_);
  }
  // Whether it is taken for a hoard within five seconds.
  bool IsHoard() {
    for (int i = 0; i < 100; ++i) {
      if (Look(milliseconds(50))) return true;
    }
    return false;
  }

  Traffic traffic_;
  UnreadJudge judge_;
  std::uint64_t taken_ = 0;
  TimePoint now_{};
  Duration worked_{};
};

TEST_F(UnreadTest, BytesOfNoCallAreAHoard) {
  taken_ = 5 * kMiB;
  EXPECT_FALSE(Look(milliseconds(50)));
  EXPECT_TRUE(judge_.is_suspicious());
  EXPECT_FALSE(Look(milliseconds(199)));
  EXPECT_TRUE(Look(milliseconds(1)));
}

// A thousand messages of 64 KiB, taken at once.
TEST_F(UnreadTest, LargeMessagesMayTakeLonger) {
  taken_ = 64 * kMiB;
  EXPECT_FALSE(Look(milliseconds(50)));
  EXPECT_FALSE(Look(milliseconds(75 + 4 * 64 - 1)));
  EXPECT_TRUE(Look(milliseconds(1)));
}

TEST_F(UnreadTest, ABurstMayWait) {
  taken_ = 4 * kMiB;
  EXPECT_FALSE(IsHoard());
  EXPECT_FALSE(judge_.is_suspicious());
}

// Pings each way, each ten seconds for a year, and nothing else.
TEST_F(UnreadTest, PingsOverAYearAreNoHoard) {
  for (int hour = 0; hour < 365 * 24; ++hour) {
    taken_ += 360 * 2 * 17;
    ASSERT_FALSE(Look(std::chrono::hours(1))) << hour;
    ASSERT_FALSE(judge_.is_suspicious()) << hour;
  }
}

// A daemon that does not get to run cannot begin calls.
TEST_F(UnreadTest, NobodyIsBlamedByADaemonThatIsStarved) {
  taken_ = 50 * kMiB;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(Look(milliseconds(50), milliseconds(0)));
  EXPECT_TRUE(IsHoard());
}

// One that has nothing else to do does not work, and must not keep a hoard for ever.
TEST_F(UnreadTest, AnIdleDaemonKeepsNoHoard) {
  taken_ = 50 * kMiB;
  int looks = 0;
  while (!Look(milliseconds(50), milliseconds(0))) ASSERT_LT(++looks, 1'000);
  EXPECT_GT(looks, 500);
}

TEST_F(UnreadTest, TooMuchIsTooMuchAtOnce) {
  taken_ = 101 * kMiB;
  EXPECT_TRUE(Look(milliseconds(0)));
}

TEST_F(UnreadTest, NobodyIsBlamedWhoseCallsBegin) {
  taken_ = 50 * kMiB;
  for (int i = 0; i < 40; ++i) {
    EXPECT_FALSE(Look(milliseconds(100)));
    traffic_.Began(100);
    traffic_.Ended();
    taken_ += 6 * kMiB;  // more than an ended call is forgiven
  }
}

TEST_F(UnreadTest, WhatIsReadIsKnown) {
  for (int i = 0; i < 1'000; ++i) {
    taken_ += kMiB;
    traffic_.Read(kMiB);
    EXPECT_FALSE(Look(milliseconds(50)));
  }
  EXPECT_FALSE(judge_.is_suspicious());
}

// Credit is not saved up: long honesty hides nothing.
TEST_F(UnreadTest, WhatWasReadDoesNotExcuseWhatIsNot) {
  traffic_.Read(1'000 * kMiB);
  EXPECT_FALSE(Look(milliseconds(50)));
  taken_ = 5 * kMiB;
  EXPECT_TRUE(IsHoard());
}

// Streams that nobody reads because their queues are full, each up to its window.
TEST_F(UnreadTest, AnOpenCallMayLeaveItsWindowUnread) {
  for (int i = 0; i < 100; ++i) traffic_.Began(100);
  taken_ = 500 * kMiB;
  EXPECT_FALSE(IsHoard());
  taken_ = 530 * kMiB;
  EXPECT_TRUE(IsHoard());
}

// A message that says it is 4 GiB, and is: gRPC would collect it.
TEST_F(UnreadTest, AMessageWithoutEndIsAHoard) {
  traffic_.Began(100);
  taken_ = 20 * kMiB;
  EXPECT_FALSE(IsHoard());
  taken_ = 30 * kMiB;
  EXPECT_TRUE(IsHoard());
}

TEST_F(UnreadTest, WhatComesForACallThatEndedIsForgivenForAWhile) {
  traffic_.Began(100);
  traffic_.Ended();
  taken_ = 8 * kMiB;
  EXPECT_FALSE(IsHoard());
  taken_ += 5 * kMiB;
  EXPECT_TRUE(IsHoard());
}

}  // namespace
}  // namespace sluice::rpc
