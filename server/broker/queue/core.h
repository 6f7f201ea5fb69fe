// SPDX-License-Identifier: Apache-2.0
// What a queue is, and one turn at it. Private to the queue's own sources.
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
#include "broker/batch.h"
#include "broker/intake.h"
#include "broker/queue.h"
#include "broker/queue/come_back.h"
#include "broker/queue/expired.h"
#include "broker/queue/ledger.h"
#include "broker/queue/seats.h"
#include "channel/mpsc_state.h"

namespace sluice::broker {

inline constexpr std::uint64_t kLastPosition = ~std::uint64_t{0};

struct Queue::Core {
  Core(std::string queue_name, const QueueSpec& queue_spec, std::uint64_t queue_epoch,
       const Clock& queue_clock, Timers& queue_timers, MemoryBudget& queue_memory);

  const std::string name;
  const QueueSpec spec;
  const std::uint64_t epoch;
  const Clock& clock;
  Timers& timers;
  MemoryBudget& memory;
  // Written under the lock, read without.
  std::atomic<bool> has_ended = false;
  std::atomic<bool> is_deleted = false;

  mutable Mutex mutex;
  // All below is guarded by mutex. The meter outlives every message.
  Meter meter;
  channel::MpscState<Message, SendTicket>
      mpsc;  // queued for the first time, and the line of senders
  ComeBack come_back;
  Ledger ledger;
  Expired expired;
  Seats seats;
  Intake intake;
  std::multimap<TimePoint, ReceiveTicket*> receive_dues;
  TimePoint scheduled = kNever;  // the timers know of

  std::uint64_t settled = 0;
  std::uint64_t purged = 0;
  std::uint64_t deleted = 0;
  std::uint64_t delivered = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t failures = 0;
  std::uint64_t lease_expiries = 0;
  std::uint64_t stale_settlements = 0;
  std::uint64_t receives_ok = 0;
  std::uint64_t receives_empty = 0;
  std::uint64_t receives_closed = 0;

  std::uint64_t depth() const { return mpsc.size() + come_back.size(); }
  // When the oldest that is not settled was accepted; 0: there is none.
  std::uint64_t oldest_unsettled_unix_us() const;
  // How many messages could be handed out now. What came back has its place in flight already.
  std::uint64_t available() const;
  TimePoint next_due() const;
};

// One operation: holds the lock, and at its end lets everything happen that the change makes
// possible (senders enter, waiting receives are served, the queue ends); then unlocks; then tells.
class Queue::Turn {
 public:
  explicit Turn(Queue& queue);
  Turn(Queue& queue, TimePoint now);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Core& core() noexcept { return core_; }
  After& after() noexcept { return after_; }
  TimePoint now() { return after_.now(); }  // one instant for the whole turn
  // To be told, or only let go, after the lock is released.
  void Tell(NotifierPtr notifier) { after_.Tell(std::move(notifier)); }
  void LetGo(NotifierPtr notifier) { after_.LetGo(std::move(notifier)); }

  // Brings the queue to rest. Idempotent; also done at the end of the turn.
  void Balance();

  // --- sending (send.cc) ---
  // Stores what has room. True: nothing remains. Requires: it is the head of the line, or none
  // stands.
  bool Enter(SendTicket& ticket);

  // --- life (life.cc) ---
  void Close(ClosedReason reason);
  std::uint64_t Destroy(ClosedReason reason);

  // --- consuming (consume.cc, receive.cc, settle.cc) ---
  struct Allowance {
    std::uint64_t messages;
    std::uint64_t delivery_bytes;  // or one message
    std::uint64_t credit_bytes;
    bool holds_nothing;  // then one message passes whatever its size
  };
  enum class Because : std::uint8_t { kFailed, kReleased };  // why it goes back: failures count
  struct Handed {
    std::uint32_t messages = 0;
    std::uint64_t bytes = 0;
  };
  Status ConsumerPresent() const;
  Handed HandOut(Lease& lease, const Allowance& allowance, Delivery& out);
  void TakeSeat(Consumer& consumer);
  // The holder of the one seat loses it, and what it holds goes back (N18).
  void Evict();
  // What an attached consumer holds goes back, and it has no seat any more.
  void Leave(Consumer& consumer, Because because);
  // It asked and got nothing, or its credit changed.
  void Want(Consumer& consumer);
  void EndReceive(ReceiveTicket& ticket, Outcome outcome, ClosedReason reason);
  void ReceivesTimeOut();
  // What the lease holds in the range goes back. Returns how many. May close the lease.
  std::uint32_t GoBack(Lease& lease, std::uint64_t first, std::uint64_t last, Because because,
                       Duration delay = Duration::zero());
  std::uint32_t Settle(Lease& lease, std::uint64_t first, std::uint64_t last,
                       const Settlement& settlement);
  std::uint32_t Acknowledge(Lease& lease, std::uint64_t first, std::uint64_t last);
  std::uint32_t Extend(Lease& lease, std::uint64_t first, std::uint64_t last, Duration lease_for);
  void LeasesRunOut();

 private:
  // `owed`: of memory beside the charge (Intake::Owes).
  bool HasRoom(std::uint64_t messages, std::uint64_t charge, std::uint64_t owed);
  void PassSeat();
  bool Serve();
  void ServeTicket(ReceiveTicket& ticket, std::uint64_t messages_max);
  void EndIfDone();
  void Unhold(Lease& lease, const Message& message);
  void Freed(Lease& lease);

  Queue& queue_;
  Core& core_;
  After after_;  // before the lock, so destroyed after it
  MutexLock lock_;
};

}  // namespace sluice::broker
