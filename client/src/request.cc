// SPDX-License-Identifier: Apache-2.0
#include "sluice/request.h"

#include <algorithm>
#include <string>
#include <utility>

#include "assigned.h"
#include "bad_option.h"
#include "handler_pool.h"
#include "request_convert.h"
#include "serve_stream.h"
#include "wire/utf8.h"

namespace sluice {
inline namespace abi1 {
namespace {

// Of Failure.
constexpr std::size_t kCodeBytesMax = 255;
constexpr std::size_t kTextBytesMax = 8 << 10;

// The text without what is too much, or not UTF-8.
std::string Shown(std::string_view text) {
  text = text.substr(0, kTextBytesMax);
  // What was cut within a character, if it was.
  for (int cut = 0; cut < 3 && !wire::IsValidUtf8(text); ++cut) text.remove_suffix(1);
  return wire::IsValidUtf8(text) ? std::string(text) : "a text that is not UTF-8";
}

}  // namespace

Request::Request(std::shared_ptr<Assigned> assigned) : assigned_(std::move(assigned)) {}
const OwnedMessage& Request::message() const { return assigned_->request; }
bool Request::wants_parts() const { return assigned_->wants_parts; }
std::uint32_t Request::attempts() const { return assigned_->attempts; }
bool Request::is_cancelled() const { return assigned_->stop.stop_requested(); }
std::stop_token Request::stop_token() const { return assigned_->stop.get_token(); }

std::optional<std::chrono::milliseconds> Request::remaining() const {
  if (!assigned_->until) return std::nullopt;
  const auto left = assigned_->until->at() - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left),
                  std::chrono::milliseconds(0));
}

Reply::Reply(std::shared_ptr<Assigned> assigned) : assigned_(std::move(assigned)) {}

Reply& Reply::operator=(Reply&& other) noexcept {
  Reply old(std::move(*this));
  assigned_ = std::move(other.assigned_);
  return *this;
}

Reply::~Reply() {
  if (assigned_ == nullptr || HandlerPool::IsHandling(*assigned_)) return;
  assigned_->owner->Abandon(*assigned_);
}

Status Reply::Send(const Message& message) {
  if (Status status = CheckMessage(message); !status.ok()) return status;
  v1::WorkerReply reply;
  *reply.mutable_message() = ToWire(message);
  return assigned_->owner->Answer(*assigned_, std::move(reply));
}

Status Reply::SendPart(const Message& message, Deadline deadline) {
  if (Status status = CheckMessage(message); !status.ok()) return status;
  return assigned_->owner->AnswerPart(*assigned_, message, deadline);
}

Status Reply::Finish() { return assigned_->owner->Answer(*assigned_, {}); }

Status Reply::Fail(std::string_view code, std::string_view text) {
  const bool is_ours = !code.empty() && code.front() == '_';
  if (is_ours || code.size() > kCodeBytesMax || !wire::IsValidUtf8(code)) {
    return BadOption("code", Shown(code),
                     "must be at most 255 bytes, UTF-8, and without a first _");
  }
  v1::WorkerReply reply;
  reply.mutable_failure()->set_code(std::string(code));
  reply.mutable_failure()->set_text(Shown(text));
  return assigned_->owner->Answer(*assigned_, std::move(reply));
}

Status Reply::Release() {
  v1::WorkerReply reply;
  reply.mutable_release();
  return assigned_->owner->Answer(*assigned_, std::move(reply));
}

bool Reply::is_cancelled() const { return assigned_->stop.stop_requested(); }

}  // namespace abi1
}  // namespace sluice
