// SPDX-License-Identifier: Apache-2.0
// A named responder: a queue of envelopes, each with the oneshot of its caller, handed to workers
// in turn (N22, N27). Dropping an end is the signal both ways: a caller that goes is told to the
// worker (N24), a worker that goes is told to the caller (N23).
//
// Life of a call      accepted: queued; assigned to a worker: in flight; fetched by the worker's
//                     stream: in hand. Then one outcome (N25), whoever is first under the lock; the
//                     others find it over. Assigned and not yet in hand it goes back unharmed when
//                     its worker leaves.
// Conservation        accepted = answered + failed + responder_gone + no_responder + too_large +
//                     timed_out + cancelled + closed + depth + in_flight, at every instant.
// Order               of acceptance. What comes back (released, or retried) goes by its place,
//                     before anything newer. A call is never again for a worker that released it.
// Room                capacity bounds what is queued; what comes back needs none. bytes_max bounds
//                     requests, replies not yet taken, and kMessageOverheadBytes a call. A call
//                     without room, here or in the daemon's memory, is kFull at once: there is no
//                     line. Replies are always taken, so
//                     what is retained may pass bytes_max, by one message for each call in flight
//                     and by the parts that were allowed.
// Parts               a worker is allowed one part, and as many more as its caller allows and
//                     memory can hold at message_bytes_max each; the rest is allowed later, as
//                     parts are taken. A part more than allowed fails the call. Of a reply that is
//                     gathered more is always allowed: it is bounded by message_bytes_max.
// Closing             Close refuses what comes and ends what is queued; when nothing is in flight
//                     the responder has ended, and its workers are told (X36). Delete ends
//                     everything at once (N4).
// Threads             every method may be called from any thread. One mutex, none nested; notices
//                     go out after it is released.
// Cost                one lock for Ask, for a frame of replies, of assignments, or of answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "broker/consumer.h"
#include "broker/memory_budget.h"
#include "broker/responder_call.h"
#include "broker/responder_spec.h"
#include "broker/responder_stats.h"
#include "broker/responder_worker.h"
#include "broker/timers.h"

namespace sluice::broker {

class Responder final : public Scheduled, public std::enable_shared_from_this<Responder> {
 public:
  using Spec = ResponderSpec;
  using Counts = ResponderCounts;
  static constexpr std::string_view kKind = "responder";

  // `spec` is effective (responder_spec.h); `epoch` is drawn by the registry. `clock`, `timers`
  // and `memory` outlive the responder.
  static std::shared_ptr<Responder> Create(std::string name, const ResponderSpec& spec,
                                           std::uint64_t epoch, const Clock& clock, Timers& timers,
                                           MemoryBudget& memory);
  ~Responder() override;

  const std::string& name() const noexcept;
  const ResponderSpec& spec() const noexcept;
  std::uint64_t epoch() const noexcept;
  ResponderStats Describe() const;
  // Also up to `workers_max` workers whose fence is above `after_fence`.
  ResponderView Look(std::uint64_t after_fence, std::size_t workers_max) const;

  // --- life -------------------------------------------------------------------------------------
  // Idempotent (N4). kShuttingDown replaces an earlier kRequested as the reason told to those still
  // here.
  void Close(ClosedReason reason);
  // Ends every call and every worker with `reason`. Returns how many calls it ended.
  std::uint64_t Delete(ClosedReason reason);
  // Closed, and every call has its outcome: the name may be declared anew.
  bool has_ended() const;
  // Ended by Delete: nobody finds it any more.
  bool is_deleted() const;

  // --- callers ----------------------------------------------------------------------------------
  // A reply at once: the call was refused (kClosed, kNoResponder, kFull), and is not open.
  // Requires: the caller has no call of this id; the request has at most message_bytes_max.
  std::optional<CallReply> Ask(Caller& caller, std::uint64_t call_id, EncodedMessage request,
                               const CallOptions& options);
  // Appends what has come, oldest first, as long as `out` stays within both limits; one passes
  // whatever its size. With its last reply a call is no longer open.
  void TakeReplies(Caller& caller, std::size_t replies_max, std::uint64_t bytes_max,
                   CallReplies& out);
  // Parts in all, from the first of the call; only a higher number changes anything. Of a call that
  // is not open, or is gathered, it is ignored.
  void AllowParts(Caller& caller, std::uint64_t call_id, std::uint64_t parts);
  // Nothing more comes for the call (N24). Ignored when it is not open.
  void Cancel(Caller& caller, std::uint64_t call_id, GivingUp why);
  // All that are open. The caller is forgotten.
  void Leave(Caller& caller, GivingUp why);

  // --- workers ----------------------------------------------------------------------------------
  struct Attachment {
    std::uint64_t fence = 0;  // rises with every attachment; 0: the responder has ended
    ClosedReason ended = ClosedReason::kUnspecified;
  };
  // `notifier` is told when Take would give something. A credit above kWorkerHoldsMax is that.
  Attachment Attach(ResponderWorker& worker, WorkerOptions options, NotifierPtr notifier);
  // Replaces `out` by all there is to tell, with assignments of at most `bytes_max`, or one.
  // `is_writing`: whatever this gives, the stream is busy from now on. A worker is assigned calls
  // while its stream is idle: one that does not read leaves them to others.
  void Take(ResponderWorker& worker, std::uint64_t bytes_max, bool is_writing, WorkerNews& out);
  // Appends one result for each reply, in order (N25). Takes the messages out of `replies`.
  void Reply(ResponderWorker& worker, std::span<WorkerReply> replies,
             std::vector<ReplyResult>& results);
  void SetCredit(ResponderWorker& worker, Credit credit);
  // Takes nothing new from now on; what is held may be answered.
  void Finish(ResponderWorker& worker);
  std::uint64_t HeldBy(const ResponderWorker& worker) const;
  // What it holds is released (kFinished), or lost (kLost, N23).
  void Detach(ResponderWorker& worker, Leaving leaving);

  // --- time -------------------------------------------------------------------------------------
  TimePoint RunDue(TimePoint now) override;

 private:
  struct Core;  // the state, guarded by its mutex (responder/core.h)
  class Turn;   // one operation under the lock, and what follows from it

  Responder(std::string name, const ResponderSpec& spec, std::uint64_t epoch, const Clock& clock,
            Timers& timers, MemoryBudget& memory);

  const std::unique_ptr<Core> core_;
};

}  // namespace sluice::broker
