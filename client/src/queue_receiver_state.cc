// SPDX-License-Identifier: Apache-2.0
#include "queue_receiver_state.h"

#include <utility>

#include "batch_reader.h"
#include "grpc_status.h"
#include "queue_convert.h"
#include "stream_status.h"
#include "unary.h"
#include "wait_until.h"
#include "wire/frame_writer.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.QueueService/ReceiveStream";
// Of ReceiveStreamRequest.
constexpr std::uint32_t kCreditField = 2;
constexpr std::uint32_t kFinishField = 4;

v1::Credit ToWire(const Credit& credit) {
  v1::Credit wire;
  wire.set_messages(credit.messages);
  wire.set_bytes(credit.bytes);
  return wire;
}

}  // namespace

QueueReceiver::State::State(std::shared_ptr<Transport> transport, ReceiverOptions options)
    : StreamCall(std::move(transport)), options_(std::move(options)) {}

Status QueueReceiver::State::Open(Deadline deadline) {
  Start(kMethod);
  if (IsOwnThread()) return WouldBlockStatus();
  std::unique_lock lock(mutex_);
  if (!WaitUntil(changed_, lock, deadline, [this] { return is_accepted_ || end_; })) {
    return DeadlineStatus("the daemon has not accepted the stream");
  }
  return is_accepted_ ? Status() : EndedStatus(*end_);
}

void QueueReceiver::State::OnStarted() {
  v1::ReceiveStreamRequest request;
  v1::ReceiveOpen& open = *request.mutable_open();
  open.set_queue(options_.queue);
  if (options_.spec) *open.mutable_spec() = abi1::ToWire(*options_.spec);
  open.set_consumer(options_.consumer);
  open.set_mode(abi1::ToWire(options_.mode));
  open.set_auto_ack(options_.auto_ack);
  open.set_ack_timeout_ms(ToWireMs(options_.ack_timeout));
  *open.mutable_credit() = ToWire(options_.credit);
  Write(ToByteBuffer(request.SerializeAsString()));
}

void QueueReceiver::State::OnWritten() {
  std::unique_lock lock(mutex_);
  is_writing_ = false;
  Pump(lock);
}

std::string QueueReceiver::State::TakeFrame() {
  std::string frame;
  if (new_credit_) {
    wire::AppendBytesPresent(frame, kCreditField, ToWire(*new_credit_).SerializeAsString());
    new_credit_.reset();
  }
  settlements_.TakeInto(frame);
  // Judged after the settlements of its frame, so it waits for the last of them.
  if (wants_finish_ && !has_sent_finish_ && settlements_.empty()) {
    wire::AppendUint(frame, kFinishField, 1);
    has_sent_finish_ = true;
  }
  return frame;
}

void QueueReceiver::State::Pump(std::unique_lock<std::mutex>& lock) {
  const bool may_write = !is_writing_ && !is_half_closed_ && !end_;
  const bool has_frame =
      new_credit_ || !settlements_.empty() || (wants_finish_ && !has_sent_finish_);
  if (may_write && has_frame) {
    is_writing_ = true;
    std::string frame = TakeFrame();
    lock.unlock();
    Write(ToByteBuffer(std::move(frame)));
  } else if (may_write && wants_half_close_) {
    is_half_closed_ = true;
    lock.unlock();
    WritesDone();
  } else {
    lock.unlock();
  }
}

StreamCall::Reading QueueReceiver::State::OnFrame(grpc::ByteBuffer& frame) {
  const std::size_t bytes = frame.Length();
  v1::ReceiveStreamResponse events;
  if (!BatchReader::Read(frame, incoming_, other_) || !events.ParseFromString(other_)) {
    {
      std::lock_guard lock(mutex_);
      fault_ = MalformedReply(kMethod);
    }
    Cancel();
    return Reading::kContinue;
  }
  if (!other_.empty()) OnEvents(events);
  return incoming_.empty() ? Reading::kContinue : OnBatch(std::move(incoming_), bytes);
}

void QueueReceiver::State::OnEvents(const v1::ReceiveStreamResponse& events) {
  std::vector<SettleResult> results;
  results.reserve(static_cast<std::size_t>(events.settled_size()));
  for (const v1::SettleResult& result : events.settled()) results.push_back(FromWire(result));
  if (options_.on_settled) {
    for (const SettleResult& result : results) options_.on_settled(result);
  }
  std::lock_guard lock(mutex_);
  for (const SettleResult& result : results) {
    counts_.settled += result.settled;
    counts_.not_held += result.not_held;
    counts_.expired += result.expired;
  }
  results_told_ += results.size();
  if (events.has_waiting()) is_accepted_ = true;
  if (events.has_attached()) {
    attachment_ = FromWire(events.attached());
    is_accepted_ = true;
  }
  if (events.has_closed()) closed_ = FromWire(events.closed().reason());
  changed_.notify_all();
}

StreamCall::Reading QueueReceiver::State::OnBatch(Batch&& batch, std::size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    ++counts_.batches;
    counts_.messages += batch.size();
    if (is_discarding_) return Reading::kContinue;
    if (!options_.on_batch) {
      ready_.push_back({std::move(batch), bytes});
      incoming_ = std::move(spare_);
      ready_bytes_ += bytes;
      is_reading_paused_ = ready_bytes_ >= options_.buffered_bytes_max;
      changed_.notify_all();
      return is_reading_paused_ ? Reading::kPause : Reading::kContinue;
    }
  }
  QueueReceiver self(std::static_pointer_cast<State>(shared_from_this()));
  options_.on_batch(self, batch);
  self.state_.reset();  // Or it would cancel the stream.
  return Reading::kContinue;
}

NextOutcome QueueReceiver::State::Next(Batch& batch, Deadline deadline) {
  bool resumes = false;
  {
    std::unique_lock lock(mutex_);
    const auto is_over = [this] { return !ready_.empty() || end_; };
    if (!is_over() && (IsOwnThread() || !WaitUntil(changed_, lock, deadline, is_over))) {
      return NextOutcome::kTimedOut;
    }
    if (ready_.empty()) return NextOutcome::kEnded;
    spare_ = std::move(batch);
    batch = std::move(ready_.front().batch);
    ready_bytes_ -= ready_.front().bytes;
    ready_.pop_front();
    resumes = is_reading_paused_ && ready_bytes_ < options_.buffered_bytes_max;
    if (resumes) is_reading_paused_ = false;
  }
  if (resumes) ResumeReading();
  return NextOutcome::kBatch;
}

void QueueReceiver::State::Add(const Settlement& settlement) {
  if (settlements_.Add(settlement)) ++results_awaited_;
}

Status QueueReceiver::State::Settle(const Settlement& settlement) {
  std::unique_lock lock(mutex_);
  if (end_) return EndedStatus(*end_);
  Add(settlement);
  Pump(lock);
  return Status();
}

Status QueueReceiver::State::Settle(const Batch& batch, SettleAction action) {
  std::unique_lock lock(mutex_);
  if (end_) return EndedStatus(*end_);
  for (const PositionRange& range : batch.ranges()) Add({range, action, {}, {}, 0});
  Pump(lock);
  return Status();
}

Status QueueReceiver::State::FlushSettlements(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = results_awaited_;
  const auto is_told = [this, target] { return results_told_ >= target; };
  if (!is_told() && !end_) {
    if (IsOwnThread()) return WouldBlockStatus();
    if (!WaitUntil(changed_, lock, deadline, [&] { return is_told() || end_; })) {
      return DeadlineStatus("settlements are still unanswered");
    }
  }
  return is_told() ? Status() : EndedStatus(*end_);
}

Status QueueReceiver::State::SetCredit(Credit credit) {
  std::unique_lock lock(mutex_);
  if (end_) return EndedStatus(*end_);
  new_credit_ = credit;
  Pump(lock);
  return Status();
}

Status QueueReceiver::State::StopReceiving() {
  std::unique_lock lock(mutex_);
  if (end_) return EndedStatus(*end_);
  wants_finish_ = true;
  Pump(lock);
  return Status();
}

Result<StreamEnd> QueueReceiver::State::Finish(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  {
    std::unique_lock lock(mutex_);
    wants_finish_ = true;
    wants_half_close_ = true;
    is_discarding_ = true;
    is_reading_paused_ = false;
    ready_.clear();
    ready_bytes_ = 0;
    Pump(lock);
  }
  ResumeReading();  // The end comes behind what nobody wants any more.
  if (!WaitGone(deadline)) {
    Cancel();
    return DeadlineStatus("the stream has not finished, and was cancelled");
  }
  return *end();
}

std::optional<Attachment> QueueReceiver::State::attachment() const {
  std::lock_guard lock(mutex_);
  return attachment_;
}

ReceiveCounts QueueReceiver::State::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

std::optional<StreamEnd> QueueReceiver::State::end() const {
  std::lock_guard lock(mutex_);
  return end_;
}

void QueueReceiver::State::OnEnd(const grpc::Status& status) {
  std::lock_guard lock(mutex_);
  StreamEnd end;
  if (closed_ && status.ok()) {
    end.kind = StreamEnd::Kind::kClosed;
    end.reason = *closed_;
  } else {
    end = EndOf(status);
    if (fault_) end.status = *fault_;
  }
  end_ = std::move(end);
  changed_.notify_all();
}

}  // namespace abi1
}  // namespace sluice
