// SPDX-License-Identifier: Apache-2.0
#include "cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <thread>

namespace sluice {
namespace {

TEST(Cores, AtLeastOneAndNoMoreThanTheMachineHas) {
  EXPECT_GE(CoresGiven(), 1u);
  EXPECT_LE(CoresGiven(), std::max(1u, std::thread::hardware_concurrency()));
}

TEST(Cores, FollowsTheAffinityMask) {
  std::uint32_t cores = 0;
  // The mask belongs to the thread, so that of the test stays as it is.
  std::thread narrowed([&cores] {
    cpu_set_t given;
    ASSERT_EQ(sched_getaffinity(0, sizeof(given), &given), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &given)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    cores = CoresGiven();
  });
  narrowed.join();
  EXPECT_EQ(cores, 1u);
}

}  // namespace
}  // namespace sluice
