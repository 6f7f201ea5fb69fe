// SPDX-License-Identifier: Apache-2.0
// A clock that stands still until a test moves it. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace sluice::testing {

class ManualClock final : public Clock {
 public:
  TimePoint Now() const override { return TimePoint(Duration(now_.load())); }
  std::uint64_t UnixMicros() const override {
    return kStartUnixMicros +
           static_cast<std::uint64_t>(
               std::chrono::duration_cast<std::chrono::microseconds>(Duration(now_.load()))
                   .count());
  }
  void Advance(Duration by) { now_.fetch_add(by.count()); }

 private:
  static constexpr std::uint64_t kStartUnixMicros = 1'700'000'000'000'000;
  std::atomic<Duration::rep> now_{1'000'000'000};
};

}  // namespace sluice::testing
