// SPDX-License-Identifier: Apache-2.0
// The answering side of a responder, as its callers hold it: a worker, what it is handed, what it
// says to it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "broker/consumer.h"
#include "broker/notifier.h"
#include "broker/outcome.h"
#include "broker/responder_call.h"

namespace sluice::broker {

struct WorkerOptions {
  std::string name;  // shown to operators
  std::string peer;
  std::uint64_t stream_id = 0;
  Credit credit;  // assignments unanswered, and the bytes of their requests
};

class ResponderWorker;

// A place in the ring of those that would take a call now.
struct WorkerPlace : ListNode {
  ResponderWorker* worker = nullptr;
};

// A stream that serves. Pinned; made by its owner, given to Responder::Attach, and left by
// Responder::Detach before it is destroyed. Guarded by the responder's lock.
class ResponderWorker : public ListNode {
 public:
  ResponderWorker() { place_.worker = this; }

 private:
  friend class Responder;
  enum class State : std::uint8_t { kNew, kAttached, kEnded };
  struct Held {
    Envelope* call = nullptr;  // nullptr: the caller needs no answer any more
    std::uint64_t bytes = 0;   // of the request
  };
  using HeldTable = std::unordered_map<std::uint64_t, Held>;

  std::uint64_t held_count() const noexcept { return held_.size() + assigned_.size(); }

  WorkerOptions options_;
  NotifierPtr notifier_;
  State state_ = State::kNew;
  bool is_finishing_ = false;
  bool wants_ = false;  // its stream is idle: it fetches at once what it is told of
  std::uint64_t fence_ = 0;
  WorkerPlace place_;
  IntrusiveList<Envelope> assigned_;  // its, and not yet fetched by the stream
  HeldTable held_;                    // fetched and not yet answered, by assignment
  std::uint64_t held_bytes_ = 0;      // of both
  std::uint64_t next_assignment_ = 1;
  std::uint64_t answered_ = 0;
  std::uint64_t passed_ = 0;  // no call that came back from before this position is for it
  std::vector<std::uint64_t> cancelled_;  // not yet told
  std::vector<std::uint64_t> part_news_;  // assignments that may send more parts, not yet told
  ClosedReason end_ = ClosedReason::kUnspecified;
};

// A call in the hands of a worker.
struct Assignment {
  std::uint64_t call_id = 0;  // rising, of meaning to this worker only
  EncodedMessage request;
  TimePoint deadline = kNever;
  bool wants_parts = false;
  std::uint64_t part_credit = 0;  // messages that may be sent before more is allowed
  std::uint32_t attempts = 0;     // handings out, this one included
};

struct PartCredit {
  std::uint64_t call_id = 0;
  std::uint64_t parts = 0;  // in all, from the first of the call
};

// What a worker is to be told.
struct WorkerNews {
  std::vector<Assignment> assignments;
  std::uint64_t bytes = 0;               // of their requests
  std::vector<std::uint64_t> cancelled;  // assignments whose caller has gone or timed out (N24)
  std::vector<PartCredit> part_credit;
  ClosedReason ended = ClosedReason::kUnspecified;  // nothing more will come

  bool empty() const noexcept {
    return assignments.empty() && cancelled.empty() && part_credit.empty();
  }
};

enum class ReplyKind : std::uint8_t { kNothing, kMessage, kFailure, kRelease };

struct WorkerReply {
  std::uint64_t call_id = 0;
  ReplyKind kind = ReplyKind::kNothing;  // kNothing: only the end of a reply in parts
  EncodedMessage message;                // with kMessage
  Failure failure;                       // with kFailure
  bool is_last = false;                  // kFailure and kRelease are always
};

// kOk, kClosed, kAlreadyDone, kUnknownCall, kReplyTooLarge, kFailed (beyond the part credit).
struct ReplyResult {
  std::uint64_t call_id = 0;
  Outcome outcome = Outcome::kUnspecified;
};

}  // namespace sluice::broker
