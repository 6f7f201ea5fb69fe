// SPDX-License-Identifier: Apache-2.0
// What the user asks of a ReceiveStream, and what is written on it.
#include "receiving_stream.h"

#include <limits>
#include <string>
#include <utility>

#include "bad_option.h"
#include "queue_convert.h"
#include "stream_status.h"
#include "wire/frame_writer.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.QueueService/ReceiveStream";
// Of ReceiveStreamRequest.
constexpr std::uint32_t kCreditField = 2;
constexpr std::uint32_t kFinishField = 4;
// Credit bounds what comes. Results and the end of the stream must not wait behind it.
constexpr std::size_t kReadsAlways = std::numeric_limits<std::size_t>::max();

PersistentStream::Settings SettingsOf(const ReceiverOptions& options) {
  return {kMethod, PersistentStream::Shape::kBidirectional, options.reconnect, options.on_state};
}

// The daemon would refuse it, and end the stream.
Status Check(const Settlement& settlement) {
  constexpr std::chrono::hours kTimeMax{12};
  if (settlement.positions.first == 0) return BadOption("first", "0", "begins at 1");
  if (settlement.positions.count == 0) return BadOption("count", "0", "must be at least 1");
  for (const auto& [field, time] :
       {std::pair("delay", settlement.delay), std::pair("lease_time", settlement.lease_time)}) {
    if (time.count() >= 0 && time <= kTimeMax) continue;
    return BadOption(field, std::to_string(time.count()), "must be 0 to 12 hours");
  }
  return Status();
}

}  // namespace

ReceivingStream::ReceivingStream(std::shared_ptr<Transport> transport, ReceiverOptions options)
    : TakingStream(std::move(transport), SettingsOf(options),
                   options.auto_ack ? options.buffered_bytes_max : kReadsAlways),
      options_(std::move(options)),
      credit_(options_.credit) {}

std::string ReceivingStream::OpenFrame() {
  v1::ReceiveStreamRequest request;
  v1::ReceiveOpen& open = *request.mutable_open();
  open.set_queue(options_.queue);
  if (options_.spec) *open.mutable_spec() = abi1::ToWire(*options_.spec);
  open.set_consumer(options_.consumer);
  open.set_auto_ack(options_.auto_ack);
  open.set_ack_timeout_ms(ToWireMs(options_.ack_timeout));
  std::lock_guard lock(mutex_);
  const bool is_again = std::exchange(was_opened_, true);
  const bool stands_by = is_again && options_.mode == AttachMode::kRefuse;
  open.set_mode(abi1::ToWire(stands_by ? AttachMode::kStandby : options_.mode));
  *open.mutable_credit() = ToWire(credit_);
  has_new_credit_ = false;
  has_sent_finish_ = false;
  return request.SerializeAsString();
}

void ReceivingStream::OnWritable() {
  std::unique_lock lock(mutex_);
  Pump(lock);
}

std::string ReceivingStream::TakeFrame() {
  std::string frame;
  if (std::exchange(has_new_credit_, false)) {
    wire::AppendBytesPresent(frame, kCreditField, ToWire(credit_).SerializeAsString());
  }
  settlements_.TakeInto(frame);
  // Judged after the settlements of its frame, so it waits for the last of them.
  if (wants_finish_ && !has_sent_finish_ && settlements_.empty()) {
    wire::AppendUint(frame, kFinishField, 1);
    has_sent_finish_ = true;
  }
  return frame;
}

void ReceivingStream::Pump(std::unique_lock<std::mutex>& lock) {
  const bool has_frame =
      has_new_credit_ || !settlements_.empty() || (wants_finish_ && !has_sent_finish_);
  if (may_write() && !end_ && has_frame) {
    Write(lock, TakeFrame());
  } else if (may_write() && !end_ && wants_half_close_) {
    HalfClose(lock);
  } else {
    lock.unlock();
  }
}

std::optional<SettleResult> ReceivingStream::Add(const Settlement& settlement) {
  const PositionRange& positions = settlement.positions;
  const bool is_held =
      attachment_ && (positions.lease == 0 || positions.lease == attachment_->lease);
  if (is_held) {
    if (settlements_.Add(settlement)) ++results_awaited_;
    return std::nullopt;
  }
  counts_.stale += positions.count;
  return SettleResult{positions.first, 0, positions.count, 0, Outcome::kStale};
}

Status ReceivingStream::Settle(const Settlement& settlement) {
  if (Status status = Check(settlement); !status.ok()) return status;
  std::optional<SettleResult> stale;
  {
    std::unique_lock lock(mutex_);
    if (end_) return EndedStatus(*end_);
    stale = Add(settlement);
    Pump(lock);
  }
  if (stale) CallBack(options_.on_settled, *stale);
  return Status();
}

Status ReceivingStream::Ack(const Batch& batch) {
  std::vector<SettleResult> stale;
  {
    std::unique_lock lock(mutex_);
    if (end_) return EndedStatus(*end_);
    for (const PositionRange& range : batch.ranges()) {
      if (auto result = Add({range, SettleAction::kAck, {}, {}, 0})) stale.push_back(*result);
    }
    Pump(lock);
  }
  for (const SettleResult& result : stale) CallBack(options_.on_settled, result);
  return Status();
}

Status ReceivingStream::FlushSettlements(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = results_awaited_;
  const auto is_told = [this, target] { return results_told_ >= target; };
  if (Status waited = Await(lock, deadline, "settlements are still unanswered", is_told);
      !waited.ok()) {
    return waited;
  }
  if (!is_told()) return EndedStatus(*end_);
  if (std::exchange(results_lost_flushed_, results_lost_) == results_lost_) return Status();
  return Status(Code::kFailedPrecondition, "LEASE_LOST",
                "the stream was lost before every settlement was answered: what is not settled has "
                "gone back to the queue");
}

Status ReceivingStream::SetCredit(Credit credit) {
  std::unique_lock lock(mutex_);
  if (end_) return EndedStatus(*end_);
  credit_ = credit;
  has_new_credit_ = true;
  Pump(lock);
  return Status();
}

Status ReceivingStream::StopReceiving() {
  {
    std::unique_lock lock(mutex_);
    if (end_) return EndedStatus(*end_);
    wants_finish_ = true;
    Pump(lock);
  }
  StopReopening();
  return Status();
}

Result<StreamEnd> ReceivingStream::Close(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  {
    std::unique_lock lock(mutex_);
    wants_finish_ = true;
    wants_half_close_ = true;
    is_discarding_ = true;
    (void)ready_.Drop();
    Pump(lock);
  }
  ResumeReading();  // The end comes behind what nobody wants any more.
  StopReopening();
  return AwaitEnd(deadline);
}

bool ReceivingStream::IsStale(const Delivery& delivery) const {
  std::lock_guard lock(mutex_);
  return !attachment_ || delivery.lease != attachment_->lease;
}

std::optional<Attachment> ReceivingStream::attachment() const {
  std::lock_guard lock(mutex_);
  return attachment_;
}

ReceiveCounts ReceivingStream::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

ReceiveStats ReceivingStream::stats() const {
  ReceiveStats stats;
  stats.reconnects = reconnects();
  std::lock_guard lock(mutex_);
  stats.counts = counts_;
  stats.buffered_bytes = ready_.bytes();
  stats.exceptions = exceptions();
  return stats;
}

}  // namespace abi1
}  // namespace sluice
