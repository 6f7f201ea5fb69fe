// SPDX-License-Identifier: Apache-2.0
#include "memory_given.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "broker/limits.h"

namespace sluice {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// A machine of 8 GiB, as far as these files tell.
class MemoryGivenTest : public ::testing::Test {
 protected:
  MemoryGivenTest() { Write("/proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1024 kB\n"); }
  ~MemoryGivenTest() override { std::filesystem::remove_all(root); }

  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }

  const std::string root = ::testing::TempDir() + "memory_given_" +
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(MemoryGivenTest, TheMachineWhereNothingLimits) {
  EXPECT_EQ(MemoryGiven(root), 8'192 * kMiB);
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(MemoryGiven(root), 8'192 * kMiB);
}

TEST_F(MemoryGivenTest, TheLeastOfTheGroupAndThoseAround) {
  Write("/proc/self/cgroup", "0::/system.slice/sluiced.service\n");
  Write("/sys/fs/cgroup/system.slice/sluiced.service/memory.max", "1073741824\n");
  EXPECT_EQ(MemoryGiven(root), 1'024 * kMiB);
  Write("/sys/fs/cgroup/system.slice/memory.max", "536870912\n");
  EXPECT_EQ(MemoryGiven(root), 512 * kMiB);
}

TEST_F(MemoryGivenTest, AContainerSeesItsOwnGroupAsTheRoot) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/memory.max", "268435456\n");
  EXPECT_EQ(MemoryGiven(root), 256 * kMiB);
  // Or it is told the host's path, of which nothing is mounted.
  Write("/proc/self/cgroup", "0::/docker/0123\n");
  EXPECT_EQ(MemoryGiven(root), 256 * kMiB);
}

TEST_F(MemoryGivenTest, VersionOne) {
  Write("/proc/self/cgroup", "4:cpu,cpuacct:/a\n3:hugetlb,memory:/a/b\n0::/\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(MemoryGiven(root), 8'192 * kMiB);
  Write("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "134217728\n");
  EXPECT_EQ(MemoryGiven(root), 128 * kMiB);
  Write("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "67108864\n");
  EXPECT_EQ(MemoryGiven(root), 64 * kMiB);
}

TEST_F(MemoryGivenTest, TheAddressSpace) {
  // More than sanitizers map, on a machine that has still more.
  constexpr std::uint64_t kNarrow = std::uint64_t{1} << 48;
  Write("/proc/meminfo", "MemTotal: 1099511627776 kB\n");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit narrow = before;
  narrow.rlim_cur = kNarrow;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &narrow), 0);
  EXPECT_EQ(MemoryGiven(root), kNarrow);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
}

// As in a sandbox that shows processes and nothing else of /proc.
TEST_F(MemoryGivenTest, WithoutMeminfoTheKernelSaysIt) {
  const auto machine = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(MemoryGiven(root + "/nowhere"), machine);
  Write("/proc/meminfo", "nonsense\n");
  EXPECT_EQ(MemoryGiven(root), machine);
  Write("/proc/meminfo", "MemTotal: much\n");
  EXPECT_EQ(MemoryGiven(root), machine);
}

TEST_F(MemoryGivenTest, WithoutMeminfoTheGroupLimits) {
  std::filesystem::remove(root + "/proc/meminfo");
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/memory.max", "16777216\n");
  EXPECT_EQ(MemoryGiven(root), 16 * kMiB);
}

TEST_F(MemoryGivenTest, NothingKnownIsNoLimit) {
  EXPECT_EQ(MemoryBudgetOf(0), broker::kNoMemoryLimit);
}

TEST_F(MemoryGivenTest, ChannelsMayHaveThreeFifths) {
  EXPECT_EQ(MemoryBudgetOf(1'000), broker::kMemoryMaxLeast);
  EXPECT_EQ(MemoryBudgetOf(1'000'000'000), 600'000'000u);
}

TEST(MemoryGivenHere, IsNoMoreThanTheMachineHas) { EXPECT_GT(MemoryGiven(), 16 * kMiB); }

}  // namespace
}  // namespace sluice
