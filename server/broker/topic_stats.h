// SPDX-License-Identifier: Apache-2.0
// One instant of a topic, read under its lock: plain numbers for Describe, metrics and tests.
#pragma once

#include <cstdint>
#include <string>

#include "broker/topic_spec.h"

namespace sluice::broker {

enum class TopicState : std::uint8_t { kOpen, kClosed, kEnded };

struct TopicStats {
  std::string name;
  TopicSpec spec;
  std::uint64_t epoch = 0;
  TopicState state = TopicState::kOpen;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  std::uint64_t next_position = 1;
  std::uint64_t oldest_position = 1;  // next_position: nothing is retained

  // accepted = overwritten + depth
  std::uint64_t accepted = 0;
  std::uint64_t overwritten = 0;
  std::uint64_t depth = 0;  // retained

  std::uint64_t no_subscribers = 0;
  std::uint64_t refused_full = 0;
  std::uint64_t refused_closed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t delivered = 0;  // over all subscribers, the gone included
  std::uint64_t missed = 0;     // likewise: told in Lagged and in GAP
  std::uint64_t retained_bytes = 0;

  std::uint32_t waiting_publishes = 0;
  std::uint32_t publishers = 0;  // streams and sessions
  std::uint32_t subscribers = 0;
  bool stores = false;  // what is published now is stored (N29)
};

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
