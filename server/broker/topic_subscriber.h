// SPDX-License-Identifier: Apache-2.0
// The receiving side of one topic, as its owner holds it: a cursor, and what is taken by it.
#pragma once

#include <cstdint>
#include <string>

#include "base/intrusive_list.h"
#include "broker/delivery.h"
#include "broker/notifier.h"
#include "broker/outcome.h"

namespace sluice::broker {

// Where a subscriber begins.
enum class SubscribeFrom : std::uint8_t {
  kLatest,     // with what is published from now on (B14)
  kEarliest,   // with the oldest retained
  kBeginning,  // with position 1
  kPosition,   // where it was: `position`, of `epoch`
};

// How what follows joins on to what was before; numerically the wire's (N31).
enum class Continuity : std::uint8_t {
  kUnspecified = 0,
  kContinued,
  kGap,    // `missed` were overwritten since
  kReset,  // of another life of the topic, or of none: goes on with the oldest retained
  kFresh,
};

struct SubscriberOptions {
  std::uint64_t stream_id = 0;  // shown to operators, as the three below
  std::string subscriber;
  std::string peer;
  std::string pattern;
  SubscribeFrom from = SubscribeFrom::kLatest;
  std::uint64_t position = 0;  // kPosition
  std::uint64_t epoch = 0;     // kPosition; 0: whichever
  bool end_on_lag = false;
};

// Where it does begin.
struct Announced {
  std::uint64_t epoch = 0;  // 0: the topic is gone
  std::uint64_t next_position = 0;
  Continuity continuity = Continuity::kUnspecified;
  std::uint64_t missed = 0;  // with kGap
};

// Pinned; made by its owner, given to Topic::Subscribe, and left by Topic::Unsubscribe before it is
// destroyed. Guarded by the topic's lock.
class Subscriber : public ListNode {
 public:
  Subscriber() = default;

 private:
  friend class Topic;
  // Its place among those who asked and found nothing.
  struct Wait : ListNode {
    explicit Wait(Subscriber& waiting) : subscriber(waiting) {}
    Subscriber& subscriber;
  };
  SubscriberOptions options_;
  NotifierPtr notifier_;
  Wait wait_{*this};
  std::uint64_t cursor_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t missed_ = 0;
  bool is_attached_ = false;
  bool is_excused_ = false;  // publishing does not wait for it (policy BLOCK)
  bool was_told_ = false;    // of a lag, by the Take before
  ClosedReason end_ = ClosedReason::kUnspecified;
};

// What one look gave: a lag and then messages, messages alone, the end, or nothing.
struct Taken {
  std::uint64_t missed = 0;         // overwritten before they could be sent (B8)
  std::uint64_t next_position = 0;  // with missed: the one that comes next
  Delivery delivery;
  ClosedReason ended = ClosedReason::kUnspecified;  // nothing more will come

  void Clear() noexcept {
    missed = 0;
    ended = ClosedReason::kUnspecified;
    delivery.Clear();
  }
};

}  // namespace sluice::broker
