// SPDX-License-Identifier: Apache-2.0
// One instant of a responder, read under its lock: plain numbers for Describe, metrics and tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/consumer.h"
#include "broker/outcome.h"
#include "broker/responder_spec.h"

namespace sluice::broker {

enum class ResponderState : std::uint8_t { kOpen, kClosed, kEnded };

// Counted over the life of a responder, in calls.
struct ResponderCounts {
  std::uint64_t accepted = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t responder_gone = 0;
  std::uint64_t no_responder = 0;
  std::uint64_t too_large = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t closed = 0;

  std::uint64_t refused_full = 0;
  std::uint64_t refused_no_responder = 0;
  std::uint64_t refused_closed = 0;
  std::uint64_t redelivered = 0;     // handings out after the first of a call
  std::uint64_t late_replies = 0;    // replies that found their caller gone
  std::uint64_t refused_memory = 0;  // of refused_full: for want of memory

  ResponderCounts& operator+=(const ResponderCounts& other);
};

struct ResponderStats {
  std::string name;
  ResponderSpec spec;
  std::uint64_t epoch = 0;
  ResponderState state = ResponderState::kOpen;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  // accepted = answered + failed + responder_gone + no_responder + too_large + timed_out +
  // cancelled + closed + depth + in_flight
  ResponderCounts counts;
  std::uint64_t depth = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t retained_bytes = 0;
  std::uint32_t workers = 0;
};

// What remains of a responder that is gone for good.
inline const ResponderCounts& FinalCounts(const ResponderStats& stats) { return stats.counts; }

struct WorkerStats {
  std::uint64_t stream_id = 0;
  std::string name;
  std::string peer;
  std::uint64_t fence = 0;
  Credit credit;
  std::uint64_t held = 0;      // not yet answered, cancelled ones included
  std::uint64_t answered = 0;  // assignments ended by a reply that is no release
  bool is_finishing = false;
};

// A responder and some of its workers, at one instant.
struct ResponderView {
  ResponderStats stats;
  std::vector<WorkerStats> workers;  // oldest attachment first
};

}  // namespace sluice::broker
