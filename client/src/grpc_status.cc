// SPDX-License-Identifier: Apache-2.0
#include "grpc_status.h"

#include <charconv>
#include <string>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace sluice {
inline namespace abi1 {
namespace {

// What the library itself says where the peer said nothing.
std::string ReasonOf(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE";
    case grpc::StatusCode::UNAVAILABLE:
      return "CANNOT_CONNECT";
    default:
      return {};
  }
}

std::uint64_t NumberIn(const Status::Details& details, const char* key) {
  const auto found = details.find(key);
  std::uint64_t number = 0;
  if (found == details.end()) return 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return Status();
  std::string reason = ReasonOf(status);
  Status::Details details;
  std::chrono::milliseconds retry_after{0};
  google::rpc::Status rich;
  if (!status.error_details().empty() && rich.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : rich.details()) {
      google::rpc::ErrorInfo info;
      google::rpc::RetryInfo retry;
      if (detail.UnpackTo(&info)) {
        reason = info.reason();
        details.insert(info.metadata().begin(), info.metadata().end());
      } else if (detail.UnpackTo(&retry)) {
        retry_after = std::chrono::milliseconds(retry.retry_delay().seconds() * 1000 +
                                                retry.retry_delay().nanos() / 1'000'000);
      }
    }
  }
  return Status(static_cast<Code>(status.error_code()), std::move(reason), status.error_message(),
                std::move(details), retry_after);
}

StreamEnd EndOf(const grpc::Status& status) {
  StreamEnd end;
  end.status = status.ok() ? Status(Code::kUnavailable, "CANNOT_CONNECT",
                                    "the stream ended without saying why")
                           : FromGrpc(status);
  if (end.status.code() == Code::kAborted && end.status.reason() == "SUPERSEDED") {
    end.kind = StreamEnd::Kind::kSuperseded;
    end.reason = ClosedReason::kSuperseded;
    end.fence = NumberIn(end.status.details(), "fence");
  }
  return end;
}

}  // namespace abi1
}  // namespace sluice
