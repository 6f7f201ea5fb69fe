// SPDX-License-Identifier: Apache-2.0
/// What a queue is declared as, what it is at an instant, and how one sends to it and attaches to
/// it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/outcome.h"

namespace sluice {
inline namespace abi1 {

enum class Lifetime : std::uint8_t {
  kUnspecified = 0,
  kStanding = 1,  ///< Ends by Close or Delete only.
  kTied = 2,      ///< Closes with its last producer; armed by the first (N1).
};

enum class SendMode : std::uint8_t {
  kTry = 1,   ///< FULL at once for what does not fit.
  kWait = 2,  ///< Stand in the queue's one line.
};

/// What to do when the seat of an exclusive queue is taken (N18).
enum class AttachMode : std::uint8_t {
  kRefuse = 1,    ///< CONSUMER_PRESENT.
  kStandby = 2,   ///< Wait in line for it.
  kTakeOver = 3,  ///< The one attached ends as superseded.
};

/// A field of 0, false or unspecified is the daemon's default.
struct QueueSpec {
  std::uint64_t capacity = 0;           ///< Messages queued at most; default 1,024.
  std::uint64_t bytes_max = 0;          ///< Bytes retained at most; default 64 MiB.
  std::uint32_t message_bytes_max = 0;  ///< Of one encoded message; default 1 MiB.
  std::uint32_t max_in_flight = 0;      ///< Handed out and not settled at most; default 1,024.
  Lifetime lifetime = Lifetime::kUnspecified;
  bool close_on_consumer_loss = false;  ///< Losing the consumer deletes the queue (N2).
  bool shared = false;                  ///< Several consumers compete.
  Durability durability = Durability::kUnspecified;
};

enum class QueueState : std::uint8_t { kUnspecified = 0, kOpen = 1, kClosed = 2, kEnded = 3 };

/// "OPEN", "TIED" and the like.
std::string ToString(QueueState state);
std::string ToString(Lifetime lifetime);

/// One instant of a queue. accepted = settled + purged + deleted + depth + in_flight.
struct QueueDescription {
  std::string name;
  QueueSpec spec;  ///< With the defaults filled in.
  std::uint64_t epoch = 0;
  QueueState state = QueueState::kUnspecified;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  std::uint64_t next_position = 0;

  std::uint64_t accepted = 0;
  std::uint64_t settled = 0;
  std::uint64_t purged = 0;
  std::uint64_t deleted = 0;
  std::uint64_t depth = 0;
  std::uint64_t in_flight = 0;

  std::uint64_t delayed = 0;    ///< Part of depth.
  std::uint64_t come_back = 0;  ///< Part of depth, ready.
  std::uint64_t free_slots = 0;
  std::uint64_t retained_bytes = 0;
  std::uint64_t delivered = 0;  ///< Handings out, all attempts.
  std::uint64_t redelivered = 0;
  std::uint64_t failures = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t refused_full = 0;
  std::uint64_t refused_closed = 0;
  std::uint64_t timed_out = 0;

  std::uint32_t waiting_sends = 0;
  std::uint32_t waiting_receives = 0;
  std::uint32_t producers = 0;
  std::uint32_t consumers = 0;
  std::uint32_t standby = 0;
  std::uint32_t leases = 0;
  std::vector<std::string> consumer_peers;
};

}  // namespace abi1
}  // namespace sluice
