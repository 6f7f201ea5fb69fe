// SPDX-License-Identifier: Apache-2.0
// How much memory this process may use.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

// The least, in bytes, of the machine's memory, the limits of the process's control group and of
// those around it (versions 2 and 1; swap does not count), and RLIMIT_AS. The machine's memory is
// that of /proc/meminfo, or what the kernel says where that cannot be read. 0: nothing of it is
// known. Files are read below `root`: the tests'.
std::uint64_t MemoryGiven(const std::string& root = "");

// What the daemon's channels may retain, when it is given so much: 60 %, at least what one frame
// needs. The rest is for connections, frames on their way, and the program.
std::uint64_t MemoryBudgetOf(std::uint64_t given);

}  // namespace sluice
