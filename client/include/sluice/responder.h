// SPDX-License-Identifier: Apache-2.0
/// The answering end of request/reply: one worker of a responder.
///
/// Handler    Runs on `threads` threads of the worker's own; or, with 0, requests are pulled by
///            Next and Recv. It may wait. What it throws is counted, and the call FAILED, code
///            EXCEPTION; it never ends the program.
/// Replies    A Reply answers its request once, from any thread, also after the handler has
///            returned. Dropped without an answer it is a failure, code NO_ANSWER.
/// Credit     At most `credit` requests are held unanswered; the daemon gives further ones to
///            other workers, or keeps them (N27).
/// Cancelled  When the caller has gone or its time is over, is_cancelled() says so, and the
///            request's stop token stops (N24). It must be answered all the same, or dropped: it
///            holds credit until then. One that was not begun yet is not handed out any more.
/// Reconnect  A lost stream is opened again. Requests of before belong to nobody any more: their
///            tokens stop, and their replies are dropped and counted (`dropped`).
/// Ends       Close takes no more and waits until what is in hand is answered. The destructor
///            cancels: callers of what is in hand get RESPONDER_GONE, or another worker (N23). It
///            waits 1 s at most for handlers that run; what they touch must outlive them.
/// Threads    All functions may be called from any thread at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sluice/deadline.h"
#include "sluice/operation.h"
#include "sluice/receiver.h"
#include "sluice/request.h"
#include "sluice/responder_spec.h"
#include "sluice/status.h"
#include "sluice/stream_state.h"

namespace sluice {
inline namespace abi1 {

struct ResponderOptions {
  std::string responder;
  std::optional<ResponderSpec> spec;  ///< Declares the responder if it is absent.
  std::string worker;                 ///< A name for people; empty: none.
  Credit credit{64, 0};
  std::size_t threads = 1;  ///< 0: no handler; Next and Recv. At most 1,024.
  std::function<void(Request&, Reply)> handler;
  ReconnectOptions reconnect;
  OnStreamState on_state;
};

/// Requests and replies.
struct ResponderStats {
  std::uint64_t assigned = 0;
  std::uint64_t in_hand = 0;    ///< Assigned, and not answered.
  std::uint64_t cancelled = 0;  ///< Whose caller had gone.
  std::uint64_t answered =
      0;                      ///< Final replies that the daemon took: messages, failures, releases.
  std::uint64_t late = 0;     ///< That found their caller gone (CLOSED).
  std::uint64_t refused = 0;  ///< REPLY_TOO_LARGE, or parts beyond their credit.
  std::uint64_t dropped = 0;  ///< Replies to requests of a stream that was lost.
  std::uint64_t lost = 0;     ///< Requests whose stream was lost before they were answered.
  std::uint64_t no_answer = 0;
  std::uint64_t exceptions = 0;  ///< Thrown by handlers and callbacks.
  std::uint64_t reconnects = 0;
};

class HandlerPool;
class ServeStream;

class Responder {
 public:
  explicit Responder(std::shared_ptr<ServeStream> stream);
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();

  /// With threads = 0: the next request. DEADLINE; STREAM_ENDED: no more will come.
  Result<ReceivedRequest> Next(Deadline deadline);
  Operation<Result<ReceivedRequest>> Recv();

  Status SetCredit(Credit credit);
  /// DEADLINE: it was not over by then, and the stream was cancelled.
  Result<StreamEnd> Close(Deadline deadline);

  ResponderStats stats() const;
  StreamState state() const;
  /// How it ended for good; nothing while it lives or reconnects.
  std::optional<StreamEnd> end() const;

 private:
  friend class Client;
  std::shared_ptr<ServeStream> stream_;
  std::unique_ptr<HandlerPool> pool_;  // None with threads = 0.
};

}  // namespace abi1
}  // namespace sluice
