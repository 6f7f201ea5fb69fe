// SPDX-License-Identifier: Apache-2.0
// The way in of a queue or a topic: the one line of those who wait for room (N11), duplicates (N9),
// the outcome of each message (N8), and the producers whose end may end the channel (N1).
//
// The channel decides what has room: it gives Send a function `enter(ticket)`, which stores what
// fits, accepts it here, and says whether nothing remains.
//
// Threads    none of its own; the channel's lock guards it, but for Check.
// Cost       one hash lookup a frame with a producer id; otherwise a few ns a frame.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/result.h"
#include "broker/after.h"
#include "broker/memory_place.h"
#include "broker/producer.h"
#include "broker/producer_table.h"
#include "broker/spec_fields.h"
#include "channel/slot_line.h"

namespace sluice::broker {

class Intake {
 public:
  // Of the channel, for as long as it lives. `kind` is the word for it in texts and details.
  struct Terms {
    std::string_view kind;
    std::string name;
    std::uint64_t epoch = 0;
    std::uint64_t capacity = 0;
    std::uint64_t bytes_max = 0;
    Lifetime lifetime = Lifetime::kStanding;
  };
  struct Counts {
    std::uint64_t refused_full = 0;
    std::uint64_t refused_closed = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t no_subscribers = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t accepted = 0;
    std::uint64_t abandoned = 0;       // their sender went while they waited
    std::uint64_t waited = 0;          // frames that stood in line
    std::uint64_t refused_memory = 0;  // of refused_full and timed_out: for want of memory
  };
  using Line = channel::SlotLine<SendTicket>;

  // `line` is the channel's, and outlives the intake.
  Intake(Terms terms, const Clock& clock, Line& line, MemoryBudget& memory);

  // --- producers ---
  // A live stream with the same producer id is superseded: what it has waiting is abandoned, and
  // only then is last_sequence read. INVALID_ARGUMENT for the id; RESOURCE_EXHAUSTED, reason
  // TOO_MANY_PRODUCERS.
  Result<ProducerOpened> OpenProducer(Producer& producer, const std::string& producer_id,
                                      NotifierPtr notifier, After& after);
  // True: the last producer of a tied channel went, and the channel closes (N1).
  [[nodiscard]] bool CloseProducer(Producer& producer, After& after);
  static bool IsSuperseded(const Producer& producer) { return producer.is_superseded_; }
  // What the session has waiting is abandoned. True: as CloseProducer.
  [[nodiscard]] bool SessionEnded(const std::string& session_id, After& after);
  std::size_t producers() const { return producers_.size() + sessions_.size(); }

  // --- one frame ---
  // Without the lock: what can never enter is INVALID_ARGUMENT. Splits what is too large a part of
  // the byte budget.
  Status Check(Incoming& incoming, const SendOptions& options) const;
  // Requires: Check. RESOURCE_EXHAUSTED, reason TOO_MANY_PRODUCERS. Otherwise the ticket is done,
  // or stands in line. Of a stream that is superseded and does not know it yet nothing enters
  // (kUnknown): the one that took its place was told what was spent.
  template <class Enter>
  Status Send(SendTicket& ticket, Incoming incoming, const SendOptions& options,
              NotifierPtr notifier, After& after, Enter enter) {
    if (Status begun = Begin(ticket, std::move(incoming), options); !begun.ok()) return begun;
    if (options.producer != nullptr && IsSuperseded(*options.producer)) {
      Refuse(ticket, Outcome::kUnknown, after);
    } else if (is_closed()) {
      Refuse(ticket, Outcome::kClosed, after);
    } else if (line_.has_line() || !enter(ticket)) {
      if (Waits(ticket, options, std::move(notifier), after)) return Status();
    }
    Finish(ticket, after);
    return Status();
  }
  // Appends the outcomes known since last asked. True: done.
  static bool TakeAcks(SendTicket& ticket, std::vector<Ack>& out);
  void Cancel(SendTicket& ticket, After& after);

  // --- for `enter` ---
  static Incoming& incoming(SendTicket& ticket) { return ticket.incoming_; }
  // Of memory, beside what is stored, to remember that the next of it are accepted.
  static std::uint64_t Owes(const SendTicket& ticket) {
    const ProducerMemory* const memory = ticket.memory_;
    return memory == nullptr ? 0 : memory->Lacks(ticket.next_sequence_, Outcome::kOk);
  }
  static bool is_atomic(const SendTicket& ticket) { return ticket.is_atomic_; }
  // Requires: it stands in line.
  static TimePoint joined_at(const SendTicket& ticket) { return ticket.joined_at_; }
  // Leading repeats get their outcome again. Sequences rise by one, so what is a repeat stands
  // before what is new. True: nothing remains.
  bool AnswerRepeats(SendTicket& ticket, After& after);
  // The next `count` messages have been stored, from the position on.
  void Accept(SendTicket& ticket, std::uint32_t count, std::uint64_t first_position,
              std::uint32_t delivered_to, After& after);
  // The rest gets the outcome; what is a repeat its own.
  void Refuse(SendTicket& ticket, Outcome outcome, After& after);

  // --- the line ---
  // Those at the head enter as far as there is room.
  template <class Enter>
  void Advance(After& after, Enter enter) {
    line_.Advance(enter, [&](SendTicket& done) { Finish(done, after); });
  }
  // As above, in the channel's turn to take memory: the head alone.
  // True: something entered, or left the line.
  template <class Enter>
  bool TakeMemory(After& after, Enter enter) {
    const SendTicket* const head = line_.head();
    const std::uint64_t accepted = counts_.accepted;
    bool is_next = true;
    place_.InTurn([&] {
      Advance(after,
              [&](SendTicket& ticket) { return std::exchange(is_next, false) && enter(ticket); });
    });
    return line_.head() != head || counts_.accepted != accepted;
  }
  // What the head lacks, if it is memory. As of the last Advance.
  std::uint64_t needs_memory() const { return place_.needs_in(line_.has_line()); }
  MemoryPlace& memory() { return place_; }
  // At the end of an operation. `self` gives the channel.
  template <class Self>
  void SettleMemory(After& after, Self self) {
    const MemoryPlace::Change change = place_.Settle(line_.has_line());
    if (change == MemoryPlace::Change::kJoins) after.WaitForMemory(self(), needs_memory());
    if (change == MemoryPlace::Change::kLeaves) after.LeaveMemory();
  }
  void TimeOut(After& after);
  // kClosed for those who wait, and for all who come. Again: replaces the reason alone.
  void Close(ClosedReason reason, After& after);
  bool is_closed() const { return closed_reason_ != ClosedReason::kUnspecified; }
  ClosedReason closed_reason() const { return closed_reason_; }

  const Counts& counts() const { return counts_; }
  // When the first in line joined it; kNever: nobody waits.
  TimePoint waiting_since() const { return line_.has_line() ? line_.head()->joined_at_ : kNever; }
  TimePoint next_due() const;
  void ForgetProducers(TimePoint now) { memory_.RunDue(now); }

 private:
  Status TooManyProducers() const;
  std::uint64_t BytesMost() const;
  std::string MemoryText() const;
  Status CheckAtomic(std::uint64_t count, std::uint64_t charge) const;
  Status Begin(SendTicket& ticket, Incoming incoming, const SendOptions& options);
  // False: its mode has it refused instead.
  bool Waits(SendTicket& ticket, const SendOptions& options, NotifierPtr notifier, After& after);
  void Answer(SendTicket& ticket, const Ack& ack, After& after);
  void Finish(SendTicket& ticket, After& after);
  void Supersede(Producer& producer, After& after);
  template <class Wanted>
  void Abandon(Wanted wanted, After& after);
  bool IsLastGone() const;

  const Terms terms_;
  Line& line_;
  MemoryPlace place_;
  ProducerTable memory_;
  IntrusiveList<Producer> producers_;         // open streams
  std::unordered_set<std::string> sessions_;  // producers in the sense of N1
  std::multimap<TimePoint, SendTicket*> dues_;
  ClosedReason closed_reason_ = ClosedReason::kUnspecified;
  bool is_armed_ = false;  // a producer came (N1)
  Counts counts_;
};

}  // namespace sluice::broker
