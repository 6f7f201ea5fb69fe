// SPDX-License-Identifier: Apache-2.0
#include "sending_stream.h"

#include <utility>

#include "bad_option.h"
#include "queue_convert.h"
#include "send_question.h"
#include "sluice/v1/topic.pb.h"
#include "stream_status.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

// The one class reads both.
template <class Opened, class Response>
constexpr bool kReadsAsSend =
    Response::kOpenedFieldNumber == int{v1::SendStreamResponse::kOpenedFieldNumber} &&
    Response::kAcksFieldNumber == int{v1::SendStreamResponse::kAcksFieldNumber} &&
    Response::kClosedFieldNumber == int{v1::SendStreamResponse::kClosedFieldNumber} &&
    Opened::kEpochFieldNumber == int{v1::SendOpened::kEpochFieldNumber} &&
    Opened::kLastSequenceFieldNumber == int{v1::SendOpened::kLastSequenceFieldNumber} &&
    Opened::kCapacityFieldNumber == int{v1::SendOpened::kCapacityFieldNumber} &&
    Opened::kMessageBytesMaxFieldNumber == int{v1::SendOpened::kMessageBytesMaxFieldNumber};
static_assert(kReadsAsSend<v1::PublishOpened, v1::PublishStreamResponse>);

PersistentStream::Settings SettingsOf(std::string method, const SendingOptions& options) {
  return {std::move(method), PersistentStream::Shape::kBidirectional, options.reconnect,
          options.on_state};
}

}  // namespace

SendingStream::SendingStream(std::shared_ptr<Transport> transport, std::string method,
                             std::string open_frame, SendingOptions options)
    : PersistentStream(std::move(transport), SettingsOf(method, options)),
      options_(std::move(options)),
      method_(std::move(method)),
      open_frame_(std::move(open_frame)),
      buffer_(options_.frame_bytes_max,
              options_.reconnect.enabled && !options_.producer_id.empty()) {}

void SendingStream::OnWritable() {
  std::unique_lock lock(mutex_);
  Pump(lock);
}

void SendingStream::Pump(std::unique_lock<std::mutex>& lock) {
  const bool may_go = is_accepted() && may_write() && !end_;
  if (may_go && buffer_.has_frame()) {
    Write(lock, ToByteBuffer(buffer_.TakeFrame()));
  } else if (may_go && is_closing_) {
    HalfClose(lock);
  } else {
    lock.unlock();
  }
}

bool SendingStream::IsFull() const {
  return buffer_.pending_messages() >= options_.pending_messages_max ||
         buffer_.pending_bytes() >= options_.pending_bytes_max;
}

bool SendingStream::HasRoomAgain() const {
  const std::size_t messages = options_.pending_messages_max;
  const std::size_t bytes = options_.pending_bytes_max;
  return !IsFull() && buffer_.pending_messages() <= messages - messages / 4 &&
         buffer_.pending_bytes() <= bytes - bytes / 4;
}

Status SendingStream::PendingFull() const {
  return Status(Code::kResourceExhausted, "PENDING_FULL",
                "as many messages wait for their outcome as may",
                {{"messages", std::to_string(buffer_.pending_messages())},
                 {"bytes", std::to_string(buffer_.pending_bytes())}});
}

Status SendingStream::ClosingStatus() const {
  if (end_) return EndedStatus(*end_);
  if (!is_closing_) return Status();
  return Status(Code::kFailedPrecondition, "STREAM_ENDED", "the stream is closing");
}

Status SendingStream::WaitForRoom(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  const auto is_over = [this] { return end_ || is_closing_; };
  const auto must_wait = [this] { return IsFull() || !line_.empty(); };
  if (!is_over() && must_wait()) {
    if (options_.when_pending == WhenPending::kRefuse) return PendingFull();
    if (IsOwnThread()) return WouldBlockStatus();
    ++room_waiters_;
    const bool in_time =
        WaitUntil(room_, lock, deadline, [&] { return is_over() || !must_wait(); });
    --room_waiters_;
    if (!in_time) return DeadlineStatus("no room among the messages without an outcome");
  }
  return ClosingStatus();
}

std::uint64_t SendingStream::Take(std::uint64_t sequence) {
  next_sequence_ = sequence + 1;
  ++counts_.taken;
  ++counts_.pending;
  return sequence;
}

Result<std::uint64_t> SendingStream::Post(std::uint64_t sequence, const Message& message,
                                          Deadline deadline) {
  if (Status status = CheckFields(message); !status.ok()) return status;
  std::unique_lock lock(mutex_);
  if (Status status = CheckBytes(message, opened_.message_bytes_max); !status.ok()) return status;
  if (Status status = WaitForRoom(lock, deadline); !status.ok()) return status;
  if (sequence == 0) sequence = next_sequence_;
  if (sequence < next_sequence_) {
    return Status(Code::kInvalidArgument, "BAD_OPTION", "sequences must rise",
                  {{"field", "sequence"},
                   {"value", std::to_string(sequence)},
                   {"limit", std::to_string(next_sequence_)}});
  }
  buffer_.Append(Take(sequence), message);
  Pump(lock);
  return sequence;
}

Operation<SendOutcome> SendingStream::Ask(const Message& message) {
  auto self = std::static_pointer_cast<SendingStream>(shared_from_this());
  Status refused = CheckFields(message);
  if (refused.ok()) refused = CheckBytes(message, opened().message_bytes_max);
  std::string encoded = refused.ok() ? SendBuffer::Encode(message) : std::string();
  return Operation<SendOutcome>(
      std::make_shared<SendQuestion>(std::move(self), std::move(encoded), std::move(refused)));
}

void SendingStream::Admit(const Asked& asked) {
  asked->sequence = Take(next_sequence_);
  buffer_.AppendEncoded(asked->sequence, asked->encoded);
  asked->encoded = std::string();
  awaited_.emplace(asked->sequence, asked);
}

void SendingStream::Start(const Asked& asked) {
  Outcome outcome = Outcome::kUnspecified;
  Status refused = asked->refused;
  {
    std::unique_lock lock(mutex_);
    if (refused.ok()) {
      refused = ClosingStatus();
      outcome = Outcome::kClosed;
    }
    if (refused.ok() && (IsFull() || !line_.empty())) {
      if (options_.when_pending == WhenPending::kWait) return line_.push_back(asked);
      refused = PendingFull();
      outcome = Outcome::kFull;
    }
    if (refused.ok()) {
      Admit(asked);
      return Pump(lock);
    }
  }
  if (asked->Claim()) asked->Answer(SendQuestion::Refused(outcome, refused));
}

void SendingStream::Forget(const SendQuestion& asked) {
  std::lock_guard lock(mutex_);
  if (asked.sequence != 0) {
    awaited_.erase(asked.sequence);
    return;
  }
  for (auto at = line_.begin(); at != line_.end(); ++at) {
    if (at->get() != &asked) continue;
    line_.erase(at);
    break;
  }
  if (line_.empty() && room_waiters_ > 0) room_.notify_all();
}

Status SendingStream::Flush(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = counts_.taken;
  const Status waited = Await(lock, deadline, "messages are still without an outcome", [&] {
    return !is_ending_ && counts_.taken - counts_.pending >= target;
  });
  const bool is_lost = end_ && end_->kind != StreamEnd::Kind::kClosed;
  return is_lost ? EndedStatus(*end_) : waited;
}

Result<StreamEnd> SendingStream::Close(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  std::deque<Asked> refused;
  Status why;
  {
    std::unique_lock lock(mutex_);
    is_closing_ = true;
    room_.notify_all();
    refused.swap(line_);
    why = ClosingStatus();
    Pump(lock);
  }
  for (const Asked& asked : refused) {
    if (asked->Claim()) asked->Answer(SendQuestion::Refused(Outcome::kClosed, why));
  }
  StopReopening();
  return AwaitEnd(deadline);
}

SenderOpened SendingStream::opened() const {
  std::lock_guard lock(mutex_);
  return opened_;
}

SendCounts SendingStream::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

SendStats SendingStream::stats() const {
  SendStats stats;
  {
    std::lock_guard lock(mutex_);
    stats = stats_;
    stats.counts = counts_;
    stats.pending_bytes = buffer_.pending_bytes();
  }
  stats.reconnects = reconnects();
  stats.exceptions = exceptions();
  return stats;
}

}  // namespace abi1
}  // namespace sluice
