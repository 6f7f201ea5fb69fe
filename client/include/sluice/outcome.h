// SPDX-License-Identifier: Apache-2.0
/// The expected answers of channels. Numbers are the wire's (proto/sluice/v1).
#pragma once

#include <cstdint>
#include <string>

#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

enum class Outcome : std::uint8_t {
  kUnspecified = 0,
  kOk = 1,
  kFull = 2,      ///< No room now; nothing of it was kept.
  kEmpty = 3,     ///< Nothing to receive within the wait.
  kClosed = 4,    ///< No more is accepted, or no more will come; a ClosedReason says why.
  kTimedOut = 5,  ///< The wait ran out; nothing was kept.
  kNoSubscribers = 6,
  kNoResponder = 7,
  kResponderGone = 8,
  kConflict = 9,
  kAbsent = 10,
  kStale = 11,  ///< This lease does not hold that position; nothing changed.
  kAlreadyDone = 12,
  kUnknownCall = 13,
  kFailed = 14,
  kReplyTooLarge = 15,
  kUnknown = 16,  ///< May have happened: send again under the same sequence.
};

enum class ClosedReason : std::uint8_t {
  kUnspecified = 0,
  kRequested = 1,
  kDeleted = 2,
  kProducersGone = 3,
  kShuttingDown = 4,  ///< The daemon drains: the only one to try again after.
  kSuperseded = 5,
  kLagged = 6,
  kFinished = 7,  ///< This end asked for it.
  kLimit = 8,
};

/// Whose room there was none of, with FULL and TIMED_OUT.
enum class FullReason : std::uint8_t {
  kUnspecified = 0,   ///< The channel's own; or this end's.
  kServerMemory = 1,  ///< The daemon's: draining any of its channels helps.
};

/// What an ack vouches for.
enum class Durability : std::uint8_t { kUnspecified = 0, kMemory = 1, kOs = 2, kDisk = 3 };

/// Upper case, as on the wire without prefix: "TIMED_OUT". A number this library does not know:
/// "17".
std::string ToString(Outcome outcome);
std::string ToString(ClosedReason reason);
std::string ToString(FullReason reason);
std::string ToString(Durability durability);

/// How a stream ended; every stream ends in exactly one of these ways.
struct StreamEnd {
  enum class Kind : std::uint8_t {
    kClosed,      ///< The daemon said why (`reason`): nothing that it did not answer was accepted.
    kSuperseded,  ///< Another one took this place; `fence` is the new holder's, if it has one.
    kLost,        ///< Interrupted, cancelled or refused (`status`): what was unanswered may have
                  ///< happened.
  };
  Kind kind = Kind::kLost;
  ClosedReason reason = ClosedReason::kUnspecified;
  std::uint64_t fence = 0;
  Status status;  ///< OK when kClosed.
};

/// "closed: FINISHED", "lost: UNAVAILABLE ...".
std::string ToString(const StreamEnd& end);

}  // namespace abi1
}  // namespace sluice
