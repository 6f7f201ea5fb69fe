// SPDX-License-Identifier: Apache-2.0
#include "broker/intake.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace sluice::broker {
namespace {

// A stored batch takes at most this part of the byte budget, so that a small budget is used evenly.
constexpr std::uint64_t kBatchesPerBudget = 4;

Status CheckProducerId(const std::string& producer_id) {
  if (producer_id.empty() || producer_id.size() == kProducerIdBytes) return Status();
  return InvalidField("producer_id",
                      "it has 16 bytes, this one has " + std::to_string(producer_id.size()));
}

Status CheckSequences(const SendOptions& options, std::uint32_t count) {
  if (!options.producer_id.empty() && options.first_sequence == 0) {
    return InvalidField("first_sequence", "with a producer_id sequences begin at 1");
  }
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - count;
  if (options.first_sequence > most) {
    return OutOfBounds("first_sequence", "the most for this frame", most, options.first_sequence);
  }
  return Status();
}

}  // namespace

Intake::Intake(Terms terms, const Clock& clock, Line& line, MemoryBudget& memory)
    : terms_(std::move(terms)), line_(line), place_(memory), memory_(clock, memory) {}

Status Intake::TooManyProducers() const {
  const std::string kind(terms_.kind);
  return Status(Code::kResourceExhausted, "TOO_MANY_PRODUCERS",
                kind + " \"" + terms_.name + "\" remembers " + std::to_string(kProducersMax) +
                    " producers, all of them in use")
      .With(kind, terms_.name)
      .With("limit", std::to_string(kProducersMax));
}

// The daemon's memory bounds a channel that was allowed more.
std::uint64_t Intake::BytesMost() const {
  return std::min(terms_.bytes_max, place_.budget().limit());
}

std::string Intake::MemoryText() const {
  const std::uint64_t limit = place_.budget().limit();
  if (limit >= terms_.bytes_max) return std::string();
  return ", memory_bytes_max of the daemon is " + std::to_string(limit);
}

Status Intake::CheckAtomic(std::uint64_t count, std::uint64_t charge) const {
  const std::uint64_t most = BytesMost();
  if (count <= terms_.capacity && charge <= most) return Status();
  const bool is_count = count > terms_.capacity;
  return Status(Code::kInvalidArgument, "OUT_OF_BOUNDS",
                "an atomic frame of " + std::to_string(count) + " messages and " +
                    std::to_string(charge) + " bytes retained can never enter: capacity is " +
                    std::to_string(terms_.capacity) + ", bytes_max is " +
                    std::to_string(terms_.bytes_max) + MemoryText())
      .With("field", "messages")
      .With("limit", std::to_string(is_count ? terms_.capacity : most))
      .With("value", std::to_string(is_count ? count : charge))
      .With("capacity", std::to_string(terms_.capacity))
      .With("bytes_max", std::to_string(terms_.bytes_max));
}

Result<ProducerOpened> Intake::OpenProducer(Producer& producer, const std::string& producer_id,
                                            NotifierPtr notifier, After& after) {
  if (Status status = CheckProducerId(producer_id); !status.ok()) return status;
  if (!producer_id.empty()) {
    ProducerMemory* memory = memory_.Use(producer_id);
    if (memory == nullptr) return TooManyProducers();
    producer.memory_ = memory;
  }
  producer.notifier_ = std::move(notifier);
  producer.is_open_ = true;
  producers_.PushBack(producer);
  is_armed_ = true;
  ProducerOpened opened{terms_.epoch, 0, terms_.capacity};
  if (producer.memory_ != nullptr) {
    if (producer.memory_->stream != nullptr) Supersede(*producer.memory_->stream, after);
    producer.memory_->stream = &producer;
    opened.last_sequence = producer.memory_->last_sequence;
  }
  return opened;
}

bool Intake::CloseProducer(Producer& producer, After& after) {
  after.LetGo(std::move(producer.notifier_));
  if (!producer.is_open_) return false;
  producer.is_open_ = false;
  producers_.Erase(producer);
  if (producer.memory_ != nullptr) {
    producer.memory_->stream = nullptr;
    memory_.Release(*producer.memory_);
    producer.memory_ = nullptr;
  }
  return IsLastGone();
}

bool Intake::SessionEnded(const std::string& session_id, After& after) {
  Abandon([&](const SendTicket& ticket) { return ticket.session_id_ == session_id; }, after);
  return sessions_.erase(session_id) > 0 && IsLastGone();
}

bool Intake::IsLastGone() const {
  return terms_.lifetime == Lifetime::kTied && is_armed_ && producers_.empty() && sessions_.empty();
}

Status Intake::Check(Incoming& incoming, const SendOptions& options) const {
  if (Status status = CheckProducerId(options.producer_id); !status.ok()) return status;
  if (Status status = CheckSequences(options, incoming.remaining()); !status.ok()) return status;
  const std::uint64_t most = BytesMost();
  const std::uint64_t share = most / kBatchesPerBudget;
  if (incoming.largest_charge() > share) incoming.Split(static_cast<std::uint32_t>(share));
  if (incoming.largest_charge() > most) {
    return OutOfBounds("messages", "bytes_max", most, incoming.largest_charge());
  }
  if (!options.is_atomic) return Status();
  return CheckAtomic(incoming.remaining(), incoming.total_charge());
}

Status Intake::Begin(SendTicket& ticket, Incoming incoming, const SendOptions& options) {
  SLUICE_CHECK(ticket.is_done_);
  ticket.memory_ = nullptr;
  if (!options.producer_id.empty()) {
    ticket.memory_ = memory_.Use(options.producer_id);
    if (ticket.memory_ == nullptr) return TooManyProducers();
  }
  if (!options.session_id.empty()) {
    sessions_.insert(options.session_id);
    is_armed_ = true;
  }
  ticket.is_done_ = false;
  ticket.is_atomic_ = options.is_atomic;
  ticket.incoming_ = std::move(incoming);
  ticket.next_sequence_ = options.first_sequence;
  ticket.session_id_ = options.session_id;
  ticket.acks_.clear();
  return Status();
}

bool Intake::Waits(SendTicket& ticket, const SendOptions& options, NotifierPtr notifier,
                   After& after) {
  if (options.mode == SendMode::kTry) {
    Refuse(ticket, Outcome::kFull, after);
    return false;
  }
  if (options.deadline <= after.now()) {
    Refuse(ticket, Outcome::kTimedOut, after);
    return false;
  }
  const std::uint64_t held = ticket.incoming_.total_charge() + Owes(ticket);
  if (!place_.budget().Hold(held)) {
    place_.SetShort(held);
    Refuse(ticket, Outcome::kFull, after);
    return false;
  }
  ticket.held_bytes_ = held;
  ticket.notifier_ = std::move(notifier);
  ticket.joined_at_ = after.now();
  line_.Join(ticket);
  ++counts_.waited;
  if (options.deadline != kNever) {
    ticket.due_ = dues_.emplace(options.deadline, &ticket);
    ticket.has_due_ = true;
  }
  return true;
}

bool Intake::TakeAcks(SendTicket& ticket, std::vector<Ack>& out) {
  out.insert(out.end(), ticket.acks_.begin(), ticket.acks_.end());
  ticket.acks_.clear();
  return ticket.is_done_;
}

void Intake::Cancel(SendTicket& ticket, After& after) {
  if (!ticket.is_done_) {
    after.LetGo(std::move(ticket.notifier_));
    line_.Leave(ticket);
    counts_.abandoned += ticket.incoming_.remaining();
    Finish(ticket, after);
  }
  ticket.acks_.clear();
}

bool Intake::AnswerRepeats(SendTicket& ticket, After& after) {
  Incoming& incoming = ticket.incoming_;
  const ProducerMemory* memory = ticket.memory_;
  while (memory != nullptr && incoming.remaining() > 0 && memory->IsRepeat(ticket.next_sequence_)) {
    const ProducerMemory::Repeat repeat =
        memory->Recall(ticket.next_sequence_, incoming.remaining());
    for (std::uint32_t i = 0; i < repeat.count; ++i) incoming.Skip();
    const bool is_known = repeat.outcome != Outcome::kUnknown;
    if (is_known) counts_.duplicates += repeat.count;
    Ack ack;
    ack.count = repeat.count;
    ack.outcome = repeat.outcome;
    ack.duplicate = is_known;
    Answer(ticket, ack, after);
  }
  return incoming.remaining() == 0;
}

void Intake::Accept(SendTicket& ticket, std::uint32_t count, std::uint64_t first_position,
                    std::uint32_t delivered_to, After& after) {
  if (ticket.memory_ != nullptr) {
    memory_.Spend(*ticket.memory_, ticket.next_sequence_, count, Outcome::kOk);
  }
  Ack ack;
  ack.count = count;
  ack.outcome = Outcome::kOk;
  ack.first_position = first_position;
  ack.delivered_to = delivered_to;
  counts_.accepted += count;
  Answer(ticket, ack, after);
}

// Neighbouring messages of equal outcome are one range. Who waits in line is told.
void Intake::Answer(SendTicket& ticket, const Ack& ack, After& after) {
  const std::uint64_t first_sequence = ticket.next_sequence_;
  ticket.next_sequence_ += ack.count;
  after.Tell(ticket.notifier_);
  if (!ticket.acks_.empty()) {
    Ack& last = ticket.acks_.back();
    const bool is_next_position =
        ack.first_position == (last.first_position == 0 ? 0 : last.first_position + last.count);
    if (last.outcome == ack.outcome && last.duplicate == ack.duplicate && is_next_position &&
        last.delivered_to == ack.delivered_to && last.full_reason == ack.full_reason &&
        last.first_sequence + last.count == first_sequence) {
      last.count += ack.count;
      return;
    }
  }
  ticket.acks_.push_back(ack);
  ticket.acks_.back().first_sequence = first_sequence;
}

void Intake::Refuse(SendTicket& ticket, Outcome outcome, After& after) {
  if (AnswerRepeats(ticket, after)) return;
  Ack ack;
  ack.count = ticket.incoming_.remaining();
  ack.outcome = outcome;
  const bool may_lack_memory = outcome == Outcome::kFull || outcome == Outcome::kTimedOut;
  if (may_lack_memory && place_.is_short()) {
    ack.full_reason = FullReason::kServerMemory;
    counts_.refused_memory += ack.count;
    place_.budget().CountRefused(ack.count);
  }
  bool is_spent = true;
  switch (outcome) {
    case Outcome::kFull:
      counts_.refused_full += ack.count;
      break;
    case Outcome::kTimedOut:
      counts_.timed_out += ack.count;
      break;
    case Outcome::kNoSubscribers:
      counts_.no_subscribers += ack.count;
      break;
    case Outcome::kClosed:
      counts_.refused_closed += ack.count;
      ack.reason = closed_reason_;
      is_spent = false;
      break;
    default:
      counts_.abandoned += ack.count;
      is_spent = false;
      break;
  }
  if (is_spent && ticket.memory_ != nullptr) {
    memory_.Spend(*ticket.memory_, ticket.next_sequence_, ack.count, outcome);
  }
  ticket.incoming_.Drop();
  Answer(ticket, ack, after);
}

void Intake::Finish(SendTicket& ticket, After& after) {
  ticket.is_done_ = true;
  ticket.incoming_.Drop();
  if (ticket.held_bytes_ != 0) place_.budget().Unhold(std::exchange(ticket.held_bytes_, 0));
  if (ticket.has_due_) dues_.erase(ticket.due_);
  ticket.has_due_ = false;
  if (ticket.memory_ != nullptr) memory_.Release(*ticket.memory_);
  ticket.memory_ = nullptr;
  after.Tell(std::move(ticket.notifier_));
}

void Intake::TimeOut(After& after) {
  while (!dues_.empty() && dues_.begin()->first <= after.now()) {
    SendTicket& ticket = *dues_.begin()->second;
    line_.Leave(ticket);
    Refuse(ticket, Outcome::kTimedOut, after);
    Finish(ticket, after);
  }
}

void Intake::Close(ClosedReason reason, After& after) {
  closed_reason_ = reason;
  while (SendTicket* ticket = line_.head()) {
    line_.Leave(*ticket);
    Refuse(*ticket, Outcome::kClosed, after);
    Finish(*ticket, after);
  }
}

void Intake::Supersede(Producer& producer, After& after) {
  ProducerMemory& memory = *producer.memory_;
  Abandon([&memory](const SendTicket& ticket) { return ticket.memory_ == &memory; }, after);
  memory.stream = nullptr;
  memory_.Release(memory);
  producer.memory_ = nullptr;
  producer.is_superseded_ = true;
  producer.is_open_ = false;
  producers_.Erase(producer);
  after.Tell(std::move(producer.notifier_));
}

// The line is walked once; whoever is wanted leaves it, never accepted (kUnknown: its sequences may
// be sent again).
template <class Wanted>
void Intake::Abandon(Wanted wanted, After& after) {
  SendTicket* next = nullptr;
  for (SendTicket* ticket = line_.head(); ticket != nullptr; ticket = next) {
    next = IntrusiveList<SendTicket>::Next(*ticket);
    if (!wanted(*ticket)) continue;
    line_.Leave(*ticket);
    Refuse(*ticket, Outcome::kUnknown, after);
    Finish(*ticket, after);
  }
}

TimePoint Intake::next_due() const {
  const TimePoint forgets = memory_.next_due();
  return dues_.empty() ? forgets : std::min(forgets, dues_.begin()->first);
}

}  // namespace sluice::broker
