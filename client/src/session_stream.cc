// SPDX-License-Identifier: Apache-2.0
#include "session_stream.h"

#include <utility>

#include "queue_convert.h"
#include "sluice/v1/session.pb.h"
#include "stream_status.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.SessionService/Keep";

}  // namespace

SessionStream::SessionStream(std::shared_ptr<Transport> transport, SessionOptions options)
    : PersistentStream(std::move(transport),
                       {kMethod, Shape::kBidirectional, options.reconnect, options.on_state}),
      options_(std::move(options)),
      id_(options_.id),
      linger_(options_.linger) {}

std::string SessionStream::OpenFrame() {
  v1::KeepRequest request;
  std::lock_guard lock(mutex_);
  request.set_session_id(id_);
  request.set_linger_ms(ToWireMs(linger_));
  has_new_linger_ = false;
  return request.SerializeAsString();
}

void SessionStream::OnWritable() {
  std::unique_lock lock(mutex_);
  Pump(lock);
}

void SessionStream::Pump(std::unique_lock<std::mutex>& lock) {
  if (may_write() && has_new_linger_) {
    has_new_linger_ = false;
    v1::KeepRequest request;
    request.set_linger_ms(ToWireMs(linger_));
    Write(lock, request.SerializeAsString());
  } else if (may_write() && is_closing_) {
    HalfClose(lock);
  } else {
    lock.unlock();
  }
}

StreamCall::Reading SessionStream::OnFrame(grpc::ByteBuffer& frame) {
  v1::KeepResponse response;
  if (!Parse(frame, response)) {
    PersistentStream::Fail(MalformedReply(kMethod));
    return Reading::kContinue;
  }
  if (response.has_closed()) {
    NoteClosed(FromWire(response.closed().reason()));
    return Reading::kContinue;
  }
  bool is_lost = false;
  {
    std::lock_guard lock(mutex_);
    is_lost = is_known_ && !response.resumed();
    if (!is_known_) was_resumed_ = response.resumed();
    if (is_known_) ++(is_lost ? stats_.lost : stats_.resumed);
    is_known_ = true;
    id_ = response.session_id();
    fence_ = response.fence();
  }
  if (is_lost) CallBack(options_.on_lost, response.session_id());
  Accept();
  return Reading::kContinue;
}

std::string SessionStream::id() const {
  std::lock_guard lock(mutex_);
  return id_;
}

std::uint64_t SessionStream::fence() const {
  std::lock_guard lock(mutex_);
  return fence_;
}

bool SessionStream::was_resumed() const {
  std::lock_guard lock(mutex_);
  return was_resumed_;
}

Status SessionStream::SetLinger(std::chrono::milliseconds linger) {
  std::unique_lock lock(mutex_);
  if (end_) return EndedStatus(*end_);
  linger_ = linger;
  has_new_linger_ = true;
  Pump(lock);
  return Status();
}

Result<StreamEnd> SessionStream::Close(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  {
    std::unique_lock lock(mutex_);
    is_closing_ = true;
    Pump(lock);
  }
  StopReopening();
  return AwaitEnd(deadline);
}

SessionStats SessionStream::stats() const {
  SessionStats stats;
  {
    std::lock_guard lock(mutex_);
    stats = stats_;
  }
  stats.reconnects = reconnects();
  stats.exceptions = exceptions();
  return stats;
}

}  // namespace abi1
}  // namespace sluice
