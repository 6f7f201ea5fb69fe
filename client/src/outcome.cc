// SPDX-License-Identifier: Apache-2.0
#include "sluice/outcome.h"

#include <array>
#include <cstddef>
#include <string_view>

#include "sluice/client_options.h"
#include "sluice/queue_spec.h"
#include "sluice/responder_spec.h"
#include "sluice/stream_state.h"
#include "sluice/subscriber.h"
#include "sluice/topic_spec.h"

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

std::string ToString(FullReason reason) {
  static constexpr std::array<std::string_view, 2> kNames = {"UNSPECIFIED", "SERVER_MEMORY"};
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

std::string ToString(ResponderState state) {
  static constexpr std::array<std::string_view, 4> kNames = {"UNSPECIFIED", "OPEN", "CLOSED",
                                                             "ENDED"};
  return NameIn(kNames, state);
}

std::string ToString(Lifetime lifetime) {
  static constexpr std::array<std::string_view, 3> kNames = {"UNSPECIFIED", "STANDING", "TIED"};
  return NameIn(kNames, lifetime);
}

std::string ToString(SlowPolicy policy) {
  static constexpr std::array<std::string_view, 4> kNames = {"UNSPECIFIED", "LAG", "BLOCK",
                                                             "DISCONNECT"};
  return NameIn(kNames, policy);
}

std::string ToString(TopicState state) { return ToString(static_cast<QueueState>(state)); }

std::string ToString(Continuity continuity) {
  static constexpr std::array<std::string_view, 5> kNames = {"UNSPECIFIED", "CONTINUED", "GAP",
                                                             "RESET", "FRESH"};
  return NameIn(kNames, continuity);
}

std::string ToString(ConnectionState state) {
  static constexpr std::array<std::string_view, 4> kNames = {"IDLE", "CONNECTING", "READY",
                                                             "UNREACHABLE"};
  return NameIn(kNames, state);
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

std::string ToString(const StreamState& state) {
  switch (state.phase) {
    case StreamState::Phase::kConnecting:
      return "connecting";
    case StreamState::Phase::kReady:
      return "ready";
    case StreamState::Phase::kBackingOff:
      return "backing off for " + std::to_string(state.delay.count()) +
             " ms: " + state.status.ToString();
    case StreamState::Phase::kClosed:
      break;
  }
  return state.end ? ToString(*state.end) : "closed";
}

}  // namespace abi1
}  // namespace sluice
