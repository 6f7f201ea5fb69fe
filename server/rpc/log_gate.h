// SPDX-License-Identifier: Apache-2.0
// Lets one log line through in a while, so that whoever provokes lines cannot fill the log.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace sluice::rpc {

// Thread-safe.
class LogGate {
 public:
  // Nothing: not now. Else how many were held back since the last that was let through.
  std::optional<std::uint64_t> Pass(TimePoint now) noexcept {
    Duration::rep open_at = open_at_.load(std::memory_order_relaxed);
    const Duration::rep at = now.time_since_epoch().count();
    if (at < open_at || !open_at_.compare_exchange_strong(open_at, at + kEvery.count(),
                                                          std::memory_order_relaxed)) {
      held_back_.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    return held_back_.exchange(0, std::memory_order_relaxed);
  }

 private:
  static constexpr Duration kEvery = std::chrono::seconds(10);

  std::atomic<Duration::rep> open_at_ = Duration::min().count();
  std::atomic<std::uint64_t> held_back_ = 0;
};

}  // namespace sluice::rpc
