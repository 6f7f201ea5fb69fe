// SPDX-License-Identifier: Apache-2.0
// The end of a process that does not end, in processes of their own. Clauses: N41
#include "last_resort.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

sigset_t Blocked() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void SignalOurselves() { kill(getpid(), SIGTERM); }

class LastResortTest : public ::testing::Test {
 protected:
  // The process is begun anew for each statement: this one has threads.
  LastResortTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  SystemClock clock_;
};
using LastResortDeathTest = LastResortTest;

TEST_F(LastResortTest, ADrainThatEndsIsLeftAlone) {
  LastResort last_resort(Blocked(), hours(1), clock_);
  EXPECT_FALSE(last_resort.Pause(milliseconds(1)));
}

TEST_F(LastResortTest, ItNeedsNoDescriptor) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  {
    LastResort last_resort(Blocked(), hours(1), clock_);
    SignalOurselves();
    EXPECT_TRUE(last_resort.Pause(hours(1)));
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(LastResortTest, ASecondSignalIsImpatience) {
  LastResort last_resort(Blocked(), hours(1), clock_);
  SignalOurselves();
  EXPECT_TRUE(last_resort.Pause(hours(1)));
  EXPECT_TRUE(last_resort.Pause(hours(1)));  // and remains it
}

TEST_F(LastResortDeathTest, ADrainThatHangsIsEndedWithTheProcess) {
  EXPECT_EXIT(
      {
        LastResort last_resort(Blocked(), milliseconds(1), clock_);
        pause();
      },
      ::testing::ExitedWithCode(LastResort::kExitCode), "^sluiced: the drain does not end");
}

TEST_F(LastResortDeathTest, AThirdSignalEndsAtOnce) {
  EXPECT_EXIT(
      {
        LastResort last_resort(Blocked(), hours(1), clock_);
        SignalOurselves();
        last_resort.Pause(hours(1));
        SignalOurselves();
        pause();
      },
      ::testing::ExitedWithCode(LastResort::kExitCode), "^sluiced: .*third time");
}

}  // namespace
}  // namespace sluice
