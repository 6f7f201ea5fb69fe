// SPDX-License-Identifier: Apache-2.0
#include "pace.h"

#include <chrono>

namespace sluice::bench {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

std::uint64_t NowNs() {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(Clock::now().time_since_epoch()).count());
}

void Halt::Raise() {
  std::lock_guard lock(mutex_);
  is_raised_ = true;
  raised_cv_.notify_all();
}

bool Halt::WaitUntil(std::uint64_t at_ns) {
  const Clock::time_point at{std::chrono::nanoseconds(at_ns)};
  std::unique_lock lock(mutex_);
  return raised_cv_.wait_until(lock, at, [this] { return is_raised(); });
}

std::uint64_t Pace::DueNs(std::uint64_t sequence) const {
  // Producers take turns, so that all of them together keep the rate evenly.
  const std::uint64_t batch = sequence / plan_.batch * plan_.producers + plan_.producer;
  const double seconds = static_cast<double>(batch * plan_.batch) / plan_.rate;
  return plan_.begin_ns + static_cast<std::uint64_t>(seconds * 1e9);
}

bool Pace::Next() {
  if (plan_.messages > 0 && next_ == plan_.messages) return false;
  const auto duration = static_cast<std::uint64_t>(plan_.duration_s * 1e9);
  const std::uint64_t end_ns = duration == 0 ? UINT64_MAX : plan_.begin_ns + duration;
  const std::uint64_t now = NowNs();
  intended_ns_ = plan_.rate > 0 ? DueNs(next_) : now;
  if (intended_ns_ >= end_ns) return false;  // What is overdue by then is still sent.
  if (intended_ns_ > now ? halt_.WaitUntil(intended_ns_) : halt_.is_raised()) return false;
  ++next_;
  return true;
}

}  // namespace sluice::bench
