// SPDX-License-Identifier: Apache-2.0
/// Until when a call may take: a point in time, a duration from now, or never. Monotonic.
#pragma once

#include <chrono>

namespace sluice {
inline namespace abi1 {

class Deadline {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// From now on. A negative duration is already over; one beyond a century is never.
  template <class Rep, class Period>
  Deadline(std::chrono::duration<Rep, Period> timeout)
      : at_(IsEndless(timeout)
                ? TimePoint::max()
                : std::chrono::steady_clock::now() +
                      (timeout < timeout.zero()
                           ? std::chrono::steady_clock::duration::zero()
                           : std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                 timeout))) {}
  Deadline(TimePoint at) : at_(at) {}

  static Deadline Never() { return Deadline(TimePoint::max()); }

  bool is_never() const { return at_ == TimePoint::max(); }
  bool has_passed() const { return std::chrono::steady_clock::now() >= at_; }
  TimePoint at() const { return at_; }

 private:
  // Compared in floating point: whole ticks of one unit may not fit into those of another.
  template <class Rep, class Period>
  static bool IsEndless(std::chrono::duration<Rep, Period> timeout) {
    return std::chrono::duration<double>(timeout) > std::chrono::hours(24 * 365 * 100);
  }

  TimePoint at_;
};

}  // namespace abi1
}  // namespace sluice
