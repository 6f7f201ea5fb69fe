// SPDX-License-Identifier: Apache-2.0
// The sending side: frames enter, wait in line, and get their outcomes.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "broker/queue/core.h"

namespace sluice::broker {
namespace {

// A stored batch takes at most this part of the byte budget, so that a small budget is used evenly.
constexpr std::uint64_t kBatchesPerBudget = 4;

Status CheckProducerId(const std::string& producer_id) {
  if (producer_id.empty() || producer_id.size() == kProducerIdBytes) return Status();
  return InvalidField("producer_id",
                      "it has 16 bytes, this one has " + std::to_string(producer_id.size()));
}

Status TooManyProducers(const std::string& queue) {
  return Status(Code::kResourceExhausted, "TOO_MANY_PRODUCERS",
                "queue \"" + queue + "\" remembers " + std::to_string(kProducersMax) +
                    " producers, all of them in use")
      .With("queue", queue)
      .With("limit", std::to_string(kProducersMax));
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

Status CheckAtomic(const QueueSpec& spec, std::uint64_t count, std::uint64_t charge) {
  if (count <= spec.capacity && charge <= spec.bytes_max) return Status();
  const bool is_count = count > spec.capacity;
  return Status(Code::kInvalidArgument, "OUT_OF_BOUNDS",
                "an atomic frame of " + std::to_string(count) + " messages and " +
                    std::to_string(charge) + " bytes retained can never enter: capacity is " +
                    std::to_string(spec.capacity) + ", bytes_max is " +
                    std::to_string(spec.bytes_max))
      .With("field", "messages")
      .With("limit", std::to_string(is_count ? spec.capacity : spec.bytes_max))
      .With("value", std::to_string(is_count ? count : charge))
      .With("capacity", std::to_string(spec.capacity))
      .With("bytes_max", std::to_string(spec.bytes_max));
}

}  // namespace

Result<Queue::Opened> Queue::OpenProducer(Producer& producer, std::string producer_id,
                                          NotifierPtr notifier) {
  if (Status status = CheckProducerId(producer_id); !status.ok()) return status;
  Turn turn(*this);
  Core& core = turn.core();
  if (!producer_id.empty()) {
    ProducerMemory* memory = core.memory.Use(producer_id);
    if (memory == nullptr) return TooManyProducers(core.name);
    producer.memory_ = memory;
  }
  producer.notifier_ = std::move(notifier);
  producer.is_open_ = true;
  core.producers.PushBack(producer);
  core.is_armed = true;
  Opened opened{core.epoch, 0, core.spec.capacity};
  if (producer.memory_ != nullptr) {
    if (producer.memory_->stream != nullptr) turn.Supersede(*producer.memory_->stream);
    producer.memory_->stream = &producer;
    opened.last_sequence = producer.memory_->last_sequence;
  }
  return opened;
}

void Queue::CloseProducer(Producer& producer) {
  Turn turn(*this);
  turn.LetGo(std::move(producer.notifier_));
  if (!producer.is_open_) return;
  Core& core = turn.core();
  producer.is_open_ = false;
  core.producers.Erase(producer);
  if (producer.memory_ != nullptr) {
    producer.memory_->stream = nullptr;
    core.memory.Release(*producer.memory_);
    producer.memory_ = nullptr;
  }
  turn.ProducerGone();
}

bool Queue::IsSuperseded(const Producer& producer) const {
  MutexLock lock(core_->mutex);
  return producer.is_superseded_;
}

Status Queue::Send(SendTicket& ticket, Incoming incoming, const SendOptions& options,
                   NotifierPtr notifier) {
  const QueueSpec& spec = core_->spec;
  if (Status status = CheckProducerId(options.producer_id); !status.ok()) return status;
  if (Status status = CheckSequences(options, incoming.remaining()); !status.ok()) return status;
  const std::uint64_t share = spec.bytes_max / kBatchesPerBudget;
  if (incoming.largest_charge() > share) incoming.Split(static_cast<std::uint32_t>(share));
  if (incoming.largest_charge() > spec.bytes_max) {
    return OutOfBounds("messages", "bytes_max", spec.bytes_max, incoming.largest_charge());
  }
  if (options.is_atomic) {
    Status status = CheckAtomic(spec, incoming.remaining(), incoming.total_charge());
    if (!status.ok()) return status;
  }

  Turn turn(*this);
  Core& core = turn.core();
  SLUICE_CHECK(ticket.is_done_);
  ticket.memory_ = nullptr;
  if (!options.producer_id.empty()) {
    ticket.memory_ = core.memory.Use(options.producer_id);
    if (ticket.memory_ == nullptr) return TooManyProducers(core.name);
  }
  if (!options.session_id.empty()) {
    core.sending_sessions.insert(options.session_id);
    core.is_armed = true;
  }
  ticket.is_done_ = false;
  ticket.is_atomic_ = options.is_atomic;
  ticket.incoming_ = std::move(incoming);
  ticket.next_sequence_ = options.first_sequence;
  ticket.session_id_ = options.session_id;
  ticket.acks_.clear();

  auto& slots = core.mpsc.slots();
  if (core.mpsc.is_closed()) {
    turn.Refuse(ticket, Outcome::kClosed);
  } else if (slots.has_line() || !turn.Enter(ticket)) {
    if (options.mode == SendMode::kTry) {
      turn.Refuse(ticket, Outcome::kFull);
    } else if (options.deadline <= turn.now()) {
      turn.Refuse(ticket, Outcome::kTimedOut);
    } else {
      ticket.notifier_ = std::move(notifier);
      slots.Join(ticket);
      if (options.deadline != kNever) {
        ticket.due_ = core.send_dues.emplace(options.deadline, &ticket);
        ticket.has_due_ = true;
      }
      return Status();
    }
  }
  turn.Finish(ticket);
  return Status();
}

bool Queue::TakeAcks(SendTicket& ticket, std::vector<Ack>& out) {
  MutexLock lock(core_->mutex);
  out.insert(out.end(), ticket.acks_.begin(), ticket.acks_.end());
  ticket.acks_.clear();
  return ticket.is_done_;
}

void Queue::CancelSend(SendTicket& ticket) {
  Turn turn(*this);
  if (!ticket.is_done_) {
    turn.LetGo(std::move(ticket.notifier_));
    turn.LeaveLine(ticket);
    turn.Finish(ticket);
  }
  ticket.acks_.clear();
}

// A frame's sequences rise by one, so what is a repeat stands before what is new.
bool Queue::Turn::Enter(SendTicket& ticket) {
  AnswerRepeats(ticket);
  Incoming& incoming = ticket.incoming_;
  if (incoming.remaining() == 0) return true;
  auto& slots = core_.mpsc.slots();
  Meter& meter = core_.meter;
  const std::uint64_t bytes_max = core_.spec.bytes_max;
  if (ticket.is_atomic_ &&
      (incoming.remaining() > slots.free() || meter.bytes + incoming.total_charge() > bytes_max)) {
    return false;
  }
  if (meter.bytes + incoming.next_charge() > bytes_max || slots.free() == 0) return false;

  const std::uint64_t now_unix_us = core_.clock.UnixMicros();
  const std::uint64_t first_position = core_.mpsc.next_position();
  std::uint32_t count = 0;
  do {
    slots.IssueUpTo(1);
    core_.mpsc.Push(incoming.Store(meter, now_unix_us));
    ++count;
  } while (incoming.remaining() > 0 && slots.free() > 0 &&
           meter.bytes + incoming.next_charge() <= bytes_max);

  if (ticket.memory_ != nullptr) ticket.memory_->Spend(ticket.next_sequence_, count, Outcome::kOk);
  Answer(ticket, {ticket.next_sequence_, count, Outcome::kOk, first_position, false,
                  ClosedReason::kUnspecified});
  return incoming.remaining() == 0;
}

void Queue::Turn::AnswerRepeats(SendTicket& ticket) {
  ProducerMemory* memory = ticket.memory_;
  if (memory == nullptr) return;
  while (ticket.incoming_.remaining() > 0 && memory->IsRepeat(ticket.next_sequence_)) {
    const ProducerMemory::Repeat repeat =
        memory->Recall(ticket.next_sequence_, ticket.incoming_.remaining());
    for (std::uint32_t i = 0; i < repeat.count; ++i) ticket.incoming_.Skip();
    const bool is_known = repeat.outcome != Outcome::kUnknown;
    if (is_known) core_.duplicates += repeat.count;
    Answer(ticket, {ticket.next_sequence_, repeat.count, repeat.outcome, 0, is_known,
                    ClosedReason::kUnspecified});
  }
}

// Neighbouring messages of equal outcome are one range. Who waits in line is told.
void Queue::Turn::Answer(SendTicket& ticket, Ack ack) {
  ticket.next_sequence_ += ack.count;
  Tell(ticket.notifier_);
  if (!ticket.acks_.empty()) {
    Ack& last = ticket.acks_.back();
    const bool is_next_position =
        ack.first_position == (last.first_position == 0 ? 0 : last.first_position + last.count);
    if (last.outcome == ack.outcome && last.duplicate == ack.duplicate && is_next_position &&
        last.first_sequence + last.count == ack.first_sequence) {
      last.count += ack.count;
      return;
    }
  }
  ticket.acks_.push_back(ack);
}

void Queue::Turn::Refuse(SendTicket& ticket, Outcome outcome) {
  AnswerRepeats(ticket);
  const std::uint32_t count = ticket.incoming_.remaining();
  if (count == 0) return;
  ClosedReason reason = ClosedReason::kUnspecified;
  switch (outcome) {
    case Outcome::kFull:
      core_.refused_full += count;
      break;
    case Outcome::kTimedOut:
      core_.timed_out += count;
      break;
    case Outcome::kClosed:
      core_.refused_closed += count;
      reason = core_.closed_reason;
      break;
    default:
      break;
  }
  const bool is_spent = outcome == Outcome::kFull || outcome == Outcome::kTimedOut;
  if (is_spent && ticket.memory_ != nullptr) {
    ticket.memory_->Spend(ticket.next_sequence_, count, outcome);
  }
  ticket.incoming_.Drop();
  Answer(ticket, {ticket.next_sequence_, count, outcome, 0, false, reason});
}

void Queue::Turn::Finish(SendTicket& ticket) {
  ticket.is_done_ = true;
  ticket.incoming_.Drop();
  if (ticket.has_due_) core_.send_dues.erase(ticket.due_);
  ticket.has_due_ = false;
  if (ticket.memory_ != nullptr) core_.memory.Release(*ticket.memory_);
  ticket.memory_ = nullptr;
  Tell(std::move(ticket.notifier_));
}

void Queue::Turn::LeaveLine(SendTicket& ticket) { core_.mpsc.slots().Leave(ticket); }

void Queue::Turn::SendsTimeOut() {
  while (!core_.send_dues.empty() && core_.send_dues.begin()->first <= now()) {
    SendTicket& ticket = *core_.send_dues.begin()->second;
    LeaveLine(ticket);
    Refuse(ticket, Outcome::kTimedOut);
    Finish(ticket);
  }
}

void Queue::Turn::Supersede(Producer& producer) {
  ProducerMemory& memory = *producer.memory_;
  Abandon([&memory](const SendTicket& ticket) { return ticket.memory_ == &memory; });
  memory.stream = nullptr;
  core_.memory.Release(memory);
  producer.memory_ = nullptr;
  producer.is_superseded_ = true;
  producer.is_open_ = false;
  core_.producers.Erase(producer);
  Tell(std::move(producer.notifier_));
}

// N1: the last producer ends a tied queue.
void Queue::Turn::ProducerGone() {
  if (core_.spec.lifetime != Lifetime::kTied || !core_.is_armed) return;
  if (core_.producers.empty() && core_.sending_sessions.empty()) {
    Close(ClosedReason::kProducersGone);
  }
}

}  // namespace sluice::broker
