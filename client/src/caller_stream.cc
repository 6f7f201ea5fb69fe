// SPDX-License-Identifier: Apache-2.0
#include "caller_stream.h"

#include <charconv>
#include <string>

#include "queue_convert.h"
#include "request_convert.h"
#include "stream_status.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.RequestService/CallStream";

// How long a call that is overdue waits for the daemon's word, which says whether it was begun.
constexpr std::chrono::milliseconds kGrace{1000};

CallPart TimedOut(bool was_written) {
  CallPart part;
  part.outcome = Outcome::kTimedOut;
  part.handed_out = was_written;
  part.last = true;
  return part;
}

CallPart Unknown() {
  CallPart part;
  part.outcome = Outcome::kUnknown;
  part.handed_out = true;
  part.last = true;
  return part;
}

void TellUnknown(const CallTable::Lost& lost) {
  for (const CallTable::Sink& sink : lost.unknown) sink->Tell(Unknown());
}

}  // namespace

CallerStream::CallerStream(std::shared_ptr<Transport> transport, CallerOptions options)
    : PersistentStream(std::move(transport),
                       {kMethod, Shape::kBidirectional, options.reconnect, options.on_state}),
      options_(std::move(options)),
      table_(options_.open_calls_max, options_.pending_bytes_max) {}

v1::CallStart CallerStream::Make(const Message& message, const CallOptions& options) const {
  v1::CallStart start;
  start.set_responder(options.responder.empty() ? options_.responder : options.responder);
  *start.mutable_request() = ToWire(message);
  start.set_timeout_ms(ToWireMs(options.timeout));
  start.set_wait_for_responder(options.wait_for_responder);
  start.set_retry_on_responder_loss(options.retry_on_responder_loss);
  return start;
}

Status CallerStream::Refusal() const {
  if (end_) return EndedStatus(*end_);
  if (is_closing_) {
    return Status(Code::kFailedPrecondition, "STREAM_ENDED", "the caller is closing");
  }
  const bool is_full =
      table_.size() >= options_.open_calls_max || table_.bytes() >= options_.pending_bytes_max;
  if (options_.when_pending == WhenPending::kWait || !is_full) return Status();
  return Status(
      Code::kResourceExhausted, "PENDING_FULL", "as many calls are under way as may",
      {{"calls", std::to_string(table_.size())}, {"bytes", std::to_string(table_.bytes())}});
}

std::uint64_t CallerStream::Start(v1::CallStart start, bool retry_safe, CallTable::Sink sink) {
  std::unique_lock lock(mutex_);
  ++stats_.started;
  if (Status refusal = Refusal(); !refusal.ok()) {
    ++stats_.refused;
    lock.unlock();
    sink->Refuse(refusal);
    return 0;
  }
  const std::chrono::milliseconds timeout(start.timeout_ms());
  const Deadline until = timeout.count() == 0 ? Deadline::Never() : Deadline(timeout);
  const std::uint64_t id = table_.Add(std::move(start), retry_safe, until, std::move(sink));
  Arm();
  Pump(lock);
  return id;
}

void CallerStream::Arm() {
  const Deadline next = table_.next_due();
  if (next.at() >= timer_at_.at()) return;
  if (timer_ != nullptr) timer_->Cancel();
  timer_at_ = next;
  timer_ = StartTimer(next, [weak = weak_from_this()](bool is_time) {
    const auto self = is_time ? weak.lock() : nullptr;
    if (self != nullptr) std::static_pointer_cast<CallerStream>(self)->OnTime();
  });
}

void CallerStream::OnTime() {
  const auto now = std::chrono::steady_clock::now();
  for (;;) {
    std::optional<CallTable::Overdue> overdue;
    {
      std::unique_lock lock(mutex_);
      overdue = table_.TakeOverdue(now, kGrace);
      if (!overdue) {
        timer_at_ = Deadline::Never();
        if (!end_) Arm();
        return Pump(lock);
      }
      ++stats_.failed;
    }
    overdue->sink->Tell(TimedOut(overdue->was_written));
  }
}

void CallerStream::Withdraw(std::uint64_t id) {
  std::unique_lock lock(mutex_);
  if (table_.Cancel(id)) ++stats_.cancelled;
  Pump(lock);
}

void CallerStream::Allow(std::uint64_t id, std::uint64_t parts) {
  std::unique_lock lock(mutex_);
  table_.Allow(id, parts);
  Pump(lock);
}

void CallerStream::Pump(std::unique_lock<std::mutex>& lock) {
  if (may_write() && table_.has_frame()) {
    Write(lock, table_.TakeFrame());
  } else if (may_write() && is_closing_ && table_.size() == 0) {
    HalfClose(lock);
  } else {
    lock.unlock();
  }
}

void CallerStream::OnWritable() {
  // The daemon says nothing before the first reply: that the stream took a frame must do.
  Accept();
  std::unique_lock lock(mutex_);
  Pump(lock);
}

StreamCall::Reading CallerStream::OnFrame(grpc::ByteBuffer& frame) {
  v1::CallStreamResponse response;
  if (!Parse(frame, response)) {
    Fail(MalformedReply(kMethod));
    return Reading::kContinue;
  }
  if (response.has_closed()) NoteClosed(FromWire(response.closed().reason()));
  Told told;
  {
    std::unique_lock lock(mutex_);
    for (v1::CallReply& reply : *response.mutable_replies()) {
      CallTable::Sink sink = table_.Answered(reply.call_id(), reply.last());
      if (sink == nullptr) continue;  // It was cancelled meanwhile.
      CallPart part;
      TakeReply(reply, part);
      part.last = reply.last();
      if (part.last) ++(part.ok() ? stats_.ok : stats_.failed);
      told.emplace_back(std::move(sink), std::move(part));
    }
    Pump(lock);
  }
  for (auto& [sink, part] : told) sink->Tell(std::move(part));
  return Reading::kContinue;
}

std::uint64_t CallerStream::RefusedCall(const StreamEnd& end) const {
  if (end.status.code() != Code::kInvalidArgument) return 0;
  const auto found = end.status.details().find("call_id");
  if (found == end.status.details().end()) return 0;
  const std::string& text = found->second;
  std::uint64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  return table_.Has(id) ? id : 0;
}

bool CallerStream::GoesOnAfter(const StreamEnd& end) const { return RefusedCall(end) != 0; }

void CallerStream::OnLost(const StreamEnd& why) {
  CallTable::Lost lost;
  {
    std::lock_guard lock(mutex_);
    const std::uint64_t refused = RefusedCall(why);
    if (refused != 0) {
      lost = table_.OnRefused(refused);
      ++stats_.refused;
    } else {
      lost = table_.OnLost(why.kind == StreamEnd::Kind::kClosed ? CallTable::Loss::kAnswered
                                                                : CallTable::Loss::kInDoubt);
    }
    stats_.unknown += lost.unknown.size();
    stats_.retried += lost.again;
  }
  if (lost.refused != nullptr) lost.refused->Refuse(why.status);
  TellUnknown(lost);
}

void CallerStream::OnEnding(const StreamEnd& end) {
  std::vector<std::pair<CallTable::Sink, bool>> left;
  CallTable::Lost lost;
  const bool is_answered = end.kind == StreamEnd::Kind::kClosed;
  {
    std::lock_guard lock(mutex_);
    is_closing_ = true;  // What came in from here on would never get an outcome.
    if (const std::uint64_t refused = RefusedCall(end); refused != 0) {
      lost = table_.OnRefused(refused);
      ++stats_.refused;
      stats_.unknown += lost.unknown.size();
    }
    left = table_.TakeAll();
    if (timer_ != nullptr) timer_->Cancel();
    for (const auto& [sink, was_written] : left) {
      ++(was_written && !is_answered ? stats_.unknown : stats_.refused);
    }
  }
  if (lost.refused != nullptr) lost.refused->Refuse(end.status);
  TellUnknown(lost);
  for (const auto& [sink, was_written] : left) {
    if (was_written && !is_answered) {
      sink->Tell(Unknown());
    } else {
      sink->Refuse(EndedStatus(end));
    }
  }
}

Result<StreamEnd> CallerStream::Close(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  {
    std::unique_lock lock(mutex_);
    is_closing_ = true;
    Pump(lock);
  }
  StopReopening();
  return AwaitEnd(deadline);
}

CallerStats CallerStream::stats() const {
  CallerStats stats;
  {
    std::lock_guard lock(mutex_);
    stats = stats_;
    stats.open = table_.open();
    stats.waiting = table_.size() - table_.open();
  }
  stats.reconnects = reconnects();
  stats.exceptions = exceptions();
  return stats;
}

}  // namespace abi1
}  // namespace sluice
