// SPDX-License-Identifier: Apache-2.0
// What comes on a ReceiveStream: the seat, batches, results, the loss and the end.
#include <utility>

#include "batch_reader.h"
#include "queue_convert.h"
#include "receiving_stream.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {

StreamCall::Reading ReceivingStream::OnFrame(grpc::ByteBuffer& frame) {
  v1::ReceiveStreamResponse events;
  if (!options_.on_batch) {
    std::lock_guard lock(mutex_);
    std::swap(incoming_, spare_);
  }
  const std::uint64_t lease =
      attachment_ ? attachment_->lease : 0;  // Written by this thread alone.
  if (!BatchReader::Read(frame, incoming_, other_, lease) || !events.ParseFromString(other_)) {
    Fail(MalformedReply("/sluice.v1.QueueService/ReceiveStream"));
    return Reading::kContinue;
  }
  if (!other_.empty()) OnEvents(events);
  return incoming_.empty() ? Reading::kContinue : OnBatch(std::move(incoming_));
}

void ReceivingStream::OnEvents(const v1::ReceiveStreamResponse& events) {
  if (events.has_closed()) NoteClosed(FromWire(events.closed().reason()));
  std::vector<SettleResult> results;
  results.reserve(static_cast<std::size_t>(events.settled_size()));
  for (const v1::SettleResult& result : events.settled()) results.push_back(FromWire(result));
  if (!results.empty()) TellSettled(results);
  if (events.has_attached()) {
    std::lock_guard lock(mutex_);
    attachment_ = FromWire(events.attached());
    BatchReader::SetLease(incoming_, attachment_->lease);
  }
  if (events.has_waiting() || events.has_attached()) Accept();
}

void ReceivingStream::TellSettled(const std::vector<SettleResult>& results) {
  // The user first: who returns from a flush has had every callback.
  for (const SettleResult& result : results) CallBack(options_.on_settled, result);
  std::lock_guard lock(mutex_);
  for (const SettleResult& result : results) {
    settlements_.PopAnswered();
    counts_.settled += result.settled;
    counts_.not_held += result.not_held;
    counts_.expired += result.expired;
  }
  results_told_ += results.size();
  changed_.notify_all();
}

StreamCall::Reading ReceivingStream::OnBatch(Batch&& batch) {
  {
    std::lock_guard lock(mutex_);
    ++counts_.batches;
    counts_.messages += batch.size();
    if (is_discarding_) return Reading::kContinue;
  }
  if (options_.on_batch) {
    HandOver(batch);
    return Reading::kContinue;
  }
  const std::size_t bytes = batch.bytes();
  return Give(std::move(batch), bytes);
}

void ReceivingStream::HandOver(Batch& batch) {
  called_back_.assign(batch.ranges().begin(), batch.ranges().end());
  Receiver self(std::static_pointer_cast<ReceivingStream>(shared_from_this()));
  if (!CallBack(options_.on_batch, self, batch)) {
    for (const PositionRange& range : called_back_) {
      (void)Settle({range, SettleAction::kNack, {}, {}, 0});
    }
  }
  self.stream_.reset();  // Or it would cancel the stream.
}

// What was held went back to the queue with the stream.
void ReceivingStream::LoseLease() {
  std::vector<SettleResult> lost;
  {
    std::lock_guard lock(mutex_);
    lost = settlements_.Lose();
    attachment_.reset();
    for (const SettleResult& result : lost) counts_.stale += result.not_held;
  }
  for (const SettleResult& result : lost) CallBack(options_.on_settled, result);
  std::lock_guard lock(mutex_);
  results_told_ += lost.size();
  results_lost_ += lost.size();
  changed_.notify_all();
}

void ReceivingStream::OnLost(const StreamEnd& /*why*/) {
  LoseLease();
  if (options_.auto_ack) return;
  std::lock_guard lock(mutex_);
  counts_.dropped += ready_.Drop();
}

}  // namespace abi1
}  // namespace sluice
