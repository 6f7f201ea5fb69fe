// SPDX-License-Identifier: Apache-2.0
#include "queue_sender_state.h"

#include <utility>

#include "grpc_status.h"
#include "queue_convert.h"
#include "stream_status.h"
#include "unary.h"
#include "wait_until.h"
#include "wire/utf8.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.QueueService/SendStream";

Status CheckText(const Message& message) {
  const char* field = nullptr;
  if (!wire::IsValidUtf8(message.id)) field = "id";
  if (!wire::IsValidUtf8(message.content_type)) field = "content_type";
  for (const Header& header : message.headers) {
    if (!wire::IsValidUtf8(header.key) || !wire::IsValidUtf8(header.value)) field = "headers";
  }
  if (field == nullptr) return Status();
  // The daemon would refuse the whole frame, and end the stream.
  return Status(Code::kInvalidArgument, "BAD_OPTION", std::string(field) + " is not UTF-8",
                {{"field", field}});
}

}  // namespace

QueueSender::State::State(std::shared_ptr<Transport> transport, SenderOptions options)
    : StreamCall(std::move(transport)),
      options_(std::move(options)),
      buffer_(options_.frame_bytes_max) {}

Status QueueSender::State::Open(Deadline deadline) {
  Start(kMethod);
  if (IsOwnThread()) return WouldBlockStatus();
  std::unique_lock lock(mutex_);
  ++change_waiters_;
  const bool in_time = WaitUntil(changed_, lock, deadline, [this] { return is_open_ || end_; });
  --change_waiters_;
  if (!in_time) return DeadlineStatus("the daemon has not opened the stream");
  return is_open_ ? Status() : EndedStatus(*end_);
}

void QueueSender::State::OnStarted() {
  v1::SendStreamRequest request;
  v1::SendOpen& open = *request.mutable_open();
  open.set_queue(options_.queue);
  if (options_.spec) *open.mutable_spec() = ToWire(*options_.spec);
  open.set_mode(ToWire(options_.mode));
  open.set_wait_ms(ToWireMs(options_.wait));
  open.set_producer_id(options_.producer_id);
  open.set_session_id(options_.session_id);
  {
    std::lock_guard lock(mutex_);
    is_writing_ = true;
  }
  Write(ToByteBuffer(request.SerializeAsString()));
}

void QueueSender::State::OnWritten() {
  std::unique_lock lock(mutex_);
  is_writing_ = false;
  Pump(lock);
}

void QueueSender::State::Pump(std::unique_lock<std::mutex>& lock) {
  const bool may_write = is_open_ && !is_writing_ && !is_half_closed_ && !end_;
  if (may_write && buffer_.has_frame()) {
    is_writing_ = true;
    std::string frame = buffer_.TakeFrame();
    lock.unlock();
    Write(ToByteBuffer(std::move(frame)));
  } else if (may_write && is_finishing_) {
    is_half_closed_ = true;
    lock.unlock();
    WritesDone();
  } else {
    lock.unlock();
  }
}

bool QueueSender::State::IsFull() const {
  return buffer_.pending_messages() >= options_.pending_messages_max ||
         buffer_.pending_bytes() >= options_.pending_bytes_max;
}

bool QueueSender::State::HasRoomAgain() const {
  const std::size_t messages = options_.pending_messages_max;
  const std::size_t bytes = options_.pending_bytes_max;
  return !IsFull() && buffer_.pending_messages() <= messages - messages / 4 &&
         buffer_.pending_bytes() <= bytes - bytes / 4;
}

Status QueueSender::State::WaitForRoom(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  const auto is_over = [this] { return end_ || is_finishing_; };
  if (!is_over() && IsFull()) {
    if (options_.when_pending == WhenPending::kRefuse) {
      return Status(Code::kResourceExhausted, "PENDING_FULL",
                    "as many messages wait for their outcome as may",
                    {{"messages", std::to_string(buffer_.pending_messages())},
                     {"bytes", std::to_string(buffer_.pending_bytes())}});
    }
    if (IsOwnThread()) return WouldBlockStatus();
    ++room_waiters_;
    const bool in_time =
        WaitUntil(room_, lock, deadline, [this, &is_over] { return is_over() || !IsFull(); });
    --room_waiters_;
    if (!in_time) return DeadlineStatus("no room among the messages without an outcome");
  }
  if (end_) return EndedStatus(*end_);
  if (is_finishing_) {
    return Status(Code::kFailedPrecondition, "STREAM_ENDED", "the stream is finishing");
  }
  return Status();
}

Result<std::uint64_t> QueueSender::State::Send(std::uint64_t sequence, const Message& message,
                                               Deadline deadline) {
  if (Status status = CheckText(message); !status.ok()) return status;
  std::unique_lock lock(mutex_);
  if (Status status = WaitForRoom(lock, deadline); !status.ok()) return status;
  if (sequence == 0) sequence = next_sequence_;
  if (sequence < next_sequence_) {
    return Status(Code::kInvalidArgument, "BAD_OPTION", "sequences must rise",
                  {{"field", "sequence"},
                   {"value", std::to_string(sequence)},
                   {"limit", std::to_string(next_sequence_)}});
  }
  next_sequence_ = sequence + 1;
  buffer_.Append(sequence, message);
  ++counts_.taken;
  ++counts_.pending;
  Pump(lock);
  return sequence;
}

Status QueueSender::State::Flush(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = counts_.taken;
  const auto is_told = [this, target] { return counts_.taken - counts_.pending >= target; };
  if (!end_ && !is_told()) {
    if (IsOwnThread()) return WouldBlockStatus();
    ++change_waiters_;
    const bool in_time = WaitUntil(changed_, lock, deadline, [&] { return end_ || is_told(); });
    --change_waiters_;
    if (!in_time) return DeadlineStatus("messages are still without an outcome");
  }
  const bool is_lost = end_ && end_->kind != StreamEnd::Kind::kClosed;
  return is_lost ? EndedStatus(*end_) : Status();
}

Result<StreamEnd> QueueSender::State::Finish(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  {
    std::unique_lock lock(mutex_);
    is_finishing_ = true;
    room_.notify_all();
    Pump(lock);
  }
  if (!WaitGone(deadline)) {
    Cancel();
    return DeadlineStatus("the stream has not finished, and was cancelled");
  }
  return *end();
}

SendCounts QueueSender::State::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

std::optional<StreamEnd> QueueSender::State::end() const {
  std::lock_guard lock(mutex_);
  return end_;
}

StreamCall::Reading QueueSender::State::OnFrame(grpc::ByteBuffer& frame) {
  v1::SendStreamResponse response;
  if (!Parse(frame, response)) {
    {
      std::lock_guard lock(mutex_);
      fault_ = MalformedReply(kMethod);
    }
    Cancel();
    return Reading::kContinue;
  }
  if (response.has_closed()) {
    std::lock_guard lock(mutex_);
    closed_ = FromWire(response.closed().reason());
  }
  std::vector<SendOutcome> outcomes;
  outcomes.reserve(static_cast<std::size_t>(response.acks_size()));
  for (const v1::Ack& ack : response.acks()) outcomes.push_back(FromWire(ack));
  if (!outcomes.empty()) Tell(outcomes);
  if (response.has_opened()) {
    std::unique_lock lock(mutex_);
    opened_ = FromWire(response.opened());
    next_sequence_ = opened_.last_sequence + 1;
    is_open_ = true;
    changed_.notify_all();
    Pump(lock);
  }
  return Reading::kContinue;
}

void QueueSender::State::Tell(const std::vector<SendOutcome>& outcomes) {
  // The user first: who returns from Flush has had every callback.
  if (options_.on_outcome) {
    for (const SendOutcome& outcome : outcomes) options_.on_outcome(outcome);
  }
  std::lock_guard lock(mutex_);
  for (const SendOutcome& outcome : outcomes) {
    Count(outcome, buffer_.Answer(outcome.first_sequence, outcome.count));
  }
  if (room_waiters_ > 0 && HasRoomAgain()) room_.notify_all();
  if (change_waiters_ > 0) changed_.notify_all();
}

void QueueSender::State::Count(const SendOutcome& outcome, std::uint32_t messages) {
  counts_.pending -= messages;
  if (outcome.duplicate) counts_.duplicates += messages;
  switch (outcome.outcome) {
    case Outcome::kOk:
      counts_.ok += messages;
      break;
    case Outcome::kFull:
      counts_.full += messages;
      break;
    case Outcome::kClosed:
      counts_.closed += messages;
      break;
    case Outcome::kTimedOut:
      counts_.timed_out += messages;
      break;
    default:
      counts_.unknown += messages;
  }
}

void QueueSender::State::OnEnd(const grpc::Status& status) {
  StreamEnd end;
  std::vector<SendBuffer::Range> pending;
  {
    std::lock_guard lock(mutex_);
    if (closed_ && status.ok()) {
      end.kind = StreamEnd::Kind::kClosed;
      end.reason = *closed_;
    } else {
      end = EndOf(status);
      if (fault_) end.status = *fault_;
    }
    pending = buffer_.TakePending();
    is_finishing_ = true;  // What came in from here on would never get an outcome.
  }
  // Closed comes after all outcomes, so what has none was not accepted. Otherwise nobody can know.
  const bool is_closed = end.kind == StreamEnd::Kind::kClosed;
  std::vector<SendOutcome> outcomes;
  for (const SendBuffer::Range& range : pending) {
    SendOutcome outcome;
    outcome.first_sequence = range.first;
    outcome.count = range.count;
    outcome.outcome = is_closed ? Outcome::kClosed : Outcome::kUnknown;
    if (is_closed) outcome.reason = end.reason;
    outcomes.push_back(outcome);
  }
  if (options_.on_outcome) {
    for (const SendOutcome& outcome : outcomes) options_.on_outcome(outcome);
  }
  std::lock_guard lock(mutex_);
  for (const SendOutcome& outcome : outcomes) Count(outcome, outcome.count);
  end_ = std::move(end);
  room_.notify_all();
  changed_.notify_all();
}

}  // namespace abi1
}  // namespace sluice
