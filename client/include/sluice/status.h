// SPDX-License-Identifier: Apache-2.0
/// What a call of this library says when it did not do what was asked: a code, a reason that
/// programs can match, a sentence, and details (field, limit, value). Expected answers of a channel
/// (full, closed, empty) are not faults: they are an Outcome (outcome.h).
///
/// The daemon's faults carry its own reason (google.rpc.ErrorInfo). Reasons of the library itself:
///   CANNOT_CONNECT    no connection within the time given, or the connection was lost
///   DEADLINE          the deadline of the call passed; whether it happened is unknown
///   PENDING_FULL      a sender holds as many unanswered messages as it may
///   STREAM_ENDED      the stream has ended; its end says how
///   WOULD_BLOCK       a waiting call was made on the client's own thread, out of a callback
///   BAD_OPTION        an option or argument is out of its bounds; nothing was sent
///   MALFORMED_REPLY   the peer's bytes are not what the protocol says
///
/// Copies are cheap and share the text. Thread safety: as of any value.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

// The library's names live in an inline namespace, its binary version: sluice::Status is written,
// and programs that also link parts of the daemon keep the two apart.
namespace sluice {
inline namespace abi1 {

/// gRPC's codes, number for number.
enum class Code : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// "NOT_FOUND" and the like.
const char* ToString(Code code);

class [[nodiscard]] Status {
 public:
  using Details = std::map<std::string, std::string>;

  /// OK.
  Status() = default;
  Status(Code code, std::string reason, std::string message, Details details = {},
         std::chrono::milliseconds retry_after = {});

  bool ok() const { return fault_ == nullptr; }
  Code code() const;
  /// UPPER_SNAKE; empty if the peer gave none.
  const std::string& reason() const;
  const std::string& message() const;
  /// As the daemon wrote them: "field", "limit", "value" and others.
  const Details& details() const;
  /// How long the daemon asks to wait before the next attempt; 0 if it does not say.
  std::chrono::milliseconds retry_after() const;

  /// One line: code, reason, message, details.
  std::string ToString() const;

 private:
  struct Fault {
    Code code;
    std::string reason;
    std::string message;
    Details details;
    std::chrono::milliseconds retry_after;
  };
  std::shared_ptr<const Fault> fault_;  // Null: OK.
};

/// A value, or the status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Requires: ok().
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  /// OK if there is a value.
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace abi1
}  // namespace sluice
