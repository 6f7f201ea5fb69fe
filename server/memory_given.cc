// SPDX-License-Identifier: Apache-2.0
#include "memory_given.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>

#include "broker/limits.h"

namespace sluice {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
constexpr std::string_view kMount = "/sys/fs/cgroup";

// "max", nothing and nonsense are no limit.
std::uint64_t ReadLimit(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t limit = 0;
  return file >> limit ? limit : kUnlimited;
}

// Of the group and of all around it. Within a container the path may be that of the host: what is
// not there limits nothing, and the root of what is mounted is the container's own.
std::uint64_t LeastUpward(const std::string& mount, std::string group, const char* file) {
  std::uint64_t least = kUnlimited;
  for (;;) {
    while (group.ends_with('/')) group.pop_back();
    least = std::min(least, ReadLimit(mount + group + "/" + file));
    if (group.empty()) return least;
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

bool ListsMemory(const std::string& controllers) {
  std::istringstream list(controllers);
  for (std::string one; std::getline(list, one, ',');) {
    if (one == "memory") return true;
  }
  return false;
}

// A line is "id:controllers:path"; version 2 has no controllers.
std::uint64_t LimitOfGroups(const std::string& root) {
  std::uint64_t least = kUnlimited;
  const std::string mount = root + std::string(kMount);
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      // Beside version 1, version 2 is mounted below.
      least = std::min(least, LeastUpward(mount, group, "memory.max"));
      least = std::min(least, LeastUpward(mount + "/unified", group, "memory.max"));
    } else if (ListsMemory(controllers)) {
      least = std::min(least, LeastUpward(mount + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

// By a system call: it needs no /proc.
std::uint64_t MemoryOfKernel() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return kUnlimited;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
}

// Where a sandbox hides the file, or it tells nothing, the kernel is asked: without either there
// would be no budget at all.
std::uint64_t MemoryOfMachine(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  while (file >> name) {
    if (name == "MemTotal:") return file >> kib ? kib * 1'024 : MemoryOfKernel();
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return MemoryOfKernel();
}

std::uint64_t LimitOfAddresses() {
  rlimit limit{};
  const bool is_limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return is_limited ? std::uint64_t{limit.rlim_cur} : kUnlimited;
}

}  // namespace

std::uint64_t MemoryGiven(const std::string& root) {
  const std::uint64_t least =
      std::min({MemoryOfMachine(root), LimitOfGroups(root), LimitOfAddresses()});
  return least == kUnlimited ? 0 : least;
}

std::uint64_t MemoryBudgetOf(std::uint64_t given) {
  if (given == 0) return broker::kNoMemoryLimit;
  return std::max(given / 10 * 6, broker::kMemoryMaxLeast);
}

}  // namespace sluice
