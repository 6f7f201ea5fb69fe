// SPDX-License-Identifier: Apache-2.0
// The sending side of a queue and of a topic, as its callers hold it: a stream's producer, and one
// frame's way in. What happens to them is broker/intake.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "broker/batch.h"
#include "broker/notifier.h"
#include "broker/outcome.h"

namespace sluice::broker {

enum class SendMode : std::uint8_t { kTry, kWait };

// What became of `count` messages from `first_sequence` on. One range tells one outcome.
struct Ack {
  std::uint64_t first_sequence = 0;
  std::uint32_t count = 0;
  Outcome outcome = Outcome::kUnspecified;
  std::uint64_t first_position = 0;  // 0: none, or a duplicate
  bool duplicate = false;
  ClosedReason reason = ClosedReason::kUnspecified;   // with kClosed
  std::uint32_t delivered_to = 0;                     // topics, with kOk: subscribers offered to
  FullReason full_reason = FullReason::kUnspecified;  // with kFull, kTimedOut; not a duplicate's
};

struct ProducerMemory;

// What a stream that sends learns at its beginning.
struct ProducerOpened {
  std::uint64_t epoch = 0;
  std::uint64_t last_sequence = 0;  // the highest spent by this producer id
  std::uint64_t capacity = 0;
};

// A stream that sends (N3). Pinned; made by its owner, filled in by OpenProducer and left by
// CloseProducer before it is destroyed. Guarded by the channel's lock.
class Producer : public ListNode {
 public:
  Producer() = default;

 private:
  friend class Intake;
  NotifierPtr notifier_;
  ProducerMemory* memory_ = nullptr;  // nullptr without a producer id: no duplicates are judged
  bool is_open_ = false;
  bool is_superseded_ = false;
};

// One frame on its way in. Pinned; made by its owner for each frame, given to the channel, and not
// destroyed before it is done or cancelled. Guarded by the channel's lock until it is done.
class SendTicket : public ListNode {
 public:
  SendTicket() = default;

 private:
  friend class Intake;
  Incoming incoming_;
  std::uint64_t next_sequence_ = 0;
  ProducerMemory* memory_ = nullptr;  // in use by this ticket until it is done
  std::string session_id_;
  NotifierPtr notifier_;
  std::vector<Ack> acks_;  // not yet taken by the owner
  bool is_atomic_ = false;
  bool is_done_ = true;
  TimePoint joined_at_{};         // the line
  std::uint64_t held_bytes_ = 0;  // of memory, while it stands there
  std::multimap<TimePoint, SendTicket*>::iterator due_;
  bool has_due_ = false;
};

struct SendOptions {
  std::uint64_t first_sequence = 0;  // of the first message; the others follow by one
  bool is_atomic = false;            // all or nothing
  SendMode mode = SendMode::kWait;
  TimePoint deadline = kNever;         // of the waiting; then kTimedOut
  std::string producer_id;             // empty: no duplicates are judged
  std::string session_id;              // unary: whose waiting sends and tied lifetime they are
  const Producer* producer = nullptr;  // the stream's; once it is superseded nothing of it enters
};

}  // namespace sluice::broker
