// SPDX-License-Identifier: Apache-2.0
#include "sluice/outcome.h"

#include <array>
#include <cstddef>
#include <string_view>

#include "sluice/queue_spec.h"

namespace sluice {
inline namespace abi1 {
namespace {

template <std::size_t kSize, class Enum>
std::string NameIn(const std::array<std::string_view, kSize>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < kSize ? std::string(names[index]) : std::to_string(index);
}

}  // namespace

std::string ToString(Outcome outcome) {
  static constexpr std::array<std::string_view, 17> kNames = {
      "UNSPECIFIED",    "OK",           "FULL",           "EMPTY",           "CLOSED", "TIMED_OUT",
      "NO_SUBSCRIBERS", "NO_RESPONDER", "RESPONDER_GONE", "CONFLICT",        "ABSENT", "STALE",
      "ALREADY_DONE",   "UNKNOWN_CALL", "FAILED",         "REPLY_TOO_LARGE", "UNKNOWN"};
  return NameIn(kNames, outcome);
}

std::string ToString(ClosedReason reason) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "UNSPECIFIED", "REQUESTED", "DELETED",  "PRODUCERS_GONE", "SHUTTING_DOWN",
      "SUPERSEDED",  "LAGGED",    "FINISHED", "LIMIT"};
  return NameIn(kNames, reason);
}

std::string ToString(Durability durability) {
  static constexpr std::array<std::string_view, 4> kNames = {"UNSPECIFIED", "MEMORY", "OS", "DISK"};
  return NameIn(kNames, durability);
}

std::string ToString(QueueState state) {
  static constexpr std::array<std::string_view, 4> kNames = {"UNSPECIFIED", "OPEN", "CLOSED",
                                                             "ENDED"};
  return NameIn(kNames, state);
}

std::string ToString(Lifetime lifetime) {
  static constexpr std::array<std::string_view, 3> kNames = {"UNSPECIFIED", "STANDING", "TIED"};
  return NameIn(kNames, lifetime);
}

std::string ToString(const StreamEnd& end) {
  switch (end.kind) {
    case StreamEnd::Kind::kClosed:
      return "closed: " + ToString(end.reason);
    case StreamEnd::Kind::kSuperseded:
      return "superseded, fence " + std::to_string(end.fence);
    case StreamEnd::Kind::kLost:
      return "lost: " + end.status.ToString();
  }
  return "lost";
}

}  // namespace abi1
}  // namespace sluice
