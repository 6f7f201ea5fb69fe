// SPDX-License-Identifier: Apache-2.0
#include "sluice/responder.h"

#include <utility>

#include "bad_option.h"
#include "handler_pool.h"
#include "hold.h"
#include "serve_stream.h"
#include "sluice/client.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::size_t kThreadsMax = 1024;

Status CheckOptions(const ResponderOptions& options) {
  if (options.threads > kThreadsMax) {
    return BadOption("threads", std::to_string(options.threads), "must be at most 1,024");
  }
  if ((options.handler == nullptr) != (options.threads == 0)) {
    return BadOption("handler", "", "needs threads, and threads need it");
  }
  return Check(options.reconnect);
}

}  // namespace

Result<Responder> Client::OpenResponder(ResponderOptions options, Deadline deadline) {
  if (Status status = CheckOptions(options); !status.ok()) return status;
  const std::size_t threads = options.threads;
  HandlerPool::Handler handler = std::move(options.handler);
  auto stream = std::make_shared<ServeStream>(transport_, std::move(options));
  auto responder = OpenHandle<Responder>(transport_, stream, deadline);
  if (responder.ok() && threads > 0) {
    responder->pool_ = std::make_unique<HandlerPool>(stream, std::move(handler), threads);
  }
  return responder;
}

Responder::Responder(std::shared_ptr<ServeStream> stream) : stream_(std::move(stream)) {}
Responder::Responder(Responder&&) noexcept = default;

Responder& Responder::operator=(Responder&& other) noexcept {
  Responder old(std::move(*this));
  stream_ = std::move(other.stream_);
  pool_ = std::move(other.pool_);
  return *this;
}

Responder::~Responder() { LetGo(stream_); }

Operation<Result<ReceivedRequest>> Responder::Recv() { return AskNext<ReceivedRequest>(stream_); }
Result<ReceivedRequest> Responder::Next(Deadline deadline) { return Recv().Wait(deadline); }
Status Responder::SetCredit(Credit credit) { return stream_->SetCredit(credit); }
Result<StreamEnd> Responder::Close(Deadline deadline) { return stream_->Close(deadline); }
ResponderStats Responder::stats() const { return stream_->stats(); }
StreamState Responder::state() const { return stream_->state(); }
std::optional<StreamEnd> Responder::end() const { return stream_->end(); }

}  // namespace abi1
}  // namespace sluice
