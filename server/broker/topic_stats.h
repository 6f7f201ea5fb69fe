// SPDX-License-Identifier: Apache-2.0
// One instant of a topic, read under its lock: plain numbers for Describe, metrics and tests.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "broker/topic_spec.h"

namespace sluice::broker {

enum class TopicState : std::uint8_t { kOpen, kClosed, kEnded };

// Counted over the life of a topic: messages, where nothing else is said.
struct TopicCounts {
  std::uint64_t accepted = 0;
  std::uint64_t overwritten = 0;
  std::uint64_t deleted = 0;  // part of overwritten: destroyed with the topic
  std::uint64_t no_subscribers = 0;
  std::uint64_t refused_full = 0;
  std::uint64_t refused_closed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t abandoned = 0;  // never accepted: the publisher went while they waited
  std::uint64_t duplicates = 0;
  std::uint64_t delivered = 0;         // over all subscribers, the gone included
  std::uint64_t missed = 0;            // likewise: told in Lagged and in GAP
  std::uint64_t lags = 0;              // times that a subscriber was told so
  std::uint64_t evicted = 0;           // subscribers that ended because they lagged
  std::uint64_t waited_publishes = 0;  // frames that had to wait for the slow
  std::uint64_t refused_memory = 0;    // of refused_full and timed_out: for want of memory

  TopicCounts& operator+=(const TopicCounts& other);
};

struct TopicStats : TopicCounts {
  std::string name;
  TopicSpec spec;
  std::uint64_t epoch = 0;
  TopicState state = TopicState::kOpen;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  std::uint64_t next_position = 1;
  std::uint64_t oldest_position = 1;  // next_position: nothing is retained

  // accepted = overwritten + depth
  std::uint64_t depth = 0;  // retained
  std::uint64_t retained_bytes = 0;
  std::uint64_t lag_max = 0;         // of the subscriber that is furthest behind, in messages
  TimePoint waiting_since = kNever;  // the first publish in line; kNever: none waits

  std::uint32_t waiting_publishes = 0;
  std::uint32_t publishers = 0;  // streams and sessions
  std::uint32_t subscribers = 0;
  bool stores = false;  // what is published now is stored (N29)
};

// What remains of a topic that is gone for good: what it retained went with it.
inline TopicCounts FinalCounts(const TopicStats& stats) {
  TopicCounts counts = stats;
  counts.overwritten += stats.depth;
  counts.deleted += stats.depth;
  return counts;
}

struct SubscriberStats {
  std::uint64_t stream_id = 0;
  std::string subscriber;
  std::string peer;
  std::string pattern;  // empty: by name
  std::uint64_t next_position = 0;
  std::uint64_t behind = 0;  // to be sent yet, overwritten ones included (B13)
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;
};

}  // namespace sluice::broker
