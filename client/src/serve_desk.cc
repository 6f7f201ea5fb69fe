// SPDX-License-Identifier: Apache-2.0
#include "serve_desk.h"

#include <algorithm>
#include <utility>

#include "request_convert.h"
#include "wire/frame_writer.h"

namespace sluice {
inline namespace abi1 {
namespace {

// Of ServeRequest.
constexpr std::uint32_t kRepliesField = 3;
constexpr std::size_t kFrameBytes = 256 << 10;
// The daemon takes 10,000.
constexpr std::size_t kFrameRepliesMax = 10'000;

}  // namespace

ServeDesk::News ServeDesk::Take(v1::ServeResponse& frame) {
  News news;
  for (const v1::ReplyResult& result : frame.results()) OnResult(result, news);
  for (v1::Assignment& assignment : *frame.mutable_assignments()) {
    news.ready.push_back(Add(assignment));
  }
  for (const v1::PartCredit& credit : frame.part_credit()) {
    const auto at = held_.find(credit.call_id());
    if (at == held_.end()) continue;
    Assigned& request = *at->second;
    request.parts_allowed = std::max(request.parts_allowed, credit.parts());
    news.has_credit = true;
    if (request.last_part && MayPart(request)) {
      const v1::WorkerReply last = *std::exchange(request.last_part, std::nullopt);
      held_.erase(at);
      Write(last.call_id(), last, /*is_last=*/true);
    }
  }
  for (const std::uint64_t call_id : frame.cancelled()) {
    ++stats_.cancelled;
    const auto at = held_.find(call_id);
    if (at == held_.end()) continue;
    at->second->is_unwanted = true;
    news.stopped.push_back(at->second);
    // Nobody will allow the last part any more, but the daemon wants an answer.
    if (!at->second->last_part) continue;
    v1::WorkerReply release;
    release.set_call_id(call_id);
    release.mutable_release();
    release.set_last(true);
    held_.erase(at);
    Write(call_id, release, /*is_last=*/true);
  }
  return news;
}

ServeDesk::Held ServeDesk::Add(v1::Assignment& assignment) {
  auto request =
      std::make_shared<Assigned>(assignment.call_id(), TakeFromWire(*assignment.mutable_request()));
  request->wants_parts = assignment.parts();
  request->attempts = assignment.attempts();
  request->parts_allowed = assignment.part_credit();
  if (assignment.timeout_ms() != 0) {
    request->until = Deadline(std::chrono::milliseconds(assignment.timeout_ms()));
  }
  held_[request->call_id] = request;
  ++stats_.assigned;
  return request;
}

std::vector<ServeDesk::Held> ServeDesk::OnLost() {
  std::vector<Held> lost;
  for (auto& [call_id, request] : held_) {
    request->phase = Assigned::Phase::kLost;
    lost.push_back(std::move(request));
  }
  stats_.lost += lost.size();
  held_.clear();
  for (const Sent& sent : awaited_) stats_.dropped += sent.is_last ? 1 : 0;
  awaited_.clear();
  replies_.clear();
  return lost;
}

Status ServeDesk::MayReply(const Assigned& request) {
  switch (request.phase) {
    case Assigned::Phase::kHeld:
      return Status();
    case Assigned::Phase::kAnswered:
      return Status(Code::kFailedPrecondition, "ALREADY_ANSWERED", "the request was answered");
    case Assigned::Phase::kOver:
      return Status(Code::kCancelled, "CANCELLED", "nobody wants the reply any more");
    case Assigned::Phase::kLost:
      break;
  }
  ++stats_.dropped;
  return Status(Code::kUnavailable, "STREAM_ENDED",
                "the stream of the request was lost, and the request with it");
}

void ServeDesk::Put(Assigned& request, v1::WorkerReply reply) {
  reply.set_call_id(request.call_id);
  const bool is_part = reply.has_message() && (!reply.last() || request.parts_sent > 0);
  if (reply.last()) request.phase = Assigned::Phase::kAnswered;
  if (is_part && !MayPart(request)) {
    request.last_part = std::move(reply);
    return;
  }
  if (is_part) ++request.parts_sent;
  if (reply.last()) held_.erase(request.call_id);
  Write(request.call_id, reply, reply.last());
}

void ServeDesk::Write(std::uint64_t call_id, const v1::WorkerReply& reply, bool is_last) {
  replies_.push_back(reply.SerializeAsString());
  awaited_.push_back({call_id, is_last});
}

void ServeDesk::TakeInto(std::string& frame) {
  for (std::size_t count = 0; !replies_.empty() && count < kFrameRepliesMax; ++count) {
    if (count > 0 && frame.size() + replies_.front().size() > kFrameBytes) return;
    wire::AppendBytesPresent(frame, kRepliesField, replies_.front());
    replies_.pop_front();
  }
}

void ServeDesk::OnResult(const v1::ReplyResult& result, News& news) {
  if (awaited_.empty()) return;  // The daemon tells of each reply once.
  const Sent sent = awaited_.front();
  awaited_.pop_front();
  switch (result.outcome()) {
    case v1::OUTCOME_OK:
      if (sent.is_last) ++stats_.answered;
      return;
    case v1::OUTCOME_CLOSED:
      if (sent.is_last) ++stats_.late;
      break;
    default:
      ++stats_.refused;
  }
  if (sent.is_last) return;
  if (Held over = End(sent.call_id, Assigned::Phase::kOver))
    news.stopped.push_back(std::move(over));
}

ServeDesk::Held ServeDesk::End(std::uint64_t call_id, Assigned::Phase phase) {
  const auto at = held_.find(call_id);
  if (at == held_.end()) return nullptr;
  Held request = std::move(at->second);
  held_.erase(at);
  request->phase = phase;
  request->last_part.reset();
  return request;
}

ResponderStats ServeDesk::stats() const {
  ResponderStats stats = stats_;
  stats.in_hand = held_.size();
  return stats;
}

}  // namespace abi1
}  // namespace sluice
