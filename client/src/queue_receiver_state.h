// SPDX-License-Identifier: Apache-2.0
// The ReceiveStream behind a QueueReceiver.
//
//   opening -> accepted (waiting or attached) -> leaving (finish sent) -> half-closed -> ended
//
// One write at a time: the open frame, then whatever has gathered meanwhile (credit, settlements,
// finish), then the half-close. Whoever finds the wire free writes, the user's thread or the
// client's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "settlement_buffer.h"
#include "sluice/queue_receiver.h"
#include "sluice/v1/queue.pb.h"
#include "stream_call.h"

namespace sluice {
inline namespace abi1 {

class QueueReceiver::State final : public StreamCall {
 public:
  State(std::shared_ptr<Transport> transport, ReceiverOptions options);

  // Starts the stream and waits until the daemon has accepted it. Once.
  Status Open(Deadline deadline);
  NextOutcome Next(Batch& batch, Deadline deadline);
  Status Settle(const Settlement& settlement);
  Status Settle(const Batch& batch, SettleAction action);
  Status FlushSettlements(Deadline deadline);
  Status SetCredit(Credit credit);
  Status StopReceiving();
  Result<StreamEnd> Finish(Deadline deadline);

  std::optional<Attachment> attachment() const;
  ReceiveCounts counts() const;
  std::optional<StreamEnd> end() const;

 private:
  struct Ready {
    Batch batch;
    std::size_t bytes = 0;
  };

  void OnStarted() override;
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritten() override;
  void OnEnd(const grpc::Status& status) override;

  // Requires the lock: adds a settlement, and the result to be expected.
  void Add(const Settlement& settlement);
  // Writes what is next, if the wire is free. Unlocks for it, and leaves unlocked.
  void Pump(std::unique_lock<std::mutex>& lock);
  std::string TakeFrame();
  void OnEvents(const v1::ReceiveStreamResponse& events);
  Reading OnBatch(Batch&& batch, std::size_t bytes);

  const ReceiverOptions options_;
  Batch incoming_;     // The client's thread alone.
  std::string other_;  // The same.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<Ready> ready_;
  std::size_t ready_bytes_ = 0;
  Batch spare_;  // One that was given back, for its memory.
  SettlementBuffer settlements_;
  std::optional<Credit> new_credit_;
  std::optional<Attachment> attachment_;
  ReceiveCounts counts_;
  std::uint64_t results_awaited_ = 0;  // Ever.
  std::uint64_t results_told_ = 0;
  bool is_accepted_ = false;
  bool is_writing_ = true;  // Until the open frame is out.
  bool is_reading_paused_ = false;
  bool is_discarding_ = false;  // Nobody will ask for batches any more.
  bool wants_finish_ = false;
  bool has_sent_finish_ = false;
  bool wants_half_close_ = false;
  bool is_half_closed_ = false;
  std::optional<ClosedReason> closed_;  // The daemon's word; the status follows.
  std::optional<Status> fault_;         // This end gave up on the stream, and why.
  std::optional<StreamEnd> end_;
};

}  // namespace abi1
}  // namespace sluice
