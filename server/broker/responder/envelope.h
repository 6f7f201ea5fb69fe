// SPDX-License-Identifier: Apache-2.0
// One call: what was asked, where it stands, and what has come of it. Both ends of its oneshot meet
// here: the caller owns it until its last reply is taken, the worker refers to it until it is over.
// Guarded by the responder's lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "broker/responder_call.h"
#include "broker/responder_worker.h"

namespace sluice::broker {

// Of a message with a payload of so many bytes, and so many of all else.
constexpr std::uint64_t EncodedBytes(std::uint64_t other_bytes, std::uint64_t payload_bytes) {
  if (payload_bytes == 0) return other_bytes;
  std::uint64_t framing = 2;  // the tag, and the length, seven bits a byte
  for (std::uint64_t rest = payload_bytes >> 7; rest != 0; rest >>= 7) ++framing;
  return other_bytes + framing + payload_bytes;
}

enum class Where : std::uint8_t {
  kNowhere,   // on its way between two places
  kFresh,     // queued for the first time
  kReturned,  // queued again
  kAssigned,  // a worker's, not yet fetched
  kHeld,      // in the worker's hand
  kOver,      // it has its outcome
};

// In the list of the fresh ones, or of its worker's assigned ones.
struct Envelope : ListNode {
  Envelope(Caller& its_caller, std::uint64_t id, EncodedMessage the_request,
           const CallOptions& the_options)
      : caller(its_caller),
        call_id(id),
        request(std::move(the_request)),
        request_bytes(request.size()),
        options(the_options),
        allowed(the_options.part_credit) {}

  Caller& caller;
  const std::uint64_t call_id;
  EncodedMessage request;
  const std::uint64_t request_bytes;
  const CallOptions options;
  std::uint64_t position = 0;  // of its acceptance

  Where where = Where::kNowhere;
  ResponderWorker* worker = nullptr;  // assigned or held
  std::uint64_t assignment = 0;       // held
  std::uint32_t attempts = 0;
  bool may_be_done = false;             // it was in the hand of one that was lost, or answered
  std::vector<std::uint64_t> excluded;  // fences of workers that released it, rising

  // Parts of the reply, from the first on. Of the worker that has it: sent <= told.
  std::uint64_t allowed;   // by the caller, with wants_parts
  std::uint64_t told = 0;  // allowed to the worker
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;     // by the caller
  std::uint64_t reserved = 0;  // parts that memory is kept for
  bool has_part_news = false;
  EncodedMessage gathered;              // the first part
  std::shared_ptr<std::string> joined;  // all payloads, once there are several

  std::vector<CallReply> replies;
  std::size_t next_reply = 0;  // the first that is not taken
  std::uint64_t charged = 0;   // to what is retained
  std::multimap<TimePoint, Envelope*>::iterator due;
  bool has_due = false;
  CallPlace ready{*this};   // in the caller's list
  CallPlace hungry{*this};  // in the line for memory for parts

  // What is taken is kept no longer than what is not: a reply of many parts would never let go.
  void DropTaken() {
    if (next_reply < replies.size() - next_reply) return;
    replies.erase(replies.begin(), replies.begin() + static_cast<std::ptrdiff_t>(next_reply));
    next_reply = 0;
  }
  bool is_queued() const noexcept { return where == Where::kFresh || where == Where::kReturned; }
  bool excludes(std::uint64_t fence) const noexcept {
    return std::binary_search(excluded.begin(), excluded.end(), fence);
  }
};

}  // namespace sluice::broker
