// SPDX-License-Identifier: Apache-2.0
#include "sluice/caller.h"

#include <utility>

#include "bad_option.h"
#include "call_question.h"
#include "caller_stream.h"
#include "hold.h"
#include "parts_of_reply.h"
#include "sluice/client.h"

namespace sluice {
inline namespace abi1 {
namespace {

// What the daemon takes open on a stream, and of parts without further credit.
constexpr std::size_t kOpenCallsMax = 1024;
constexpr std::uint32_t kWindowMax = 1024;

}  // namespace

Result<Caller> Client::OpenCaller(CallerOptions options, Deadline deadline) {
  if (options.open_calls_max == 0 || options.open_calls_max > kOpenCallsMax) {
    return BadOption("open_calls_max", std::to_string(options.open_calls_max),
                     "must be 1 to 1,024");
  }
  if (options.pending_bytes_max == 0) return BadOption("pending_bytes_max", "0", "must be above 0");
  if (Status status = Check(options.reconnect); !status.ok()) return status;
  return OpenHandle<Caller>(
      transport_, std::make_shared<CallerStream>(transport_, std::move(options)), deadline);
}

Caller::Caller(std::shared_ptr<CallerStream> stream) : stream_(std::move(stream)) {}
Caller::Caller(Caller&&) noexcept = default;

Caller& Caller::operator=(Caller&& other) noexcept {
  Caller old(std::move(*this));
  stream_ = std::move(other.stream_);
  return *this;
}

Caller::~Caller() { LetGo(stream_); }

Operation<Result<CallReply>> Caller::Call(const Message& message, const CallOptions& options) {
  return Operation<Result<CallReply>>(std::make_shared<CallQuestion>(
      stream_, stream_->Make(message, options), options.retry_safe, CheckMessage(message)));
}

Result<ReplyParts> Caller::CallParts(const Message& message, const CallOptions& options,
                                     std::uint32_t window) {
  if (window == 0 || window > kWindowMax) {
    return BadOption("window", std::to_string(window), "must be 1 to 1,024");
  }
  if (Status status = CheckMessage(message); !status.ok()) return status;
  v1::CallStart start = stream_->Make(message, options);
  start.set_parts(true);
  start.set_part_credit(window);
  auto parts = std::make_shared<PartsOfReply>(stream_, window);
  parts->Start(std::move(start), options.retry_safe);
  return ReplyParts(std::move(parts));
}

Result<StreamEnd> Caller::Close(Deadline deadline) { return stream_->Close(deadline); }
CallerStats Caller::stats() const { return stream_->stats(); }
StreamState Caller::state() const { return stream_->state(); }
std::optional<StreamEnd> Caller::end() const { return stream_->end(); }

}  // namespace abi1
}  // namespace sluice
