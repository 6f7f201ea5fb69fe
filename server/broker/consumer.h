// SPDX-License-Identifier: Apache-2.0
// The receiving side of a queue, as its callers hold it: a stream's consumer, and a unary receive.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "broker/delivery.h"
#include "broker/limits.h"
#include "broker/notifier.h"
#include "broker/outcome.h"

namespace sluice::broker {

// The most a stream may hold unsettled: a window, not a grant. messages = 0 pauses; bytes = 0 is no
// bound. With nothing held one message passes whatever its size.
struct Credit {
  std::uint32_t messages = kCreditDefault;
  std::uint64_t bytes = 0;
};

// What a consumer does when the seat of an exclusive queue is taken (N18).
enum class AttachMode : std::uint8_t { kRefuse, kStandby, kTakeOver };

struct ConsumerOptions {
  std::string name;  // shown to operators
  std::string peer;
  AttachMode mode = AttachMode::kRefuse;
  bool auto_ack = false;    // settled when the write is done (N16)
  Duration ack_timeout{0};  // zero: bound to the stream only
  Credit credit;
};

struct Attached {
  std::uint64_t lease = 0;
  std::uint64_t fence = 0;
  std::uint64_t epoch = 0;
  std::uint64_t next_position = 0;
  std::uint32_t max_in_flight = 0;
};

// How a consumer leaves: kFinished after the frame `finish` or by drain, when what comes back
// counts no failure; kLost otherwise.
enum class Leaving : std::uint8_t { kFinished, kLost };

class Consumer;
class ReceiveTicket;
struct Lease;

// A place in the line of those who asked for messages and found none: a stream, told to ask again,
// or a unary receive, served directly.
struct Claim : ListNode {
  Consumer* consumer = nullptr;
  ReceiveTicket* ticket = nullptr;
  bool is_called = false;  // told, and has not asked since
};

// A stream that receives. Pinned; made by its owner, given to Queue::Attach, and left by
// Queue::Detach before it is destroyed. Guarded by the queue's lock.
class Consumer : public ListNode {
 public:
  Consumer() = default;

 private:
  friend class Queue;
  friend class Seats;
  // kNew --Attach--> kAttached or kStandby --Detach--> kEnded. A superseded one and one in line
  // when the queue ends become kEnded, too; the holder of a seat keeps it past the end, until it
  // detaches.
  enum class State : std::uint8_t { kNew, kStandby, kAttached, kEnded };
  ConsumerOptions options_;
  NotifierPtr notifier_;
  State state_ = State::kNew;
  bool is_told_ = false;       // of its attachment
  bool is_finishing_ = false;  // takes nothing new
  bool wants_ = false;         // asked, got nothing: to be told when asking is worth it
  Claim claim_;                // in line while it wants and has credit
  Attached attached_;
  Lease* lease_ = nullptr;  // while attached, until the queue is deleted
  std::uint32_t held_messages_ = 0;
  std::uint64_t held_bytes_ = 0;
  ClosedReason end_ = ClosedReason::kUnspecified;
  std::uint64_t superseded_by_ = 0;  // the new fence
};

// What happened to a consumer since it last looked.
struct ConsumerNews {
  std::optional<Attached> attached;                 // it has the seat: tell the client, once
  ClosedReason ended = ClosedReason::kUnspecified;  // nothing more will come
  std::uint64_t superseded_by = 0;                  // with kSuperseded
};

struct ReceiveOptions {
  std::string consumer;  // equal ones (the empty one included) share the seat of an exclusive queue
  std::string session_id;
  std::string peer;
  std::uint32_t max_messages = 1;
  std::uint64_t max_bytes = kDeliveryBytesMax;
  Duration lease = kLeaseDefault;
  TimePoint deadline = kNever;  // of the waiting; then kEmpty
};

// A unary receive that may wait. Pinned; made by its owner, given to Queue::Receive, and not
// destroyed before it is done or cancelled. Guarded by the queue's lock.
class ReceiveTicket {
 public:
  ReceiveTicket() = default;

 private:
  friend class Queue;
  ReceiveOptions options_;
  NotifierPtr notifier_;
  Claim claim_;
  bool is_done_ = true;
  Outcome outcome_ = Outcome::kUnspecified;
  ClosedReason reason_ = ClosedReason::kUnspecified;
  Delivery delivery_;
  std::uint64_t lease_ = 0;  // handed out and not taken by the owner
  std::multimap<TimePoint, ReceiveTicket*>::iterator due_;
  bool has_due_ = false;
};

struct Received {
  Outcome outcome = Outcome::kUnspecified;  // kOk, kEmpty, kClosed
  ClosedReason reason = ClosedReason::kUnspecified;
  Delivery delivery;
  std::uint64_t lease = 0;
};

enum class SettleAction : std::uint8_t { kAck, kNack, kRelease, kExtend };

struct Settlement {
  std::uint64_t lease = 0;
  std::uint64_t first_position = 0;
  std::uint32_t count = 0;
  SettleAction action = SettleAction::kAck;
  Duration delay{0};      // nack: not handed out again before
  Duration lease_for{0};  // extend: from now; zero: kLeaseDefault
};

// kOk: every position was held by the lease and is settled. kStale: some were not; those changed
// nothing and are counted: `expired` are those that this lease held until it ran out (the last
// kExpiredLeasesMax such ranges of a queue are remembered), `not_held` all others. Extending what a
// stream holds without ack_timeout is kOk and changes nothing.
struct SettleResult {
  std::uint64_t first_position = 0;
  std::uint32_t settled = 0;
  std::uint32_t not_held = 0;
  std::uint32_t expired = 0;
  Outcome outcome = Outcome::kUnspecified;
};

}  // namespace sluice::broker
