// SPDX-License-Identifier: Apache-2.0
// The sending side of a queue, as its callers hold it: a stream's producer, and one frame's way in.
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
  ClosedReason reason = ClosedReason::kUnspecified;  // with kClosed
};

struct ProducerMemory;

// A stream that sends (N3). Pinned; made by its owner, filled in by Queue::OpenProducer and left by
// Queue::CloseProducer before it is destroyed. Guarded by the queue's lock.
class Producer : public ListNode {
 public:
  Producer() = default;

 private:
  friend class Queue;
  NotifierPtr notifier_;
  ProducerMemory* memory_ = nullptr;  // nullptr without a producer id: no duplicates are judged
  bool is_open_ = false;
  bool is_superseded_ = false;
};

// One frame on its way in. Pinned; made by its owner for each frame, given to Queue::Send, and not
// destroyed before it is done or cancelled. Guarded by the queue's lock between Send and done.
class SendTicket : public ListNode {
 public:
  SendTicket() = default;

 private:
  friend class Queue;
  Incoming incoming_;
  std::uint64_t next_sequence_ = 0;
  ProducerMemory* memory_ = nullptr;  // in use by this ticket until it is done
  std::string session_id_;
  NotifierPtr notifier_;
  std::vector<Ack> acks_;  // not yet taken by the owner
  bool is_atomic_ = false;
  bool is_done_ = true;
  std::multimap<TimePoint, SendTicket*>::iterator due_;
  bool has_due_ = false;
};

struct SendOptions {
  std::uint64_t first_sequence = 0;  // of the first message; the others follow by one
  bool is_atomic = false;            // all or nothing
  SendMode mode = SendMode::kWait;
  TimePoint deadline = kNever;  // of the waiting; then kTimedOut
  std::string producer_id;      // empty: no duplicates are judged
  std::string session_id;       // unary: whose waiting sends and tied lifetime they are
};

}  // namespace sluice::broker
