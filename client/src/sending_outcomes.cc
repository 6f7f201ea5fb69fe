// SPDX-License-Identifier: Apache-2.0
// What comes back on a sending stream: opened, outcomes, the end.
#include <algorithm>
#include <utility>

#include "queue_convert.h"
#include "send_question.h"
#include "sending_stream.h"
#include "sluice/v1/queue.pb.h"
#include "stream_status.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {

StreamCall::Reading SendingStream::OnFrame(grpc::ByteBuffer& frame) {
  v1::SendStreamResponse response;
  if (!Parse(frame, response)) {
    Fail(MalformedReply(method_));
    return Reading::kContinue;
  }
  if (response.has_closed()) NoteClosed(FromWire(response.closed().reason()));
  std::vector<SendOutcome> outcomes;
  outcomes.reserve(static_cast<std::size_t>(response.acks_size()));
  for (const v1::Ack& ack : response.acks()) {
    outcomes.push_back(FromWire(ack));
    if (!IsForTheNextDaemon(outcomes.back())) continue;
    std::lock_guard lock(mutex_);
    buffer_.NoteRefused(outcomes.back().first_sequence);  // And with it all that came behind it.
    outcomes.pop_back();
  }
  if (!outcomes.empty()) Tell(std::move(outcomes));
  if (response.has_opened()) OnOpened(FromWire(response.opened()));
  return Reading::kContinue;
}

// A daemon that goes down has refused it, and spent nothing: it stays pending, to be sent again.
bool SendingStream::IsForTheNextDaemon(const SendOutcome& outcome) const {
  return outcome.outcome == Outcome::kClosed && outcome.reason == ClosedReason::kShuttingDown &&
         reconnects_enabled() && !options_.producer_id.empty();
}

void SendingStream::OnOpened(const SenderOpened& opened) {
  std::vector<SendBuffer::Range> reported;
  {
    std::lock_guard lock(mutex_);
    const bool is_another_life =
        was_opened_ && (opened.epoch != opened_.epoch || opened.last_sequence < last_spent_);
    opened_ = opened;
    next_sequence_ = std::max(next_sequence_, opened.last_sequence + 1);
    if (is_another_life) last_spent_ = 0;
    if (is_another_life && options_.on_new_epoch == OnNewEpoch::kReport) {
      reported = buffer_.Sent();
      for (const SendBuffer::Range& range : reported) stats_.unknown_new_epoch += range.count;
      buffer_.RewindUnsent();
    } else {
      if (is_another_life) {
        for (const SendBuffer::Range& range : buffer_.Sent())
          stats_.resent_new_epoch += range.count;
      }
      stats_.resent += buffer_.Rewind();
    }
    has_resent_ |= stats_.resent > 0;
    was_opened_ = true;
  }
  if (!reported.empty()) {
    TellUnknown(reported, Outcome::kUnknown, ClosedReason::kUnspecified,
                Status(Code::kUnavailable, "NEW_EPOCH",
                       "the stream was lost before the answer, and the channel is another now"));
  }
  Accept();
  OnWritable();
}

void SendingStream::Tell(std::vector<SendOutcome> outcomes) {
  if (has_resent_) {
    // Of a frame that was sent again, what has been told already is not told again.
    std::lock_guard lock(mutex_);
    for (SendOutcome& outcome : outcomes) {
      const std::uint64_t first = std::max(outcome.first_sequence, buffer_.first_pending());
      const std::uint64_t told =
          std::min<std::uint64_t>(first - outcome.first_sequence, outcome.count);
      outcome.first_sequence += told;
      outcome.count -= static_cast<std::uint32_t>(told);
      if (outcome.first_position != 0) outcome.first_position += told;
    }
    std::erase_if(outcomes, [](const SendOutcome& outcome) { return outcome.count == 0; });
  }
  // The user first: who returns from Flush has had every callback.
  for (const SendOutcome& outcome : outcomes) CallBack(options_.on_outcome, outcome);
  std::vector<std::pair<Asked, SendOutcome>> told;
  {
    std::unique_lock lock(mutex_);
    for (const SendOutcome& outcome : outcomes) {
      Count(outcome, buffer_.Answer(outcome.first_sequence, outcome.count));
      if (!awaited_.empty()) TakeAsked(outcome, told);
    }
    while (!line_.empty() && !IsFull()) {
      Admit(line_.front());
      line_.pop_front();
    }
    if (room_waiters_ > 0 && line_.empty() && HasRoomAgain()) room_.notify_all();
    changed_.notify_all();
    Pump(lock);
  }
  // One after the other: each may give up what others ask.
  for (const auto& [asked, outcome] : told) {
    if (asked->Claim()) asked->Answer(outcome);
  }
}

void SendingStream::TakeAsked(const SendOutcome& outcome,
                              std::vector<std::pair<Asked, SendOutcome>>& told) {
  const std::uint64_t end = outcome.first_sequence + outcome.count;
  auto at = awaited_.lower_bound(outcome.first_sequence);
  while (at != awaited_.end() && at->first < end) {
    SendOutcome one = outcome;
    one.first_sequence = at->first;
    one.count = 1;
    if (one.first_position != 0) one.first_position += at->first - outcome.first_sequence;
    told.emplace_back(std::move(at->second), std::move(one));
    at = awaited_.erase(at);
  }
}

void SendingStream::Count(const SendOutcome& outcome, std::uint32_t messages) {
  counts_.pending -= messages;
  if (outcome.duplicate) counts_.duplicates += messages;
  bool is_spent = true;
  switch (outcome.outcome) {
    case Outcome::kOk:
      counts_.ok += messages;
      break;
    case Outcome::kFull:
      counts_.full += messages;
      break;
    case Outcome::kTimedOut:
      counts_.timed_out += messages;
      break;
    case Outcome::kNoSubscribers:
      counts_.no_subscribers += messages;
      break;
    case Outcome::kClosed:
      counts_.closed += messages;
      is_spent = false;
      break;
    default:
      counts_.unknown += messages;
      is_spent = false;
  }
  const bool has_id = !options_.producer_id.empty();
  if (is_spent && has_id && outcome.count > 0) {
    last_spent_ = std::max(last_spent_, outcome.first_sequence + outcome.count - 1);
  }
}

void SendingStream::TellUnknown(const std::vector<SendBuffer::Range>& ranges, Outcome outcome,
                                ClosedReason reason, const Status& why) {
  std::vector<SendOutcome> outcomes;
  for (const SendBuffer::Range& range : ranges) {
    SendOutcome told;
    told.first_sequence = range.first;
    told.count = range.count;
    told.outcome = outcome;
    told.reason = reason;
    told.status = why;
    outcomes.push_back(std::move(told));
  }
  Tell(std::move(outcomes));
}

void SendingStream::OnLost(const StreamEnd& why) {
  if (!options_.producer_id.empty()) return;  // Kept, until the daemon has told its epoch.
  std::vector<SendBuffer::Range> sent;
  {
    std::lock_guard lock(mutex_);
    sent = buffer_.Sent();
  }
  if (!sent.empty()) {
    TellUnknown(sent, Outcome::kUnknown, ClosedReason::kUnspecified, EndedStatus(why));
  }
}

void SendingStream::OnEnding(const StreamEnd& end) {
  std::vector<SendBuffer::Range> pending;
  std::deque<Asked> refused;
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
    is_closing_ = true;  // What came in from here on would never get an outcome.
    pending = buffer_.Pending();
    buffer_.DropFrames();
    refused.swap(line_);
  }
  // Closed comes after all outcomes, so what has none was not accepted. Otherwise nobody can know.
  const bool is_closed = end.kind == StreamEnd::Kind::kClosed;
  TellUnknown(pending, is_closed ? Outcome::kClosed : Outcome::kUnknown,
              is_closed ? end.reason : ClosedReason::kUnspecified, EndedStatus(end));
  for (const Asked& asked : refused) {
    if (asked->Claim()) asked->Answer(SendQuestion::Refused(Outcome::kClosed, EndedStatus(end)));
  }
}

void SendingStream::OnEnded() { room_.notify_all(); }

}  // namespace abi1
}  // namespace sluice
