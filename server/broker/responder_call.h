// SPDX-License-Identifier: Apache-2.0
// The asking side of a responder, as its callers hold it: who asks, what is asked, what comes back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "broker/delivery.h"
#include "broker/limits.h"
#include "broker/notifier.h"
#include "broker/outcome.h"

namespace sluice::broker {

// One message as its sender encoded it. The broker hands it on and does not read it; to join the
// parts of a reply it is told where the payload stands.
struct EncodedMessage {
  BytesSlice bytes;  // without a tag or a length around it; none: there is no message
  std::uint32_t payload_offset = 0;  // in the slice
  std::uint32_t payload_bytes = 0;
  std::uint32_t other_bytes = 0;  // the encoded fields beside the payload

  explicit operator bool() const noexcept { return bytes.bytes != nullptr; }
  std::uint64_t size() const noexcept { return bytes.size; }
  std::string_view view() const noexcept {
    return bytes.bytes == nullptr ? std::string_view()
                                  : std::string_view(*bytes.bytes).substr(bytes.offset, bytes.size);
  }
  std::string_view payload() const noexcept { return view().substr(payload_offset, payload_bytes); }
};

// What a worker says that failed: an answer of the application.
struct Failure {
  std::string code;
  std::string text;
};

struct CallOptions {
  TimePoint deadline = kNever;      // then kTimedOut
  bool wait_for_responder = false;  // stay queued while nobody serves (N26)
  bool retry_on_loss = false;       // hand it out again when its worker is lost (N23)
  bool wants_parts = false;         // the reply comes one by one; else gathered
  std::uint64_t part_credit = kPartCreditDefault;  // with wants_parts: allowed at first
};

// A reply to a call, or a part of one.
struct CallReply {
  std::uint64_t call_id = 0;
  // kOk with a part and at the end of a whole reply; else how the call ended.
  Outcome outcome = Outcome::kUnspecified;
  EncodedMessage message;  // with kOk; the worker may have ended the reply without one
  // Gathered from several parts: the payloads joined; all else is that of `message`, the first.
  std::shared_ptr<const std::string> joined_payload;
  Failure failure;                                   // with kFailed
  ClosedReason reason = ClosedReason::kUnspecified;  // with kClosed
  bool handed_out = false;  // a worker had it in hand: it may have been done
  bool is_last = false;
  FullReason full_reason = FullReason::kUnspecified;  // with kFull

  std::uint64_t size() const noexcept {
    return message.size() + failure.code.size() + failure.text.size() +
           (joined_payload == nullptr ? 0 : joined_payload->size());
  }
};

struct CallReplies {
  std::vector<CallReply> replies;
  std::uint64_t bytes = 0;  // of CallReply::size
};

// Why a caller no longer wants a reply: it went, or its time was over.
enum class GivingUp : std::uint8_t { kCancelled, kTimedOut };

struct Envelope;

// A place in one of the lists that a call may stand in.
struct CallPlace : ListNode {
  explicit CallPlace(Envelope& the_call) : call(the_call) {}
  Envelope& call;
};

// One who asks a responder: a unary call, or the calls that one stream has with it. Pinned; made by
// its owner, given to Responder::Ask, and left by Responder::Leave before it is destroyed. Guarded
// by the responder's lock.
class Caller {
 public:
  // The notifier is told when there are replies to take.
  explicit Caller(NotifierPtr notifier);
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

 private:
  friend class Responder;
  NotifierPtr notifier_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Envelope>> calls_;  // last reply not yet taken
  IntrusiveList<CallPlace> ready_;                                      // with replies to take
};

}  // namespace sluice::broker
