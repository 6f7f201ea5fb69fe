// SPDX-License-Identifier: Apache-2.0
/// How an end keeps its stream: what it does when the stream is lost, and what it tells of it.
///
/// A stream that is lost for a reason that may pass (the connection, UNAVAILABLE, a daemon that
/// goes down, no heartbeat) is opened again after a random delay between 0 and a bound that grows
/// from `base` by `factor` up to `cap`, or after what the daemon asks for, whichever is later. Any
/// other end is final: what the daemon refuses once it refuses again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "sluice/outcome.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

struct ReconnectOptions {
  bool enabled = true;  ///< Off: the first loss is the end.
  std::chrono::milliseconds base{100};
  double factor = 2;
  std::chrono::milliseconds cap{10000};
  /// A stream that was ready for so long starts again from `base`.
  std::chrono::milliseconds healthy_after{10000};
  /// Numbers in [0, 1), called on the client's thread; empty: a generator of its own, seeded by the
  /// system.
  std::function<double()> random;
};

struct StreamState {
  enum class Phase : std::uint8_t {
    kConnecting,  ///< Opening; the daemon has not answered yet.
    kReady,       ///< Accepted by the daemon.
    kBackingOff,  ///< Lost for `status`; to be opened again after `delay`.
    kClosed,      ///< For good: `end`.
  };
  Phase phase = Phase::kConnecting;
  std::chrono::milliseconds delay{0};  ///< With kBackingOff.
  Status status;                       ///< Why the stream was lost; OK when ready.
  std::optional<StreamEnd> end;
};

/// Runs on the client's thread, at every change, in order. It must not wait.
using OnStreamState = std::function<void(const StreamState&)>;

/// "ready", "backing off for 83 ms: UNAVAILABLE ...".
std::string ToString(const StreamState& state);

}  // namespace abi1
}  // namespace sluice
