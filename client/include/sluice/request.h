// SPDX-License-Identifier: Apache-2.0
/// A request in the hands of a worker, and the right to answer it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "sluice/deadline.h"
#include "sluice/message.h"
#include "sluice/owned_message.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

class Assigned;

/// What is asked. Movable; valid also after it was answered.
class Request {
 public:
  explicit Request(std::shared_ptr<Assigned> assigned);
  Request(Request&&) noexcept = default;
  Request& operator=(Request&&) noexcept = default;

  const OwnedMessage& message() const;
  std::string_view payload() const { return message().payload; }
  /// The caller gets parts one by one; otherwise they are joined.
  bool wants_parts() const;
  /// How often it was handed out, this time included: above 1 it may have been begun before.
  std::uint32_t attempts() const;
  /// What is left of the call's time; nothing if it has no end.
  std::optional<std::chrono::milliseconds> remaining() const;
  /// The caller has gone, its time is over, or the stream was lost: nobody wants a reply.
  bool is_cancelled() const;
  /// The same as a token. Its callbacks run on the client's thread, and must not wait.
  std::stop_token stop_token() const;

 private:
  std::shared_ptr<Assigned> assigned_;
};

/// The answer to one request. Every function but SendPart ends it, if it answers OK; then, or
/// later, what the daemon made of it is counted (ResponderStats). Faults, after which it may be
/// tried otherwise: BAD_OPTION (too large, or text that is not UTF-8). Others: ALREADY_ANSWERED;
/// STREAM_ENDED, if the stream of the request was lost: the reply is dropped.
class Reply {
 public:
  explicit Reply(std::shared_ptr<Assigned> assigned);
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&& other) noexcept;
  /// Fail("NO_ANSWER") unless it was answered.
  ~Reply();

  Status Send(const Message& message);
  Status Send(std::string_view payload) { return Send(Message{payload, {}, {}, {}}); }
  /// A part; Send or Finish ends the reply. Waits until the caller allows one more: DEADLINE,
  /// CANCELLED (nobody wants it any more), WOULD_BLOCK on the client's thread.
  Status SendPart(const Message& message, Deadline deadline = Deadline::Never());
  Status SendPart(std::string_view payload, Deadline deadline = Deadline::Never()) {
    return SendPart(Message{payload, {}, {}, {}}, deadline);
  }
  /// The end of a reply in parts, or an answer without a message.
  Status Finish();
  /// It failed: the caller gets FAILED with this. `code` is the application's own word, at most
  /// 255 bytes, and does not begin with `_`; of `text` the first 8 KiB are told.
  Status Fail(std::string_view code, std::string_view text);
  /// Not begun: another worker gets it, or the caller NO_RESPONDER if there is none.
  Status Release();

  bool is_cancelled() const;

 private:
  std::shared_ptr<Assigned> assigned_;
};

struct ReceivedRequest {
  ReceivedRequest(Request asked, Reply answer)
      : request(std::move(asked)), reply(std::move(answer)) {}

  Request request;
  Reply reply;
};

}  // namespace abi1
}  // namespace sluice
