// SPDX-License-Identifier: Apache-2.0
// How often a page may be made: of the time at most a quarter goes into pages, so that whoever asks
// without end costs the daemon a bounded part of one core, and holds its locks as rarely. A page
// after a rest is made at once, whatever it costs.
//
// Threads    none: the port's own.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace sluice::admin {

class Pace {
 public:
  // Zero: now.
  Duration Wait(TimePoint now) const noexcept { return std::max(Duration::zero(), free_at_ - now); }
  // A page was made from `began` until `now`.
  void Spent(TimePoint began, TimePoint now) noexcept {
    free_at_ = now + kRest * std::max<Duration>(now - began, kLeast);
  }

 private:
  static constexpr int kRest = 3;  // times what was spent
  // What a request costs beside its page.
  static constexpr std::chrono::microseconds kLeast{100};

  TimePoint free_at_{};
};

}  // namespace sluice::admin
