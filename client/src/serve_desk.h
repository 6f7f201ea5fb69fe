// SPDX-License-Identifier: Apache-2.0
// The account of a worker: requests in hand, replies for the wire, and what became of them. Pure
// memory; its owner's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assigned.h"
#include "sluice/responder.h"
#include "sluice/status.h"
#include "sluice/v1/request.pb.h"

namespace sluice {
inline namespace abi1 {

class ServeDesk {
 public:
  using Held = std::shared_ptr<Assigned>;

  // What a frame brought; without the lock `ready` are handed out, and `stopped` told.
  struct News {
    std::vector<Held> ready;
    std::vector<Held> stopped;
    bool has_credit = false;  // For parts.
  };
  News Take(v1::ServeResponse& frame);
  // The stream is gone, with everything in hand: whose tokens stop.
  std::vector<Held> OnLost();

  // Whether it may be answered: ALREADY_ANSWERED, CANCELLED, or STREAM_ENDED, which counts it as
  // dropped.
  Status MayReply(const Assigned& request);
  bool MayPart(const Assigned& request) const { return request.parts_sent < request.parts_allowed; }
  // Requires: MayReply, and for a part MayPart. A last message behind parts waits for credit here.
  void Put(Assigned& request, v1::WorkerReply reply);

  bool has_replies() const { return !replies_.empty(); }
  // Appends as many as fit to the frame of a ServeRequest.
  void TakeInto(std::string& frame);

  std::size_t in_hand() const { return held_.size(); }
  void CountNoAnswer() { ++stats_.no_answer; }
  void CountException() { ++stats_.exceptions; }
  ResponderStats stats() const;

 private:
  struct Sent {
    std::uint64_t call_id;
    bool is_last;
  };

  Held Add(v1::Assignment& assignment);
  void Write(std::uint64_t call_id, const v1::WorkerReply& reply, bool is_last);
  void OnResult(const v1::ReplyResult& result, News& news);
  // Ends what is held under the id, if anything is; who has it in hand.
  Held End(std::uint64_t call_id, Assigned::Phase phase);

  std::map<std::uint64_t, Held> held_;
  std::deque<std::string> replies_;  // Encoded, for the wire.
  std::deque<Sent> awaited_;         // Replies without a result, in order.
  ResponderStats stats_;
};

}  // namespace abi1
}  // namespace sluice
