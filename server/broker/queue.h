// SPDX-License-Identifier: Apache-2.0
// A named queue: the mpsc state under one lock, and around it what the network needs: leases, so
// that what a lost consumer held comes back (N15); seats, so that one consumer is one (N18);
// producers, so that a resend makes no duplicate; and a byte budget (N14).
//
// Life of a message   accepted (has a position) -> queued -> handed out under a lease (in flight)
//                     -> settled; or back, by its original position, marked, before anything newer.
// Conservation        accepted = settled + purged + deleted + depth + in flight, at every instant:
//                     Describe() reads all of it under the one lock.
// Room                capacity bounds what is queued; max_in_flight what is handed out or has come
//                     back, which needs no slots but keeps its place there. So the bound of all is
//                     capacity + max_in_flight; and bytes_max, of what is retained, by stored
//                     batch.
// Ordering            positions are the order of acceptance (M5). An exclusive queue hands them out
//                     in order; what comes back goes first. A shared queue promises only that each
//                     message is with one consumer at a time.
// Closing             Close refuses what comes, fails who waits, and lets consumers drain; the end
//                     follows the last settlement (M30, M31, N4). Delete destroys what is queued.
// Threads             every method may be called from any thread. One mutex, none nested; notices
//                     go out after it is released.
// Cost                Send and Take: one lock a frame, a few tens of ns a message.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "broker/consumer.h"
#include "broker/memory_budget.h"
#include "broker/notifier.h"
#include "broker/producer.h"
#include "broker/queue_spec.h"
#include "broker/queue_stats.h"
#include "broker/sessions.h"
#include "broker/timers.h"

namespace sluice::broker {

class Queue final : public Scheduled,
                    public SessionBound,
                    public MemoryWaiter,
                    public std::enable_shared_from_this<Queue> {
 public:
  using Spec = QueueSpec;
  using Counts = QueueCounts;
  static constexpr std::string_view kKind = "queue";

  // `spec` is effective (queue_spec.h); `epoch` is drawn by the registry, 1 ... kDrawnMax. `clock`,
  // `timers` and `memory` outlive the queue.
  static std::shared_ptr<Queue> Create(std::string name, const QueueSpec& spec, std::uint64_t epoch,
                                       const Clock& clock, Timers& timers, MemoryBudget& memory);
  ~Queue() override;

  const std::string& name() const noexcept;
  const QueueSpec& spec() const noexcept;
  std::uint64_t epoch() const noexcept;
  QueueStats Describe() const;
  std::uint64_t free_slots() const;  // M25, a moment ago

  // --- life -------------------------------------------------------------------------------------
  // Idempotent (N4). kShuttingDown replaces an earlier kRequested as the reason told to those still
  // here.
  void Close(ClosedReason reason);
  // Destroys what is queued and held, ends everybody with `reason` (kDeleted, or kShuttingDown past
  // the grace). Returns how many messages went.
  std::uint64_t Delete(ClosedReason reason);
  // Destroys what is queued, delayed and come back, not what is in flight. Returns how many.
  std::uint64_t Purge();
  // The messages queued (come back ones included) from a position on, oldest first; changes
  // nothing. The runs' attempts are those so far.
  void Peek(std::uint64_t from_position, std::uint32_t messages_max, std::uint64_t bytes_max,
            Delivery& out) const;
  // Closed, and everything accepted is accounted for: the name may be declared anew.
  bool has_ended() const;
  // Ended by Delete, or as close_on_consumer_loss does it: nobody finds it any more.
  bool is_deleted() const;

  // --- producers
  // ----------------------------------------------------------------------------------
  using Opened = ProducerOpened;
  // A live stream with the same producer id is superseded: its waiting messages are cancelled, and
  // only then is last_sequence read. RESOURCE_EXHAUSTED, reason TOO_MANY_PRODUCERS. A closed queue
  // opens: what is sent then gets kClosed.
  Result<Opened> OpenProducer(Producer& producer, std::string producer_id, NotifierPtr notifier);
  // A sender drop (N3). Its owner has cancelled its tickets, or waits for them first (half-close).
  void CloseProducer(Producer& producer);
  bool IsSuperseded(const Producer& producer) const;

  // Places the messages, in order (N8, N10): each gets one outcome. kTry: the prefix that fits is
  // kOk, the rest kFull. kWait: the rest stands in the one line of the queue (N11) and enters as
  // room comes. Atomic: all or nothing, all at once. INVALID_ARGUMENT, nothing done: an atomic
  // frame larger than capacity or bytes_max (states both). A queue that closed answers kClosed. A
  // sequence spent before gets its outcome again, when its turn comes. INVALID_ARGUMENT also for a
  // message that bytes_max can never hold, a producer id that has not 16 bytes, and sequence 0 with
  // one; RESOURCE_EXHAUSTED, reason TOO_MANY_PRODUCERS. Ask TakeAcks after it; the notifier is told
  // whenever TakeAcks would give something later.
  Status Send(SendTicket& ticket, Incoming incoming, const SendOptions& options,
              NotifierPtr notifier);
  // Appends the outcomes known since last asked. True: the ticket is done, all its outcomes were
  // given.
  bool TakeAcks(SendTicket& ticket, std::vector<Ack>& out);
  // The client went (N3, M14): what waits is never accepted. The ticket is done; no outcome is
  // given. (What the queue itself abandons, because the stream was superseded or the session ended,
  // is kUnknown: never accepted, and its sequences may be sent again.)
  void CancelSend(SendTicket& ticket);

  // --- consumers ------------------------------------------------------------------------------
  // FAILED_PRECONDITION, reason CONSUMER_PRESENT (kRefuse on a taken seat). Otherwise attached or
  // in line for the seat: ask Poll after it. `notifier` is told of what comes later: attachment,
  // messages wanted, nothing held any more after Finish, and the end. A shared queue has a seat for
  // everybody, whatever the mode.
  Status Attach(Consumer& consumer, ConsumerOptions options, NotifierPtr notifier);
  ConsumerNews Poll(Consumer& consumer);
  std::uint32_t PlaceInLine(
      const Consumer& consumer) const;                   // for the seat: 1 is next; 0: not in line
  std::uint32_t HeldBy(const Consumer& consumer) const;  // messages delivered and not settled
  // Replaces `out` by what credit, max_in_flight and `bytes_max` allow (one message passes whatever
  // its size, with nothing held). An empty delivery: the consumer is told when asking again is
  // worth it, unless `is_writing`: its stream is busy from now on, whatever this gives. Who is told
  // has its share kept, and one that does not read would keep it from the others (N42).
  void Take(Consumer& consumer, std::uint64_t bytes_max, Delivery& out, bool is_writing = false);
  // The write of a delivery was done (auto_ack settles it) or will never be (auto_ack: it goes
  // back).
  void Written(Consumer& consumer, const Delivery& delivery, bool ok);
  void SetCredit(Consumer& consumer, Credit credit);
  // Takes nothing new from now on; what is held may be settled. True: nothing is held.
  bool Finish(Consumer& consumer);
  bool HoldsNothing(const Consumer& consumer) const;
  // What is held goes back by its position; the seat passes on.
  void Detach(Consumer& consumer, Leaving leaving);

  // As a long poll (N17). The ticket is done at once (ask TakeReceived after it), or when a
  // message, the end or the deadline comes; then the notifier is told. FAILED_PRECONDITION, reason
  // CONSUMER_PRESENT.
  Status Receive(ReceiveTicket& ticket, ReceiveOptions options, NotifierPtr notifier);
  // True: done, and `out` says how.
  bool TakeReceived(ReceiveTicket& ticket, Received& out);
  // The caller went: nothing was consumed; what was handed out goes back, no failure counted.
  void CancelReceive(ReceiveTicket& ticket);
  // The answer of a done receive could not be sent: its lease goes back (N17).
  void ReturnLease(std::uint64_t lease);

  // `stream_lease`: what a settlement without a lease means (a stream's own); 0: it must name one.
  void Settle(std::span<const Settlement> settlements, std::uint64_t stream_lease,
              std::vector<SettleResult>& results);

  // The session's leases go back, its waiting sends are abandoned, its waiting receives are kEmpty,
  // its part in a tied lifetime ends. Idempotent.
  void SessionEnded(const std::string& session_id) override;

  // --- time
  // ---------------------------------------------------------------------------------------
  TimePoint RunDue(TimePoint now) override;
  MemoryWaiter::Turn TakeMemory() override;

 private:
  struct Core;  // the state, guarded by its mutex (queue/core.h)
  class Turn;   // one operation under the lock, and what follows from it

  Queue(std::string name, const QueueSpec& spec, std::uint64_t epoch, const Clock& clock,
        Timers& timers, MemoryBudget& memory);

  const std::unique_ptr<Core> core_;
};

}  // namespace sluice::broker
