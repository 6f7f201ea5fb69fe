// SPDX-License-Identifier: Apache-2.0
#include "cores.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

namespace sluice {
namespace {

std::uint32_t CoresOfCgroup(std::uint32_t otherwise) {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  std::uint64_t period = 0;
  if (!(file >> quota >> period) || quota == "max" || period == 0) return otherwise;
  const std::uint64_t cores = (std::stoull(quota) + period - 1) / period;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(cores, 1, otherwise));
}

}  // namespace

std::uint32_t CoresGiven() {
  std::uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) {
    cores = std::min(cores, static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&mask))));
  }
  return CoresOfCgroup(cores);
}

}  // namespace sluice
