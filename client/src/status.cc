// SPDX-License-Identifier: Apache-2.0
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

const char* ToString(Code code) {
  switch (code) {
    case Code::kOk:
      return "OK";
    case Code::kCancelled:
      return "CANCELLED";
    case Code::kUnknown:
      return "UNKNOWN";
    case Code::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case Code::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case Code::kNotFound:
      return "NOT_FOUND";
    case Code::kAlreadyExists:
      return "ALREADY_EXISTS";
    case Code::kPermissionDenied:
      return "PERMISSION_DENIED";
    case Code::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case Code::kFailedPrecondition:
      return "FAILED_PRECONDITION";
    case Code::kAborted:
      return "ABORTED";
    case Code::kOutOfRange:
      return "OUT_OF_RANGE";
    case Code::kUnimplemented:
      return "UNIMPLEMENTED";
    case Code::kInternal:
      return "INTERNAL";
    case Code::kUnavailable:
      return "UNAVAILABLE";
    case Code::kDataLoss:
      return "DATA_LOSS";
    case Code::kUnauthenticated:
      return "UNAUTHENTICATED";
  }
  return "UNKNOWN";
}

Status::Status(Code code, std::string reason, std::string message, Details details,
               std::chrono::milliseconds retry_after)
    : fault_(std::make_shared<const Fault>(
          Fault{code, std::move(reason), std::move(message), std::move(details), retry_after})) {}

Code Status::code() const { return ok() ? Code::kOk : fault_->code; }

const std::string& Status::reason() const {
  static const std::string none;
  return ok() ? none : fault_->reason;
}

const std::string& Status::message() const {
  static const std::string none;
  return ok() ? none : fault_->message;
}

const Status::Details& Status::details() const {
  static const Details none;
  return ok() ? none : fault_->details;
}

std::chrono::milliseconds Status::retry_after() const {
  return ok() ? std::chrono::milliseconds(0) : fault_->retry_after;
}

std::string Status::ToString() const {
  std::string text = abi1::ToString(code());
  if (ok()) return text;
  if (!reason().empty()) text += " " + reason();
  text += ": " + message();
  const char* before = " (";
  for (const auto& [key, value] : details()) {
    text += before + key + "=" + value;
    before = ", ";
  }
  return details().empty() ? text : text + ")";
}

}  // namespace abi1
}  // namespace sluice
