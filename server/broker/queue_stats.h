// SPDX-License-Identifier: Apache-2.0
// One instant of a queue, read under its lock: plain numbers for Describe, metrics and tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/queue_spec.h"

namespace sluice::broker {

enum class QueueState : std::uint8_t { kOpen, kClosed, kEnded };

struct QueueStats {
  std::string name;
  QueueSpec spec;
  std::uint64_t epoch = 0;
  QueueState state = QueueState::kOpen;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  std::uint64_t next_position = 1;

  // accepted = settled + purged + deleted + depth + in_flight
  std::uint64_t accepted = 0;
  std::uint64_t settled = 0;
  std::uint64_t purged = 0;
  std::uint64_t deleted = 0;
  std::uint64_t depth = 0;  // queued + come back + delayed
  std::uint64_t in_flight = 0;

  std::uint64_t delayed = 0;     // part of depth
  std::uint64_t come_back = 0;   // part of depth, ready
  std::uint64_t free_slots = 0;  // M25
  std::uint64_t retained_bytes = 0;
  std::uint64_t delivered = 0;    // handings out, all attempts
  std::uint64_t redelivered = 0;  // handings out after the first
  std::uint64_t failures = 0;     // nacks, expired leases, losses
  std::uint64_t duplicates = 0;   // resends recognised
  std::uint64_t refused_full = 0;
  std::uint64_t refused_closed = 0;
  std::uint64_t timed_out = 0;  // sends whose wait ran out

  std::uint32_t waiting_sends = 0;
  std::uint32_t waiting_receives = 0;
  std::uint32_t producers = 0;  // streams and sessions attached
  std::uint32_t consumers = 0;  // streams and unary seats attached
  std::uint32_t standby = 0;
  std::uint32_t leases = 0;
  std::vector<std::string> consumer_peers;  // attached ones, at most 16
};

}  // namespace sluice::broker
