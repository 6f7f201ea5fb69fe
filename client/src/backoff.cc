// SPDX-License-Identifier: Apache-2.0
#include "backoff.h"

#include <algorithm>
#include <random>
#include <string>

namespace sluice {
inline namespace abi1 {
namespace {

using std::chrono::milliseconds;

std::function<double()> SystemRandom() {
  return [engine = std::mt19937_64(std::random_device()())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

Status Refuse(const char* field, const std::string& value, const char* why) {
  return Status(Code::kInvalidArgument, "BAD_OPTION", std::string(field) + " " + why,
                {{"field", field}, {"value", value}});
}

}  // namespace

Status Check(const ReconnectOptions& options) {
  if (options.base.count() <= 0) {
    return Refuse("reconnect.base", std::to_string(options.base.count()), "must be above 0");
  }
  if (!(options.factor >= 1)) {
    return Refuse("reconnect.factor", std::to_string(options.factor), "must be at least 1");
  }
  if (options.cap < options.base) {
    return Refuse("reconnect.cap", std::to_string(options.cap.count()), "must be at least base");
  }
  return Status();
}

Backoff::Backoff(const ReconnectOptions& options)
    : base_(options.base),
      factor_(options.factor),
      cap_(options.cap),
      random_(options.random ? options.random : SystemRandom()) {
  Reset();
}

milliseconds Backoff::Next(milliseconds asked) {
  const double drawn = std::clamp(random_(), 0.0, 1.0) * bound_ms_;
  bound_ms_ = std::min(bound_ms_ * factor_, static_cast<double>(cap_.count()));
  return asked + milliseconds(static_cast<milliseconds::rep>(drawn));
}

void Backoff::Reset() { bound_ms_ = static_cast<double>(base_.count()); }

}  // namespace abi1
}  // namespace sluice
