// SPDX-License-Identifier: Apache-2.0
// The expected answers of named channels, numerically the wire's (proto/sluice/v1/message.proto;
// rpc/convert.cc asserts it). Faults are a Status.
#pragma once

#include <cstdint>

namespace sluice::broker {

enum class [[nodiscard]] Outcome : std::uint8_t{
    kUnspecified = 0, kOk,          kFull,          kEmpty,         kClosed,  kTimedOut,
    kNoSubscribers,   kNoResponder, kResponderGone, kConflict,      kAbsent,  kStale,
    kAlreadyDone,     kUnknownCall, kFailed,        kReplyTooLarge, kUnknown,
};

enum class ClosedReason : std::uint8_t {
  kUnspecified = 0,
  kRequested,
  kDeleted,
  kProducersGone,
  kShuttingDown,
  kSuperseded,
  kLagged,
  kFinished,
  kLimit,
};

// Whose room there was none of, with kFull and kTimedOut.
enum class FullReason : std::uint8_t { kUnspecified = 0, kServerMemory };

enum class Durability : std::uint8_t { kUnspecified = 0, kMemory, kOs, kDisk };

}  // namespace sluice::broker
