// SPDX-License-Identifier: Apache-2.0
// One instant of a queue, read under its lock: plain numbers for Describe, metrics and tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/queue_spec.h"

namespace sluice::broker {

enum class QueueState : std::uint8_t { kOpen, kClosed, kEnded };

// Counted over the life of a queue: messages, where nothing else is said.
struct QueueCounts {
  std::uint64_t accepted = 0;
  std::uint64_t settled = 0;
  std::uint64_t purged = 0;
  std::uint64_t deleted = 0;
  std::uint64_t delivered = 0;       // handings out, all attempts
  std::uint64_t redelivered = 0;     // handings out after the first
  std::uint64_t failures = 0;        // nacks, expired leases, losses
  std::uint64_t lease_expiries = 0;  // part of failures
  std::uint64_t stale_settlements = 0;
  std::uint64_t duplicates = 0;  // resends recognised
  std::uint64_t refused_full = 0;
  std::uint64_t refused_closed = 0;
  std::uint64_t timed_out = 0;     // sends whose wait ran out
  std::uint64_t abandoned = 0;     // never accepted: the sender went while they waited
  std::uint64_t waited_sends = 0;  // frames that had to wait for room
  std::uint64_t receives_ok = 0;   // unary receives, in calls; likewise the next two
  std::uint64_t receives_empty = 0;
  std::uint64_t receives_closed = 0;
  std::uint64_t refused_memory = 0;  // of refused_full and timed_out: for want of memory

  QueueCounts& operator+=(const QueueCounts& other);
};

struct QueueStats : QueueCounts {
  std::string name;
  QueueSpec spec;
  std::uint64_t epoch = 0;
  QueueState state = QueueState::kOpen;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  std::uint64_t next_position = 1;

  // accepted = settled + purged + deleted + depth + in_flight
  std::uint64_t depth = 0;  // queued + come back + delayed
  std::uint64_t in_flight = 0;

  std::uint64_t delayed = 0;     // part of depth
  std::uint64_t come_back = 0;   // part of depth, ready
  std::uint64_t free_slots = 0;  // M25
  std::uint64_t retained_bytes = 0;
  std::uint64_t oldest_unsettled_unix_us = 0;  // when it was accepted; 0: nothing is unsettled
  TimePoint waiting_since = kNever;            // the first send in line; kNever: none waits

  std::uint32_t waiting_sends = 0;
  std::uint32_t waiting_receives = 0;
  std::uint32_t producers = 0;  // streams and sessions attached
  std::uint32_t consumers = 0;  // streams and unary seats attached
  std::uint32_t standby = 0;
  std::uint32_t leases = 0;
  std::vector<std::string> consumer_peers;  // attached ones, at most 16
};

// What remains of a queue that is gone for good.
inline const QueueCounts& FinalCounts(const QueueStats& stats) { return stats; }

}  // namespace sluice::broker
