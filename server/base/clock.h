// SPDX-License-Identifier: Apache-2.0
// Time as it is handed to whoever needs it, so that a test can hand in its own.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice {

using Duration = std::chrono::steady_clock::duration;
using TimePoint = std::chrono::steady_clock::time_point;

// No deadline.
inline constexpr TimePoint kNever = TimePoint::max();

// `now + duration`, or kNever where the sum would overflow.
constexpr TimePoint Later(TimePoint now, Duration duration) {
  return duration >= kNever - now ? kNever : now + duration;
}

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic: leases, delays and deadlines are measured with it.
  virtual TimePoint Now() const = 0;
  // Microseconds since 1970 by the wall clock: only shown, never compared.
  virtual std::uint64_t UnixMicros() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint Now() const override;
  std::uint64_t UnixMicros() const override;
};

}  // namespace sluice
