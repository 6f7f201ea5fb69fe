// SPDX-License-Identifier: Apache-2.0
// What a responder is, and one turn at it. Private to the responder's own sources.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/mutex.h"
#include "broker/after.h"
#include "broker/responder.h"
#include "broker/responder/envelope.h"

namespace sluice::broker {

struct Responder::Core {
  Core(std::string its_name, const ResponderSpec& its_spec, std::uint64_t its_epoch,
       const Clock& its_clock, Timers& its_timers, MemoryBudget& its_memory);

  const std::string name;
  const ResponderSpec spec;
  const std::uint64_t epoch;
  const Clock& clock;
  Timers& timers;
  MemoryBudget& memory;
  // Written under the lock, read without.
  std::atomic<bool> has_ended = false;
  std::atomic<bool> is_deleted = false;

  mutable Mutex mutex;
  // All below is guarded by mutex. What is queued: those that came back are all older than those
  // that never left, which leave in order, or when their caller goes.
  std::map<std::uint64_t, Envelope*> returned;  // by position
  IntrusiveList<Envelope> fresh;
  IntrusiveList<ResponderWorker> workers;  // oldest attachment first
  IntrusiveList<WorkerPlace> ring;         // idle and with credit, the next one first (N27)
  IntrusiveList<CallPlace> hungry;         // wait for memory to be allowed more parts
  std::multimap<TimePoint, Envelope*> dues;
  std::uint64_t next_fence;
  std::uint32_t serving = 0;  // workers that do not finish
  std::uint64_t in_flight = 0;
  RetainedBytes retained;
  std::uint64_t reserved_parts = 0;
  bool is_closed = false;
  ClosedReason closed_reason = ClosedReason::kUnspecified;
  TimePoint scheduled = kNever;  // the timers know of
  ResponderCounts counts;

  std::uint64_t depth() const { return returned.size() + fresh.size(); }
  // Parts of the largest size that memory can hold beside what is there and promised.
  std::uint64_t room_for_parts() const;
  TimePoint next_due() const { return dues.empty() ? kNever : dues.begin()->first; }
  ResponderStats Describe() const;
};

// One operation: holds the lock, and at its end lets everything happen that the change makes
// possible (calls are assigned, parts are allowed, the responder ends); then unlocks; then tells.
class Responder::Turn {
 public:
  explicit Turn(Responder& responder);
  Turn(Responder& responder, TimePoint now);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Core& core() noexcept { return core_; }
  After& after() noexcept { return after_; }

  // --- calls (call.cc) ---
  void Accept(Envelope& call);
  // Its one outcome. The caller is told.
  void Decide(Envelope& call, CallReply reply);
  void Decide(Envelope& call, Outcome outcome, ClosedReason reason = ClosedReason::kUnspecified);
  void Forget(Envelope& call, GivingUp why);
  void Push(Envelope& call, CallReply reply);
  // Takes it from where it stands. A worker that has it in hand is told that it is over.
  void Unplace(Envelope& call);
  void Charge(Envelope& call, std::uint64_t bytes);
  void Release(Envelope& call, std::uint64_t bytes);

  // --- queue (dispatch.cc) ---
  // Queued again, by its place; or over, when nobody else could take it.
  void GoBack(Envelope& call);
  bool HasOther(const Envelope& call) const;
  // The oldest call that the worker may have; those whose time is over end here.
  Envelope* FirstFor(ResponderWorker& worker);
  // Whether its credit allows one more call of this size.
  static bool HasCredit(const ResponderWorker& worker, std::uint64_t bytes);
  void Assign(Envelope& call, ResponderWorker& worker);
  void Fetch(Envelope& call, ResponderWorker& worker, WorkerNews& out);
  // Puts the worker into the ring, or takes it out, as it is now.
  void Rank(ResponderWorker& worker);
  void Dispatch();
  // A worker takes no more calls: those that only it could have had end.
  void Abandon();
  // What was assigned to the worker and not fetched goes back. Requires: it takes no more calls.
  void TakeBack(ResponderWorker& worker);

  // --- replies (reply.cc) ---
  Outcome Apply(ResponderWorker& worker, WorkerReply& reply);
  // The assignment is over.
  void Drop(ResponderWorker& worker, ResponderWorker::HeldTable::iterator held);
  // Its worker, which had it in hand, released it (kFinished) or was lost. Requires: kNowhere.
  void LetGo(Envelope& call, const ResponderWorker& worker, Leaving leaving);

  // --- parts (parts.cc) ---
  // Allows what can be. Requires: the call is held.
  void AllowMore(Envelope& call);
  void ServeHungry();
  // Keeps memory for what is allowed and has not come.
  void Reserve(Envelope& call);
  void StopParts(Envelope& call);

  // --- life (life.cc) ---
  void Close(ClosedReason reason);
  std::uint64_t Destroy(ClosedReason reason);
  void TimeOut();
  void EndIfDone();

 private:
  // A message, or the end of a reply. With the last one `last` is what the caller gets.
  Outcome AddPart(Envelope& call, WorkerReply& reply, CallReply& last);
  // False: it is too large together with what came before.
  bool Gather(Envelope& call, EncodedMessage part);
  void Exclude(Envelope& call, const ResponderWorker& worker);
  void Count(Outcome outcome);

  Responder& responder_;
  Core& core_;
  After after_;
  MutexLock lock_;
};

}  // namespace sluice::broker
