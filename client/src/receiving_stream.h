// SPDX-License-Identifier: Apache-2.0
// The ReceiveStream behind a Receiver.
//
//   opening -> accepted (waiting or attached) -> leaving (finish sent) -> half-closed -> ended
//
// A loss goes back to opening, unless it was leaving. One write at a time: whatever has gathered
// meanwhile (credit, settlements, finish), then the half-close. Whoever finds the wire free writes,
// the user's thread or the client's.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "settlement_buffer.h"
#include "sluice/receiver.h"
#include "sluice/v1/queue.pb.h"
#include "taking_stream.h"

namespace sluice {
inline namespace abi1 {

// OK, or BAD_OPTION with the field.
Status Check(const ReceiverOptions& options);

inline std::size_t Units(const Batch& batch) { return batch.size(); }

class ReceivingStream final : public TakingStream<Batch, Received> {
 public:
  // Requires: checked options.
  ReceivingStream(std::shared_ptr<Transport> transport, ReceiverOptions options);

  Status Settle(const Settlement& settlement);
  Status Ack(const Batch& batch);
  Status FlushSettlements(Deadline deadline);
  Status SetCredit(Credit credit);
  Status StopReceiving();
  Result<StreamEnd> Close(Deadline deadline);

  bool IsStale(const Delivery& delivery) const;
  std::optional<Attachment> attachment() const;
  ReceiveCounts counts() const;
  ReceiveStats stats() const;

 private:
  std::string OpenFrame() override;
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritable() override;
  bool WantsReopening() const override { return !wants_finish_; }
  void OnLost(const StreamEnd& why) override;
  void OnEnding(const StreamEnd& /*end*/) override { LoseLease(); }

  // Writes what is next, if the wire is free. Unlocks for it, and leaves unlocked.
  void Pump(std::unique_lock<std::mutex>& lock);
  // Requires the lock: settles it, or counts it as stale and answers its result.
  std::optional<SettleResult> Add(const Settlement& settlement);
  std::string TakeFrame();
  void OnEvents(const v1::ReceiveStreamResponse& events);
  void TellSettled(const std::vector<SettleResult>& results);
  void LoseLease();
  Reading OnBatch(Batch&& batch);
  void HandOver(Batch& batch);  // To on_batch.

  const ReceiverOptions options_;
  // The client's thread alone:
  Batch incoming_;
  std::string other_;
  std::vector<PositionRange> called_back_;

  // Guarded by mutex_:
  SettlementBuffer settlements_;
  Credit credit_;
  std::optional<Attachment> attachment_;
  ReceiveCounts counts_;
  std::uint64_t results_awaited_ = 0;  // Ever.
  std::uint64_t results_told_ = 0;
  std::uint64_t results_lost_ = 0;          // Part of those told.
  std::uint64_t results_lost_flushed_ = 0;  // Part of those lost: a flush has said so.
  bool has_new_credit_ = false;
  bool was_opened_ = false;
  bool is_discarding_ = false;  // Nobody will ask for batches any more.
  bool wants_finish_ = false;
  bool has_sent_finish_ = false;
  bool wants_half_close_ = false;
};

}  // namespace abi1
}  // namespace sluice
