// SPDX-License-Identifier: Apache-2.0
// What a channel answers: the expected refusals, and the values that come back with them. These are
// outcomes, not faults; every refused value is handed back unchanged (G15).
#pragma once

#include <cstdint>
#include <utility>
#include <variant>

#include "base/result.h"

namespace sluice::channel {

enum class [[nodiscard]] Errc : std::uint8_t{
    kFull,       // no slot free now, or somebody is in line before
    kEmpty,      // nothing queued now, but something may come
    kClosed,     // for good: refused by a closed channel, or the end of the stream
    kTimedOut,   // the deadline passed while waiting; nothing was done
    kCancelled,  // a stop was requested while waiting; nothing was done
    kTooMany,    // more than the channel could ever hold (D4)
};

// A refused value and why. It has a constructor because g++ 12 destroys temporaries of aggregate
// type twice in a co_await expression.
template <class T>
struct [[nodiscard]] Rejected {
  Rejected(Errc reason, T refused) : why(reason), value(std::move(refused)) {}
  Errc why;
  T value;
};

// The outcome of every kind of send: accepted (which is not yet received, G4), or handed back.
template <class T>
using Sent = Result<std::monostate, Rejected<T>>;

// The outcome of a wait for an event that carries nothing: kTimedOut and kCancelled are its only
// refusals.
using Waited = Result<std::monostate, Errc>;

// A broadcast receiver fell behind: exactly `missed` values were overwritten before it read them.
struct Lagged {
  explicit Lagged(std::uint64_t count) : missed(count) {}
  bool operator==(const Lagged&) const = default;
  std::uint64_t missed;
};

}  // namespace sluice::channel
