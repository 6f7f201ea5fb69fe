// SPDX-License-Identifier: Apache-2.0
/// What a topic is declared as, and what it is at an instant.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "sluice/outcome.h"
#include "sluice/queue_spec.h"

namespace sluice {
inline namespace abi1 {

/// What is done about a subscriber that does not keep up (N30).
enum class SlowPolicy : std::uint8_t {
  kUnspecified = 0,
  kLag = 1,         ///< It misses the oldest, and is told how many.
  kBlock = 2,       ///< Publishing waits for it, at most `block`.
  kDisconnect = 3,  ///< It is ended, LAGGED.
};

/// A field of 0 or unspecified is the daemon's default.
struct TopicSpec {
  std::uint64_t capacity = 0;           ///< Messages retained; default 1,024; a power of two.
  std::uint64_t bytes_max = 0;          ///< Bytes retained; default 64 MiB.
  std::uint32_t message_bytes_max = 0;  ///< Of one encoded message; default 1 MiB.
  SlowPolicy policy = SlowPolicy::kUnspecified;
  std::chrono::milliseconds block{0};  ///< With kBlock alone; default 5 s.
  /// How long after the last subscriber left messages are stored; none: 60 s. 0: not at all.
  std::optional<std::chrono::milliseconds> resume_window;
  Lifetime lifetime = Lifetime::kUnspecified;
  Durability durability = Durability::kUnspecified;
};

enum class TopicState : std::uint8_t { kUnspecified = 0, kOpen = 1, kClosed = 2, kEnded = 3 };

/// "LAG", "OPEN" and the like.
std::string ToString(SlowPolicy policy);
std::string ToString(TopicState state);

/// One instant of a topic. accepted = overwritten + depth.
struct TopicDescription {
  std::string name;
  TopicSpec spec;  ///< With the defaults filled in.
  std::uint64_t epoch = 0;
  TopicState state = TopicState::kUnspecified;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  std::uint64_t next_position = 0;
  std::uint64_t oldest_position = 0;

  std::uint64_t accepted = 0;
  std::uint64_t overwritten = 0;
  std::uint64_t depth = 0;
  std::uint64_t no_subscribers = 0;
  std::uint64_t refused_full = 0;
  std::uint64_t refused_closed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t duplicates = 0;

  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;
  std::uint64_t retained_bytes = 0;
  std::uint32_t waiting_publishes = 0;
  std::uint32_t publishers = 0;
  std::uint32_t subscribers = 0;
  bool stores = false;  ///< What is published is kept, subscribers or not (N29).
};

/// One subscriber of a topic.
struct SubscriberDescription {
  std::uint64_t stream_id = 0;  ///< StreamDescription.id.
  std::string subscriber;
  std::string peer;
  std::string pattern;  ///< Empty: it asked for the topic by name.
  std::uint64_t next_position = 0;
  std::uint64_t behind = 0;
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;
};

}  // namespace abi1
}  // namespace sluice
