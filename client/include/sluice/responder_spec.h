// SPDX-License-Identifier: Apache-2.0
/// What a responder is declared as, and what it and its workers are at an instant.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/outcome.h"

namespace sluice {
inline namespace abi1 {

/// A field of 0 is the daemon's default.
struct ResponderSpec {
  std::uint64_t capacity = 0;           ///< Calls queued at most; default 1,024.
  std::uint64_t bytes_max = 0;          ///< Bytes retained at most; default 64 MiB.
  std::uint32_t message_bytes_max = 0;  ///< Of a request, of a part, of a whole reply; 1 MiB.
};

enum class ResponderState : std::uint8_t {
  kUnspecified = 0,
  kOpen = 1,
  kClosed = 2,  ///< Takes no call; those in flight may still be answered.
  kEnded = 3,
};

/// "OPEN" and the like.
std::string ToString(ResponderState state);

/// One instant of a responder, in calls. accepted = answered + failed + responder_gone +
/// no_responder + too_large + timed_out + cancelled + closed + depth + in_flight.
struct ResponderDescription {
  std::string name;
  ResponderSpec spec;  ///< With the defaults filled in.
  std::uint64_t epoch = 0;
  ResponderState state = ResponderState::kUnspecified;
  ClosedReason closed_reason = ClosedReason::kUnspecified;

  std::uint64_t accepted = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t responder_gone = 0;
  std::uint64_t no_responder = 0;  ///< The last worker left while the call was queued.
  std::uint64_t too_large = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t closed = 0;
  std::uint64_t depth = 0;      ///< Queued.
  std::uint64_t in_flight = 0;  ///< With a worker.

  std::uint64_t refused_full = 0;
  std::uint64_t refused_no_responder = 0;
  std::uint64_t refused_closed = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t late_replies = 0;  ///< That found their caller gone.
  std::uint64_t retained_bytes = 0;
  std::uint32_t workers = 0;
};

/// One worker that serves a responder.
struct WorkerDescription {
  std::uint64_t stream_id = 0;  ///< StreamDescription::id.
  std::string worker;           ///< ResponderOptions::worker.
  std::string peer;
  std::uint64_t fence = 0;
  std::uint32_t credit_messages = 0;
  std::uint64_t credit_bytes = 0;
  std::uint64_t held = 0;  ///< Assignments not yet answered, cancelled ones included.
  std::uint64_t answered = 0;
  bool finishing = false;
};

}  // namespace abi1
}  // namespace sluice
