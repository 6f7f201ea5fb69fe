// SPDX-License-Identifier: Apache-2.0
/// The receiving end of a named queue: a ReceiveStream with credit. Client::OpenReceiver makes one.
///
/// Credit      Bounds what is delivered and not settled, and with it what is held here untaken.
///             Settling frees. SetCredit(0) pauses.
/// Faces       Next waits for a batch: the fast one. Recv is an Operation of one message: Wait,
///             Start, co_await. on_batch gets batches on the client's thread. One of them a
///             receiver. With auto_ack, where there is no credit, batches that nobody took are held
///             up to buffered_bytes_max; beyond it the stream is not read.
/// Settling    Ack, Nack, Release, Extend name positions. They are collected, neighbouring acks
///             joined, and leave together while a write is under way. What became of them: Counts,
///             on_settled.
/// A loss      The stream is opened again (stream_state.h). What was held went back to the queue
///             and is handed out anew, under a new lease: batches not taken yet are dropped, and
///             settling what was taken before does nothing, is counted, and told to on_settled as
///             STALE; settlements on their way when the stream was lost are told as UNKNOWN. So
///             work that was under way is done twice, never lost (N15). is_stale asks beforehand.
///             With auto_ack batches not taken yet are kept: nobody else gets them.
/// Ends        StopReceiving says that no more is wanted: what is held may still be settled, and
///             Next answers kEnded after the last batch. Close hands back what is still held, at no
///             fault of the messages. The destructor cancels: what was held counts a failure and
///             goes back (N15). It takes 1 s at most.
/// Threads     All functions may be called from any thread at once, Next from one at a time.
///             Callbacks run on the client's thread: they may settle, must not wait, and waiting
///             functions called from them answer at once as if the time were over.
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
#include "sluice/operation.h"
#include "sluice/outcome.h"
#include "sluice/queue_spec.h"
#include "sluice/received.h"
#include "sluice/settlement.h"
#include "sluice/status.h"
#include "sluice/stream_state.h"

namespace sluice {
inline namespace abi1 {

class Receiver;
class ReceivingStream;

/// The most that is held unsettled.
struct Credit {
  std::uint32_t messages = 1024;
  std::uint64_t bytes = 0;  ///< Encoded; 0: no bound.
};

struct ReceiverOptions {
  std::string queue;
  std::optional<QueueSpec> spec;  ///< Declares the queue if it is absent, after a loss, too.
  std::string consumer;           ///< A name for people; empty: none.
  /// After a loss kRefuse stands by: the seat may still be that of the stream that was lost.
  AttachMode mode = AttachMode::kRefuse;
  bool auto_ack = false;  ///< A delivery is settled as soon as it was written.
  /// Settle within this, or it goes back; 0: deliveries are held as long as the stream lives.
  std::chrono::milliseconds ack_timeout{0};
  Credit credit{1024, 16 << 20};
  std::size_t buffered_bytes_max = 1 << 20;  ///< With auto_ack.

  /// Instead of Next and Recv. The batch may be moved from, the receiver not. Batches may come
  /// before OpenReceiver has returned. If it throws, the batch is nacked, and counted.
  std::function<void(Receiver&, Batch&)> on_batch;
  /// On the client's thread; what is STALE at once is told by the settling function itself.
  std::function<void(const SettleResult&)> on_settled;

  ReconnectOptions reconnect;
  OnStreamState on_state;
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
  std::uint64_t stale = 0;    ///< Settlements of messages whose lease went with a stream.
  std::uint64_t dropped = 0;  ///< Messages not taken when their stream was lost; they come again.
};

struct ReceiveStats {
  ReceiveCounts counts;
  std::size_t buffered_bytes = 0;  ///< Come, and not taken yet.
  std::uint64_t reconnects = 0;    ///< Streams accepted after the first.
  std::uint64_t exceptions = 0;    ///< Thrown by its callbacks.
};

class Receiver {
 public:
  explicit Receiver(std::shared_ptr<ReceivingStream> stream);
  Receiver(Receiver&&) noexcept;
  Receiver& operator=(Receiver&&) noexcept;
  ~Receiver();

  /// Waits for the next batch and puts it into `batch`, whose old bytes are freed. Batches that had
  /// come before the end are still given out.
  NextOutcome Next(Batch& batch, Deadline deadline);
  /// The next message; or DEADLINE, WOULD_BLOCK, or how the stream ended.
  Operation<Result<Received>> Recv() const;

  // Settling. BAD_OPTION, STREAM_ENDED if the stream has ended; OK otherwise, and the rest is told
  // later.
  Status Ack(const Batch& batch);
  Status Ack(PositionRange positions);
  /// Back to its place after `delay`, with a failure counted.
  Status Nack(PositionRange positions, std::chrono::milliseconds delay = {});
  /// Back to its place at once, and no failure.
  Status Release(PositionRange positions);
  /// With ack_timeout: the time runs anew, for `lease_time` from now (0: 30 s).
  Status Extend(PositionRange positions, std::chrono::milliseconds lease_time);
  /// Waits until the daemon answered every settlement made so far. DEADLINE, STREAM_ENDED;
  /// LEASE_LOST: since the last flush some were on their way when a stream was lost.
  Status FlushSettlements(Deadline deadline);
  /// Whether its lease went with a stream that was lost.
  bool is_stale(const Delivery& delivery) const;

  Status SetCredit(Credit credit);
  Status StopReceiving();
  /// Hands back what is not settled and waits for the end. DEADLINE: it was not over by then, and
  /// the stream was cancelled.
  Result<StreamEnd> Close(Deadline deadline);

  /// Nothing while standing by, and while the stream is lost.
  std::optional<Attachment> attachment() const;
  ReceiveCounts counts() const;
  ReceiveStats stats() const;
  StreamState state() const;
  std::optional<StreamEnd> end() const;

 private:
  friend class ReceivingStream;
  std::shared_ptr<ReceivingStream> stream_;
};

}  // namespace abi1
}  // namespace sluice
