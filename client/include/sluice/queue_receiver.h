// SPDX-License-Identifier: Apache-2.0
/// The receiving end of a named queue: a ReceiveStream with credit.
///
/// Credit      Bounds what is delivered and not settled. Settling frees. SetCredit(0) pauses.
/// Deliveries  Next waits for a batch; or on_batch gets them on the client's thread. Batches that
/// nobody
///             took are held up to buffered_bytes_max; beyond it the stream is not read.
/// Settling    Ack, Nack, Release, Extend name positions. They are collected, neighbouring acks
/// joined,
///             and leave together while a write is under way. What became of them: Counts,
///             on_settled.
/// Ends        StopReceiving says that no more is wanted: what is held may still be settled, and
/// Next
///             answers kEnded after the last batch. Finish hands back what is still held, at no
///             fault of the messages. The destructor cancels: what was held counts a failure and
///             goes back (N15). It takes 1 s at most.
/// Threads     All functions may be called from any thread at once, Next from one at a time.
/// Callbacks run
///             on the client's thread: they may settle, must not wait, and waiting functions called
///             from them answer at once as if the time were over.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sluice/deadline.h"
#include "sluice/message.h"
#include "sluice/outcome.h"
#include "sluice/queue_spec.h"
#include "sluice/settlement.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

class QueueReceiver;

/// The most that is held unsettled.
struct Credit {
  std::uint32_t messages = 1024;
  std::uint64_t bytes = 0;  ///< Encoded; 0: no bound.
};

struct ReceiverOptions {
  std::string queue;
  std::optional<QueueSpec> spec;  ///< Declares the queue if it is absent.
  std::string consumer;           ///< A name for people; empty: none.
  AttachMode mode = AttachMode::kRefuse;
  bool auto_ack = false;  ///< A delivery is settled as soon as it was written.
  /// Settle within this, or it goes back; 0: deliveries are held as long as the stream lives.
  std::chrono::milliseconds ack_timeout{0};
  Credit credit;
  std::size_t buffered_bytes_max = 1 << 20;

  /// Instead of Next. The batch may be moved from, the receiver not. Batches may come before
  /// OpenReceiver has returned.
  std::function<void(QueueReceiver&, Batch&)> on_batch;
  std::function<void(const SettleResult&)> on_settled;
};

/// The seat at the queue.
struct Attachment {
  std::uint64_t lease = 0;
  std::uint64_t fence = 0;
  std::uint64_t epoch = 0;
  std::uint64_t next_position = 0;
  std::uint32_t max_in_flight = 0;
};

struct ReceiveCounts {
  std::uint64_t messages = 0;
  std::uint64_t batches = 0;
  std::uint64_t settled = 0;  ///< As the daemon confirmed them, of any action.
  std::uint64_t not_held = 0;
  std::uint64_t expired = 0;
};

enum class [[nodiscard]] NextOutcome : std::uint8_t{kBatch, kTimedOut, kEnded};

class QueueReceiver {
 public:
  QueueReceiver(QueueReceiver&&) noexcept;
  QueueReceiver& operator=(QueueReceiver&&) noexcept;
  ~QueueReceiver();

  /// Waits for the next batch and puts it into `batch`, whose old bytes are freed. Batches that had
  /// come before the end are still given out. Requires: no on_batch.
  NextOutcome Next(Batch& batch, Deadline deadline);

  // Settling. STREAM_ENDED if the stream has ended; OK otherwise, and the rest is told later.
  Status Ack(const Batch& batch);
  Status Ack(PositionRange positions);
  /// Back to its place after `delay`, with a failure counted.
  Status Nack(PositionRange positions, std::chrono::milliseconds delay = {});
  /// Back to its place at once, and no failure.
  Status Release(PositionRange positions);
  /// With ack_timeout: the time runs anew, for `lease_time` from now (0: 30 s).
  Status Extend(PositionRange positions, std::chrono::milliseconds lease_time);
  /// Waits until the daemon answered every settlement made so far. DEADLINE, STREAM_ENDED.
  Status FlushSettlements(Deadline deadline);

  Status SetCredit(Credit credit);
  Status StopReceiving();
  /// Hands back what is not settled and waits for the end. DEADLINE: it was not over by then, and
  /// the stream was cancelled.
  Result<StreamEnd> Finish(Deadline deadline);

  /// Nothing while standing by.
  std::optional<Attachment> attachment() const;
  ReceiveCounts counts() const;
  std::optional<StreamEnd> end() const;

 private:
  friend class Client;
  class State;
  explicit QueueReceiver(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace abi1
}  // namespace sluice
