// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next attempt: full jitter, that is anything between 0 and a bound
// that grows with each attempt. Pure; its owner's thread alone.
#pragma once

#include <chrono>
#include <functional>

#include "sluice/stream_state.h"

namespace sluice {
inline namespace abi1 {

// OK, or BAD_OPTION with the field.
Status Check(const ReconnectOptions& options);

class Backoff {
 public:
  // Requires: checked.
  explicit Backoff(const ReconnectOptions& options);

  // The delay before the next attempt, `asked` (the daemon's RetryInfo; 0: none) at least.
  std::chrono::milliseconds Next(std::chrono::milliseconds asked);
  // The next delay is drawn from the smallest bound again.
  void Reset();

 private:
  const std::chrono::milliseconds base_;
  const double factor_;
  const std::chrono::milliseconds cap_;
  std::function<double()> random_;
  double bound_ms_;
};

}  // namespace abi1
}  // namespace sluice
