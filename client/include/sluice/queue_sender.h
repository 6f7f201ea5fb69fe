// SPDX-License-Identifier: Apache-2.0
/// The sending end of a named queue: a SendStream that numbers its messages and learns what became
/// of each.
///
/// Batching   A message leaves at once if nothing is being written; what is sent meanwhile leaves
/// together
///            as the next frame, up to frame_bytes_max. No delay is ever added.
/// Bounds     A message counts as pending from Send to its outcome. With pending_bytes_max or
///            pending_messages_max reached, Send waits until its deadline, or refuses
///            (when_pending).
/// Outcomes   Every message that Send took gets exactly one outcome: as a range to on_outcome, and
/// in
///            Counts. If the stream is lost first, it is UNKNOWN; if the daemon closed it, CLOSED.
/// Sequences  From 1, or one above the last that the daemon knows of producer_id. With a
/// producer_id a
///            message sent again under its sequence is recognised and not stored twice (N9).
/// Ends       Finish says goodbye and waits for all outcomes; the destructor cancels, and what had
/// no
///            outcome is lost or not. Neither blocks without bound: the destructor 1 s at most.
/// Threads    All functions may be called from any thread at once. Callbacks run on the client's
/// thread:
///            they must not wait, and waiting functions called from them answer WOULD_BLOCK.
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
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

/// What became of `count` messages from `first_sequence` on.
struct SendOutcome {
  std::uint64_t first_sequence = 0;
  std::uint32_t count = 0;
  Outcome outcome = Outcome::kUnspecified;
  std::uint64_t first_position = 0;  ///< With OK, unless a duplicate.
  Durability durability = Durability::kUnspecified;
  bool duplicate = false;  ///< An earlier send had this outcome; nothing was done now.
  ClosedReason reason = ClosedReason::kUnspecified;  ///< With CLOSED.
};

enum class WhenPending : std::uint8_t { kWait, kRefuse };

struct SenderOptions {
  std::string queue;
  std::optional<QueueSpec> spec;  ///< Declares the queue if it is absent.
  SendMode mode = SendMode::kWait;
  /// With kWait: how long a message may stand in line before it is TIMED_OUT; 0: without bound.
  std::chrono::milliseconds wait{0};
  /// 16 bytes, drawn once by the producer; empty: resends are not recognised.
  std::string producer_id;
  std::string session_id;  ///< Of a session that this producer belongs to; empty: none.

  std::size_t frame_bytes_max = 256 << 10;
  std::size_t pending_bytes_max = 16 << 20;
  std::size_t pending_messages_max = 64 << 10;
  WhenPending when_pending = WhenPending::kWait;
  std::function<void(const SendOutcome&)> on_outcome;
};

/// Messages, by outcome. pending + ok + full + closed + timed_out + unknown = taken.
struct SendCounts {
  std::uint64_t taken = 0;    ///< By Send.
  std::uint64_t pending = 0;  ///< Without an outcome so far.
  std::uint64_t ok = 0;
  std::uint64_t full = 0;
  std::uint64_t closed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t unknown = 0;
  std::uint64_t duplicates = 0;  ///< Whatever their outcome.
};

/// What the daemon said when the stream was opened.
struct SenderOpened {
  std::uint64_t epoch = 0;          ///< Of the queue's life.
  std::uint64_t last_sequence = 0;  ///< Highest one spent by producer_id; 0 without one.
  std::uint64_t capacity = 0;       ///< Messages; the effective one.
  Durability durability = Durability::kUnspecified;
};

class QueueSender {
 public:
  QueueSender(QueueSender&&) noexcept;
  QueueSender& operator=(QueueSender&&) noexcept;
  ~QueueSender();

  /// Takes the message and answers its sequence. Not taken: PENDING_FULL (refuse), DEADLINE (wait),
  /// STREAM_ENDED, BAD_OPTION (text that is not UTF-8), WOULD_BLOCK.
  Result<std::uint64_t> Send(const Message& message, Deadline deadline = Deadline::Never());

  /// The same under a sequence of the caller's choice, above all before it on this stream: for
  /// sending again after a loss. Also BAD_OPTION, if it is not above.
  Result<std::uint64_t> SendAs(std::uint64_t sequence, const Message& message,
                               Deadline deadline = Deadline::Never());

  /// Waits until every message taken so far has its outcome. DEADLINE, or STREAM_ENDED if the
  /// stream ended otherwise than by Finish.
  Status Flush(Deadline deadline);

  /// Half-closes: takes no more, waits for all outcomes and the daemon's Closed. DEADLINE: it was
  /// not over by then, and the stream was cancelled.
  Result<StreamEnd> Finish(Deadline deadline);

  const SenderOpened& opened() const;
  SendCounts counts() const;
  /// How it ended; nothing while it lives.
  std::optional<StreamEnd> end() const;

 private:
  friend class Client;
  class State;
  explicit QueueSender(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace abi1
}  // namespace sluice
