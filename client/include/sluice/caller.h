// SPDX-License-Identifier: Apache-2.0
/// The asking end of request/reply: many calls over one stream, answered in any order.
///
/// Calls      Call makes an operation without any effect; its faces (operation.h) start it, and
///            give the one outcome of the call (N25). Cancelling or destroying the operation
///            cancels the call at its worker, too (N24).
/// Parts      CallParts gives the reply part by part; who does not take them holds the worker back,
///            and nobody else.
/// Bounds     At most open_calls_max calls, and pending_bytes_max of requests, are at the daemon.
///            Further ones wait in the order of their start, or are refused (when_pending:
///            PENDING_FULL). A call that waits costs what its operation holds.
/// Reconnect  A lost stream is opened again. A call that was not written yet waits for it. One that
///            was open ends UNKNOWN, for it may have been done; with retry_safe it is asked again,
///            unless a part of its reply had come. After a daemon that went down in good order the
///            calls that it had not taken are asked again.
/// Ends       Close waits for the calls under way, and says goodbye. The destructor cancels what is
///            under way; its calls end as not done if they were not written, else as UNKNOWN. It
///            takes 1 s at most.
/// Threads    All functions may be called from any thread at once. Callbacks run on the client's
///            thread and must not wait; waiting functions called from them answer WOULD_BLOCK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sluice/call.h"
#include "sluice/deadline.h"
#include "sluice/operation.h"
#include "sluice/reply_parts.h"
#include "sluice/sending_end.h"
#include "sluice/status.h"
#include "sluice/stream_state.h"

namespace sluice {
inline namespace abi1 {

struct CallerOptions {
  std::string responder;              ///< That calls go to, unless CallOptions names another.
  std::size_t open_calls_max = 1024;  ///< At most 1,024.
  std::size_t pending_bytes_max = 16 << 20;
  WhenPending when_pending = WhenPending::kWait;
  ReconnectOptions reconnect;
  OnStreamState on_state;
};

/// Calls, by their end. started = waiting + open + the rest but `retried`.
struct CallerStats {
  std::uint64_t started = 0;
  std::uint64_t waiting = 0;  ///< Not yet written.
  std::uint64_t open = 0;     ///< At the daemon.
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;     ///< Any other outcome.
  std::uint64_t unknown = 0;    ///< Lost with a connection.
  std::uint64_t refused = 0;    ///< By a fault: not begun.
  std::uint64_t cancelled = 0;  ///< By their own operation.
  std::uint64_t retried = 0;    ///< Written again after a lost connection.
  std::uint64_t reconnects = 0;
  std::uint64_t exceptions = 0;  ///< Thrown by its callbacks.
};

class CallerStream;

class Caller {
 public:
  explicit Caller(std::shared_ptr<CallerStream> stream);
  Caller(Caller&&) noexcept;
  Caller& operator=(Caller&&) noexcept;
  ~Caller();

  /// The message is copied. Faults: BAD_OPTION, PENDING_FULL, STREAM_ENDED, and the daemon's
  /// INVALID_ARGUMENT for this call; it was not begun.
  Operation<Result<CallReply>> Call(const Message& message, const CallOptions& options = {});
  Operation<Result<CallReply>> Call(std::string_view payload, const CallOptions& options = {}) {
    return Call(Message{payload, {}, {}, {}}, options);
  }
  /// Started at once. `window`: parts that may be under way untaken, 1 to 1,024.
  Result<ReplyParts> CallParts(const Message& message, const CallOptions& options = {},
                               std::uint32_t window = 16);

  /// Takes no more, waits for the calls under way and for the daemon's goodbye. DEADLINE: it was
  /// not over by then, and the stream was cancelled.
  Result<StreamEnd> Close(Deadline deadline);

  CallerStats stats() const;
  StreamState state() const;
  /// How it ended for good; nothing while it lives or reconnects.
  std::optional<StreamEnd> end() const;

 private:
  std::shared_ptr<CallerStream> stream_;
};

}  // namespace abi1
}  // namespace sluice
