// SPDX-License-Identifier: Apache-2.0
#include "call_table.h"

#include <algorithm>
#include <utility>

#include "wire/frame_writer.h"

namespace sluice {
inline namespace abi1 {
namespace {

// Of CallStreamRequest.
constexpr std::uint32_t kCallsField = 1;
// Bounds of a frame: the daemon takes 1,024 calls and 4 MiB, 10,000 cancels and credits.
constexpr std::size_t kFrameCallsMax = 1024;
constexpr std::size_t kFrameBytes = 256 << 10;
constexpr std::size_t kFrameWordsMax = 10'000;

}  // namespace

std::uint64_t CallTable::Add(v1::CallStart start, bool retry_safe, Deadline until, Sink sink) {
  const std::uint64_t id = ++last_id_;
  start.set_call_id(id);
  Call& call = calls_[id];
  call.encoded = start.SerializeAsString();
  call.is_retry_safe = retry_safe;
  call.due = until.at();
  if (!until.is_never()) due_.emplace(call.due, id);
  call.sink = std::move(sink);
  bytes_ += call.encoded.size();
  waiting_.insert(id);
  return id;
}

bool CallTable::Cancel(std::uint64_t id) {
  const auto at = calls_.find(id);
  if (at == calls_.end()) return false;
  if (at->second.frame != 0) cancels_.push_back(id);
  Erase(at);
  return true;
}

void CallTable::Allow(std::uint64_t id, std::uint64_t parts) {
  const auto at = calls_.find(id);
  if (at != calls_.end() && at->second.frame != 0) allow_[id] = parts;
}

Deadline CallTable::next_due() const {
  return due_.empty() ? Deadline::Never() : Deadline(due_.begin()->first);
}

std::optional<CallTable::Overdue> CallTable::TakeOverdue(Deadline::TimePoint now,
                                                         std::chrono::milliseconds grace) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto at = calls_.find(due_.begin()->second);
    Call& call = at->second;
    if (call.frame != 0 && !std::exchange(call.is_overdue, true)) {
      due_.erase(due_.begin());
      call.due += grace;
      due_.emplace(call.due, at->first);
      continue;
    }
    Overdue overdue{std::move(call.sink), call.frame != 0 || call.was_in_doubt};
    if (call.frame != 0) cancels_.push_back(at->first);
    Erase(at);
    return overdue;
  }
  return std::nullopt;
}

bool CallTable::may_open() const {
  return !waiting_.empty() && open() < open_max_ && open_bytes_ < bytes_max_;
}

bool CallTable::has_frame() const { return !cancels_.empty() || !allow_.empty() || may_open(); }

std::string CallTable::TakeFrame() {
  if (!cancels_.empty() || !allow_.empty()) {
    // Before the calls that take the places: in one frame the daemon would read the calls first.
    v1::CallStreamRequest words;
    const std::size_t cancelled = std::min(cancels_.size(), kFrameWordsMax);
    words.mutable_cancel()->Add(cancels_.end() - static_cast<std::ptrdiff_t>(cancelled),
                                cancels_.end());
    cancels_.resize(cancels_.size() - cancelled);
    while (!allow_.empty() && words.part_credit_size() < static_cast<int>(kFrameWordsMax)) {
      v1::PartCredit& credit = *words.add_part_credit();
      credit.set_call_id(allow_.begin()->first);
      credit.set_parts(allow_.begin()->second);
      allow_.erase(allow_.begin());
    }
    return words.SerializeAsString();
  }
  std::string frame;
  ++last_frame_;
  for (std::size_t count = 0; may_open() && count < kFrameCallsMax; ++count) {
    Call& call = calls_[*waiting_.begin()];
    if (!frame.empty() && frame.size() + call.encoded.size() > kFrameBytes) break;
    wire::AppendBytesPresent(frame, kCallsField, call.encoded);
    call.frame = last_frame_;
    open_bytes_ += call.encoded.size();
    waiting_.erase(waiting_.begin());
  }
  return frame;
}

CallTable::Sink CallTable::Answered(std::uint64_t id, bool last) {
  const auto at = calls_.find(id);
  if (at == calls_.end()) return nullptr;
  at->second.has_part = true;
  Sink sink = at->second.sink;
  if (last) Erase(at);
  return sink;
}

CallTable::Lost CallTable::OnLost(Loss loss) {
  cancels_.clear();
  allow_.clear();
  Lost lost;
  for (auto at = calls_.begin(); at != calls_.end();) {
    Call& call = at->second;
    const bool is_safe = call.is_retry_safe || loss == Loss::kAnswered;
    if (call.frame != 0 && (call.has_part || !is_safe)) {
      lost.unknown.push_back(std::move(call.sink));
      at = Erase(at);
      continue;
    }
    if (call.frame != 0) {
      call.was_in_doubt |= loss == Loss::kInDoubt;
      WaitAgain(at);
      ++lost.again;
    }
    ++at;
  }
  return lost;
}

CallTable::Lost CallTable::OnRefused(std::uint64_t id) {
  const auto refused = calls_.find(id);
  Sink sink;
  if (refused != calls_.end()) {
    const std::uint64_t frame = refused->second.frame;
    sink = std::move(refused->second.sink);
    Erase(refused);
    for (auto at = calls_.begin(); at != calls_.end(); ++at) {
      if (frame != 0 && at->second.frame == frame) WaitAgain(at);
    }
  }
  Lost lost = OnLost(Loss::kInDoubt);
  lost.refused = std::move(sink);
  return lost;
}

std::vector<std::pair<CallTable::Sink, bool>> CallTable::TakeAll() {
  std::vector<std::pair<Sink, bool>> all;
  for (auto& [id, call] : calls_) all.emplace_back(std::move(call.sink), call.frame != 0);
  calls_.clear();
  waiting_.clear();
  due_.clear();
  cancels_.clear();
  allow_.clear();
  bytes_ = 0;
  open_bytes_ = 0;
  return all;
}

void CallTable::WaitAgain(Calls::iterator at) {
  open_bytes_ -= at->second.encoded.size();
  at->second.frame = 0;
  waiting_.insert(at->first);
}

CallTable::Calls::iterator CallTable::Erase(Calls::iterator at) {
  bytes_ -= at->second.encoded.size();
  if (at->second.frame != 0) open_bytes_ -= at->second.encoded.size();
  waiting_.erase(at->first);
  allow_.erase(at->first);
  due_.erase({at->second.due, at->first});
  return calls_.erase(at);
}

}  // namespace abi1
}  // namespace sluice
