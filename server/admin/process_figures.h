// SPDX-License-Identifier: Apache-2.0
// What the kernel says of this process.
#pragma once

#include <cstdint>

namespace sluice::admin {

struct ProcessFigures {
  double cpu_seconds = 0;
  double started_unix_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

// What cannot be read is 0.
ProcessFigures ReadProcessFigures();

}  // namespace sluice::admin
