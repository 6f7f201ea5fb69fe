// SPDX-License-Identifier: Apache-2.0
// Our deadlines in gRPC's words.
#pragma once

#include <grpc/support/time.h>

#include <chrono>

#include "sluice/deadline.h"

namespace sluice {
inline namespace abi1 {

inline gpr_timespec ToGrpc(const Deadline& deadline) {
  if (deadline.is_never()) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
      deadline.at() - std::chrono::steady_clock::now());
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(left.count(), GPR_TIMESPAN));
}

}  // namespace abi1
}  // namespace sluice
