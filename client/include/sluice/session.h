// SPDX-License-Identifier: Apache-2.0
/// An identity at the daemon that outlives one stream: ephemeral keys, leases and producers may be
/// tied to its id, and end with it (N3).
///
/// Reconnect  A lost stream is opened again and takes the session up by its id. Within `linger` it
///            is still there. After it, or with another daemon, it has ended with all that was tied
///            to it: the session gets a new id, and on_lost tells.
/// Ends       Close ends the session at the daemon at once; so does the destructor, which gives
///            up after 1 s. A process that dies leaves it to end after `linger`.
/// Threads    All functions may be called from any thread at once. Callbacks run on the client's
///            thread and must not wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sluice/deadline.h"
#include "sluice/outcome.h"
#include "sluice/status.h"
#include "sluice/stream_state.h"

namespace sluice {
inline namespace abi1 {

struct SessionOptions {
  /// How long the session outlives the loss of its stream; at most 12 hours.
  std::chrono::milliseconds linger{0};
  /// The id of a session of before, to take it up from there; empty: a new one.
  std::string id;
  /// The session before this one has ended at the daemon; the new id is told.
  std::function<void(const std::string& id)> on_lost;
  ReconnectOptions reconnect;
  OnStreamState on_state;
};

struct SessionStats {
  std::uint64_t resumed = 0;  ///< Times that it was taken up again.
  std::uint64_t lost = 0;     ///< Times that it had ended meanwhile.
  std::uint64_t reconnects = 0;
  std::uint64_t exceptions = 0;  ///< Thrown by its callbacks.
};

class SessionStream;

class Session {
 public:
  explicit Session(std::shared_ptr<SessionStream> stream);
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// 16 bytes: who knows them may act as the session. Another one after each loss.
  std::string id() const;
  /// Rises each time that a stream takes the session.
  std::uint64_t fence() const;
  /// The session that SessionOptions::id named was still there.
  bool was_resumed() const;

  Status SetLinger(std::chrono::milliseconds linger);
  /// Ends the session, and all that is tied to it. DEADLINE: it was not told by then, and the
  /// stream was cancelled: it ends after `linger`.
  Result<StreamEnd> Close(Deadline deadline);

  SessionStats stats() const;
  StreamState state() const;
  /// How it ended for good; nothing while it lives or reconnects.
  std::optional<StreamEnd> end() const;

 private:
  std::shared_ptr<SessionStream> stream_;
};

}  // namespace abi1
}  // namespace sluice
