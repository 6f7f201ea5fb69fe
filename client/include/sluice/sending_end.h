// SPDX-License-Identifier: Apache-2.0
/// What the sending ends of a queue (Sender) and of a topic (Publisher) have in common: a stream
/// that numbers its messages and learns what became of each.
///
/// Faces      Post takes a message and answers its sequence: outcomes come as ranges to on_outcome,
///            and in Counts. It is the fast one. Send (Publish) is an Operation of one message with
///            its outcome: Wait, Start, co_await.
/// Batching   A message leaves at once if nothing is being written; what comes meanwhile leaves
///            together as the next frame, up to frame_bytes_max. No delay is ever added.
/// Bounds     A message counts as pending from Post or Send to its outcome. With pending_bytes_max
///            or pending_messages_max reached, they wait for room, or refuse (when_pending).
/// Outcomes   Every message that was taken gets exactly one outcome. If the stream ends first, it
///            is UNKNOWN; if the daemon closed it, CLOSED.
/// Sequences  From 1, or one above the last that the daemon knows of producer_id.
/// A loss     The stream is opened again (stream_state.h), and what has no outcome is sent again
///            under its sequence: the daemon tells what it had already (duplicate), so that nothing
///            is there twice or lost (N9). Two cases are for on_new_epoch: the channel's life is
///            another (the daemon was started anew), or the daemon has forgotten the producer; then
///            what it had answered, and the answer was lost, would be there twice. What is CLOSED
///            because the daemon goes down is kept for the next one. Without deduplicate what was
///            under way is UNKNOWN, and is not sent again.
/// Ends       Close says goodbye and waits for all outcomes; the destructor cancels, and what had
///            no outcome is lost or not. Neither blocks without bound: the destructor 1 s at most.
/// Threads    All functions may be called from any thread at once. Callbacks run on the client's
///            thread: they must not wait, and waiting functions called from them answer
///            WOULD_BLOCK.
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
#include "sluice/send_outcome.h"
#include "sluice/status.h"
#include "sluice/stream_state.h"

namespace sluice {
inline namespace abi1 {

enum class WhenPending : std::uint8_t { kWait, kRefuse };

enum class OnNewEpoch : std::uint8_t {
  kResend,  ///< Send what has no outcome; it may be there twice.
  kReport,  ///< UNKNOWN for what was under way; what had not left yet is sent.
};

struct SendingOptions {
  SendMode mode = SendMode::kWait;
  /// With kWait: how long a message may stand in line before it is TIMED_OUT; 0: without bound.
  std::chrono::milliseconds wait{0};
  bool deduplicate = true;
  /// 16 bytes, drawn once by the producer. Empty: drawn here, if deduplicate.
  std::string producer_id;
  std::string session_id;  ///< Of a session that this producer belongs to; empty: none.
  OnNewEpoch on_new_epoch = OnNewEpoch::kResend;

  std::size_t frame_bytes_max = 256 << 10;
  std::size_t pending_bytes_max = 16 << 20;
  std::size_t pending_messages_max = 64 << 10;
  WhenPending when_pending = WhenPending::kWait;
  std::function<void(const SendOutcome&)> on_outcome;

  ReconnectOptions reconnect;
  OnStreamState on_state;
};

/// Messages, by outcome. pending + ok + full + closed + timed_out + no_subscribers + unknown =
/// taken.
struct SendCounts {
  std::uint64_t taken = 0;    ///< By Post and Send.
  std::uint64_t pending = 0;  ///< Without an outcome so far.
  std::uint64_t ok = 0;
  std::uint64_t full = 0;
  std::uint64_t closed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t no_subscribers = 0;  ///< Topics.
  std::uint64_t unknown = 0;
  std::uint64_t duplicates = 0;  ///< Whatever their outcome.
};

struct SendStats {
  SendCounts counts;
  std::size_t pending_bytes = 0;        ///< Encoded.
  std::uint64_t reconnects = 0;         ///< Streams accepted after the first.
  std::uint64_t resent = 0;             ///< Messages sent again after a loss.
  std::uint64_t resent_new_epoch = 0;   ///< Those of them that may be there twice.
  std::uint64_t unknown_new_epoch = 0;  ///< With kReport: messages reported instead.
  std::uint64_t exceptions = 0;         ///< Thrown by its callbacks.
};

/// What the daemon said when the stream was opened, the last time.
struct SenderOpened {
  std::uint64_t epoch = 0;          ///< Of the channel's life.
  std::uint64_t last_sequence = 0;  ///< Highest one spent by producer_id; 0 without one.
  std::uint64_t capacity = 0;       ///< Messages; the effective one.
  Durability durability = Durability::kUnspecified;
  /// What one message may have, encoded; 0: the daemon does not say.
  std::uint64_t message_bytes_max = 0;
};

class SendingStream;

class SendingEnd {
 public:
  SendingEnd(SendingEnd&&) noexcept;
  SendingEnd& operator=(SendingEnd&&) noexcept;
  ~SendingEnd();

  /// Takes the message and answers its sequence. Not taken: PENDING_FULL (refuse), DEADLINE (wait),
  /// STREAM_ENDED, BAD_OPTION (text that is not UTF-8, a message or its headers too large),
  /// WOULD_BLOCK.
  Result<std::uint64_t> Post(const Message& message, Deadline deadline = Deadline::Never());
  /// The same under a sequence of the caller's choice, above all before it on this stream: for
  /// sending again what another process began. Also BAD_OPTION, if it is not above.
  Result<std::uint64_t> PostAs(std::uint64_t sequence, const Message& message,
                               Deadline deadline = Deadline::Never());

  /// Waits until every message taken so far has its outcome. DEADLINE, or STREAM_ENDED if the
  /// stream ended otherwise than by Close.
  Status Flush(Deadline deadline);
  /// Half-closes: takes no more, waits for all outcomes and the daemon's Closed. DEADLINE: it was
  /// not over by then, and the stream was cancelled.
  Result<StreamEnd> Close(Deadline deadline);

  SenderOpened opened() const;
  SendCounts counts() const;
  SendStats stats() const;
  StreamState state() const;
  /// How it ended; nothing while it lives.
  std::optional<StreamEnd> end() const;

 protected:
  explicit SendingEnd(std::shared_ptr<SendingStream> stream);
  /// The message is copied; it is numbered when the operation is started and there is room. An
  /// outcome that is not the daemon's has a status (SendOutcome).
  Operation<SendOutcome> Ask(const Message& message) const;

 private:
  std::shared_ptr<SendingStream> stream_;
};

}  // namespace abi1
}  // namespace sluice
