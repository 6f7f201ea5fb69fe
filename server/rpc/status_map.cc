// SPDX-License-Identifier: Apache-2.0
#include "rpc/status_map.h"

#include <chrono>
#include <string>
#include <string_view>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "wire/utf8.h"

namespace sluice::rpc {
namespace {

constexpr char kDomain[] = "sluice";
// The message and the details travel as trailers, of which a client takes 8 KiB in all.
constexpr std::size_t kTextBytesMax = 1'024;

static_assert(static_cast<int>(Code::kOk) == grpc::StatusCode::OK);
static_assert(static_cast<int>(Code::kCancelled) == grpc::StatusCode::CANCELLED);
static_assert(static_cast<int>(Code::kInvalidArgument) == grpc::StatusCode::INVALID_ARGUMENT);
static_assert(static_cast<int>(Code::kDeadlineExceeded) == grpc::StatusCode::DEADLINE_EXCEEDED);
static_assert(static_cast<int>(Code::kNotFound) == grpc::StatusCode::NOT_FOUND);
static_assert(static_cast<int>(Code::kPermissionDenied) == grpc::StatusCode::PERMISSION_DENIED);
static_assert(static_cast<int>(Code::kResourceExhausted) == grpc::StatusCode::RESOURCE_EXHAUSTED);
static_assert(static_cast<int>(Code::kFailedPrecondition) == grpc::StatusCode::FAILED_PRECONDITION);
static_assert(static_cast<int>(Code::kAborted) == grpc::StatusCode::ABORTED);
static_assert(static_cast<int>(Code::kUnimplemented) == grpc::StatusCode::UNIMPLEMENTED);
static_assert(static_cast<int>(Code::kInternal) == grpc::StatusCode::INTERNAL);
static_assert(static_cast<int>(Code::kUnavailable) == grpc::StatusCode::UNAVAILABLE);

// Cut between two characters, and UTF-8 whatever a client put into it: otherwise the other side
// could not parse the details.
std::string TextOf(std::string_view text) {
  if (text.size() > kTextBytesMax) {
    std::size_t end = kTextBytesMax;
    while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
    text = text.substr(0, end);
  }
  std::string out(text);
  if (wire::IsValidUtf8(out)) return out;
  for (char& c : out) {
    if ((c & 0x80) != 0) c = '?';
  }
  return out;
}

}  // namespace

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string message = TextOf(status.message());
  google::rpc::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(status.reason());
  info.set_domain(kDomain);
  for (const auto& [key, value] : status.details()) {
    (*info.mutable_metadata())[key] = TextOf(value);
  }
  rich.add_details()->PackFrom(info);
  if (status.retry_delay().count() > 0) {
    google::rpc::RetryInfo retry;
    const auto ms = status.retry_delay().count();
    retry.mutable_retry_delay()->set_seconds(ms / 1'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(ms % 1'000) * 1'000'000);
    rich.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message,
                      rich.SerializeAsString());
}

}  // namespace sluice::rpc
