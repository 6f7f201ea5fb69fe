// SPDX-License-Identifier: Apache-2.0
// A named topic: a ring of stored messages, the cursors of those who read it, and around them what
// the network needs: the way in that queues have too (intake.h), a place for those who come back
// (N31), and three answers to a subscriber that does not keep up.
//
// Ring           the latest messages, at most `capacity` and `bytes_max`; what is published then
//                overwrites the oldest (B5, B27). Kept also when everybody has read them.
// Conservation   accepted = overwritten + depth, at every instant. For each subscriber: messages +
//                missed = advance of its position (B10).
// Nobody there   kNoSubscribers, nothing stored and no position used, unless somebody is attached
//                or left within resume_window_ms (N29).
// Slow           kLag: the oldest is overwritten; the subscriber's next Take tells by how much.
//                kDisconnect: that Take is its end. kBlock: publishing waits in one line (N11)
//                while an attached subscriber wants the oldest, a message at most block_ms; then
//                the oldest is overwritten, and who wanted it is waited for no more until it has
//                been told, and asks again.
// Memory         When the daemon's is used up, a publish takes no more of it than the oldest
// retained
//                gives back: under kLag and kDisconnect they are overwritten, under kBlock those
//                that nobody waits for. Where that is not enough it waits, or is kFull.
// Closing        Close refuses what comes and fails who waits; each subscriber still gets what is
//                retained of its own, then the end (B16). Delete ends everybody at once (N4).
// Threads        every method may be called from any thread. One mutex, none nested; notices go out
//                after it is released.
// Cost           Publish and Take: one lock a call, a few tens of ns a message; nothing is encoded
//                or copied again for a subscriber (N33). Publish also a step for each subscriber
//                that waits, and under kBlock in a full ring for each that is attached.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "broker/memory_budget.h"
#include "broker/notifier.h"
#include "broker/producer.h"
#include "broker/sessions.h"
#include "broker/timers.h"
#include "broker/topic_spec.h"
#include "broker/topic_stats.h"
#include "broker/topic_subscriber.h"

namespace sluice::broker {

class Topic final : public Scheduled,
                    public SessionBound,
                    public MemoryWaiter,
                    public std::enable_shared_from_this<Topic> {
 public:
  using Spec = TopicSpec;
  using Counts = TopicCounts;
  static constexpr std::string_view kKind = "topic";

  // `spec` is effective (topic_spec.h); `epoch` is drawn by the registry, 1 ... kDrawnMax. `clock`,
  // `timers` and `memory` outlive the topic.
  static std::shared_ptr<Topic> Create(std::string name, const TopicSpec& spec, std::uint64_t epoch,
                                       const Clock& clock, Timers& timers, MemoryBudget& memory);
  ~Topic() override;

  const std::string& name() const noexcept;
  const TopicSpec& spec() const noexcept;
  std::uint64_t epoch() const noexcept;
  TopicStats Describe() const;
  // Those of streams above `after_stream_id`, oldest stream first, at most `count`.
  std::vector<SubscriberStats> Subscribers(std::uint64_t after_stream_id, std::size_t count) const;
  // kBlock: messages that could be published a moment ago without waiting. Otherwise the capacity.
  std::uint64_t free_slots() const;

  // --- life -------------------------------------------------------------------------------------
  // Idempotent (N4). kShuttingDown replaces an earlier kRequested as the reason told to those still
  // here.
  void Close(ClosedReason reason);
  // Destroys what is retained, ends everybody with `reason` (kDeleted, or kShuttingDown past the
  // grace). Returns how many messages went.
  std::uint64_t Delete(ClosedReason reason);
  // Closed, and every subscriber has its end: the name may be declared anew. What is retained can
  // still be had.
  bool has_ended() const;
  bool is_deleted() const;

  // --- publishers -----------------------------------------------------------------------------
  // As Queue's: see there, and intake.h.
  Result<ProducerOpened> OpenProducer(Producer& producer, std::string producer_id,
                                      NotifierPtr notifier);
  void CloseProducer(Producer& producer);
  bool IsSuperseded(const Producer& producer) const;
  // Each message gets one outcome, in order. Waits (or is kFull) under kBlock alone. Ask TakeAcks
  // after it; the notifier is told whenever TakeAcks would give something later. Faults as
  // Queue::Send.
  Status Publish(SendTicket& ticket, Incoming incoming, const SendOptions& options,
                 NotifierPtr notifier);
  bool TakeAcks(SendTicket& ticket, std::vector<Ack>& out);
  // The client went (N3, M14): what waits is never accepted. The ticket is done.
  void CancelPublish(SendTicket& ticket);

  // --- subscribers ------------------------------------------------------------------------------
  // Attached when it returns: everything accepted from then on is offered to it (N28). A closed
  // topic still gives what it retains; a deleted one the end. Ask Take after it.
  Announced WhereItBegins(const SubscriberOptions& options) const;  // without being attached
  Announced Subscribe(Subscriber& subscriber, SubscriberOptions options, NotifierPtr notifier);
  // Replaces `out` by what comes next for it, `bytes_max` or one message. Nothing: the notifier is
  // told when asking again is worth it. What was given before has been written, or will not be.
  void Take(Subscriber& subscriber, std::uint64_t bytes_max, Taken& out);
  // Idempotent.
  void Unsubscribe(Subscriber& subscriber);
  // Somebody it would have been offered to had left then, before the topic came to be (N29).
  void RememberSubscriber(TimePoint left_at);

  // The session's waiting publishes are abandoned, its part in a tied lifetime ends. Idempotent.
  void SessionEnded(const std::string& session_id) override;

  TimePoint RunDue(TimePoint now) override;
  MemoryWaiter::Turn TakeMemory() override;

 private:
  struct Core;  // the state, guarded by its mutex (topic/core.h)
  class Turn;   // one operation under the lock, and what follows from it

  Topic(std::string name, const TopicSpec& spec, std::uint64_t epoch, const Clock& clock,
        Timers& timers, MemoryBudget& memory);

  const std::unique_ptr<Core> core_;
};

}  // namespace sluice::broker
