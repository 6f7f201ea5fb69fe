// SPDX-License-Identifier: Apache-2.0
// Rounds by hand, with a clock that stands where the test put it: a round then waits for nothing.
#include "pulse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "tests/support/manual_clock.h"

namespace sluice {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr seconds kPeriod{5};

class PulseTest : public ::testing::Test {
 protected:
  PulseTest() {
    liveness_.SetStage(Liveness::Stage::kServing);
    parts_.period = kPeriod;
    parts_.workers = 2;
    parts_.ask_workers = [this](auto answer) {
      for (std::uint32_t i = 0; i < 2; ++i) {
        if (!is_hanging_[i]) answer(i);
      }
    };
    parts_.check = [this](TimePoint deadline) {
      EXPECT_EQ(deadline, clock_.Now() + kPeriod);
      clock_.Advance(takes_);
      return answer_;
    };
    parts_.feed = [this] { ++fed_; };
  }
  void Rounds(int count) {
    Pulse pulse(parts_, clock_, liveness_);
    for (int i = 0; i < count; ++i) pulse.Round();
  }

  testing::ManualClock clock_;
  Liveness liveness_;
  PulseParts parts_;
  std::vector<bool> is_hanging_ = {false, false};
  Duration takes_{0};
  Status answer_;
  int fed_ = 0;
};

Status NoAnswer() { return Status(Code::kUnavailable, "NO_ANSWER", "no answer on 127.0.0.1:1"); }

TEST_F(PulseTest, FeedsTheWatchdogWhileEverybodyAnswers) {
  takes_ = std::chrono::microseconds(250);
  Rounds(10);
  EXPECT_EQ(fed_, 10);
  EXPECT_TRUE(liveness_.is_ready());
  EXPECT_EQ(liveness_.counts().rounds, 10u);
  EXPECT_EQ(liveness_.counts().missed, 0u);
  EXPECT_EQ(liveness_.counts().answer_us, 250u);
}

TEST_F(PulseTest, AnAnswerThatDoesNotComeIsAMiss) {
  answer_ = NoAnswer();
  Rounds(2);
  EXPECT_TRUE(liveness_.is_alive());
  Rounds(8);
  EXPECT_FALSE(liveness_.is_alive());
  EXPECT_THAT(liveness_.why_not_alive(), HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(fed_, 3);  // in the rounds that began alive
  answer_ = Status();
  Rounds(2);
  EXPECT_TRUE(liveness_.is_alive());
  EXPECT_EQ(fed_, 4);
}

// The network's answer alone would come from the other workers.
TEST_F(PulseTest, AWorkerThatHangsIsAMiss) {
  is_hanging_[1] = true;
  Rounds(3);
  EXPECT_FALSE(liveness_.is_alive());
  EXPECT_THAT(liveness_.why_not_alive(), HasSubstr("worker 1"));
}

TEST_F(PulseTest, WithoutAProbeTheWorkersAreJudged) {
  parts_.check = nullptr;
  Rounds(3);
  EXPECT_EQ(liveness_.counts().rounds, 3u);
  EXPECT_TRUE(liveness_.is_alive());
  is_hanging_[0] = true;
  Rounds(3);
  EXPECT_FALSE(liveness_.is_alive());
}

TEST_F(PulseTest, WhoCannotAskKnowsNothing) {
  answer_ = Status(Code::kResourceExhausted, "CANNOT_ASK", "no file descriptor is left");
  Rounds(10);
  EXPECT_TRUE(liveness_.is_alive());
  EXPECT_EQ(liveness_.counts().void_rounds, 10u);
  EXPECT_EQ(fed_, 10);
  is_hanging_[0] = true;  // which needs no descriptor to be seen
  Rounds(3);
  EXPECT_FALSE(liveness_.is_alive());
}

// Stopped (SIGSTOP, a paused machine) in the middle of round after round: when it goes on, the
// answer is too late, and nobody is to blame.
TEST_F(PulseTest, ASuspendedProcessIsNotJudged) {
  answer_ = NoAnswer();
  is_hanging_ = {true, true};
  takes_ = 2 * kPeriod + std::chrono::milliseconds(1);
  Rounds(10);
  EXPECT_TRUE(liveness_.is_alive());
  EXPECT_EQ(liveness_.counts().rounds, 0u);
  EXPECT_EQ(liveness_.counts().void_rounds, 10u);
  EXPECT_EQ(fed_, 10);
  takes_ = 2 * kPeriod;  // late, but there
  Rounds(3);
  EXPECT_FALSE(liveness_.is_alive());
}

TEST_F(PulseTest, StopsInTheMiddleOfARound) {
  SystemClock clock;
  parts_.period = std::chrono::hours(1);
  parts_.check = nullptr;
  bool was_cancelled = false;
  parts_.cancel_check = [&was_cancelled] { was_cancelled = true; };
  Pulse pulse(parts_, clock, liveness_);
  pulse.Start();
  pulse.Stop();
  EXPECT_TRUE(was_cancelled);
  EXPECT_EQ(liveness_.counts().rounds, 0u);  // it was cut short
}

}  // namespace
}  // namespace sluice
