// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

namespace sluice {

TimePoint SystemClock::Now() const { return std::chrono::steady_clock::now(); }

std::uint64_t SystemClock::UnixMicros() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count());
}

}  // namespace sluice
