// SPDX-License-Identifier: Apache-2.0
// A refusal or a fault, told well: what class it is, which exact reason, and which field, limit and
// value. Expected answers of a channel (full, closed, timed out) are not faults: they are outcomes
// (broker/outcome.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// Numerically gRPC's canonical codes, so that the wire needs no table.
enum class [[nodiscard]] Code : std::uint8_t{
    kOk = 0,       kCancelled = 1,        kInvalidArgument = 3,   kDeadlineExceeded = 4,
    kNotFound = 5, kPermissionDenied = 7, kResourceExhausted = 8, kFailedPrecondition = 9,
    kAborted = 10, kUnimplemented = 12,   kInternal = 13,         kUnavailable = 14,
};

class [[nodiscard]] Status {
 public:
  // Named details of the fault ("field", "limit", "value", ...), for programs to read.
  using Details = std::vector<std::pair<std::string, std::string>>;

  Status() = default;
  // `reason` is UPPER_SNAKE and constant: programs compare it. `message` is for people.
  Status(Code code, std::string_view reason, std::string message)
      : code_(code), reason_(reason), message_(std::move(message)) {}

  bool ok() const noexcept { return code_ == Code::kOk; }
  Code code() const noexcept { return code_; }
  const std::string& reason() const noexcept { return reason_; }
  const std::string& message() const noexcept { return message_; }
  const Details& details() const noexcept { return details_; }
  // How long to wait before trying again; zero: trying again does not help.
  std::chrono::milliseconds retry_delay() const noexcept { return retry_delay_; }

  // By value, so that `status = std::move(status).With(...)` is what it says.
  Status With(std::string key, std::string value) && {
    details_.emplace_back(std::move(key), std::move(value));
    return std::move(*this);
  }
  Status RetryAfter(std::chrono::milliseconds delay) && {
    retry_delay_ = delay;
    return std::move(*this);
  }

 private:
  Code code_ = Code::kOk;
  std::string reason_;
  std::string message_;
  Details details_;
  std::chrono::milliseconds retry_delay_{0};
};

// INVALID_ARGUMENT, reason OUT_OF_BOUNDS: names the field, the limit and the value.
Status OutOfBounds(std::string_view field, std::string_view limit, std::uint64_t limit_value,
                   std::uint64_t value);
// INVALID_ARGUMENT, reason INVALID_FIELD: `field` and why its value is not accepted.
Status InvalidField(std::string_view field, std::string message);

}  // namespace sluice
