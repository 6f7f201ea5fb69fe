// SPDX-License-Identifier: Apache-2.0
// How many cores this process may use.
#pragma once

#include <cstdint>

namespace sluice {

// The least of the machine's cores, the affinity mask and the cgroup's quota (rounded up); at
// least 1. std::thread::hardware_concurrency does not know of the quota.
std::uint32_t CoresGiven();

}  // namespace sluice
