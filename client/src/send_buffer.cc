// SPDX-License-Identifier: Apache-2.0
#include "send_buffer.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::uint32_t kFirstSequenceField = 2;  // Of SendStreamRequest and PublishStreamRequest.
constexpr std::size_t kFirstSequenceBytesMax = 11;
// Ranges in the account are cut here, so that dividing bytes among messages stays near the truth.
constexpr std::uint32_t kRangeMessagesMax = 4096;

std::size_t TextBytes(const Message& message) {
  std::size_t bytes = message.payload.size() + message.id.size() + message.content_type.size();
  for (const Header& header : message.headers) bytes += header.key.size() + header.value.size();
  return bytes;
}

}  // namespace

void SendBuffer::Append(std::uint64_t sequence, const Message& message) {
  const bool starts_frame = frames_.empty() || frames_.back().next_sequence != sequence ||
                            frames_.back().bytes.size() + TextBytes(message) > frame_bytes_max_;
  if (starts_frame) frames_.push_back({sequence, sequence, {}});
  Frame& frame = frames_.back();
  const std::size_t bytes_before = frame.bytes.size();
  headers_.clear();
  for (const Header& header : message.headers) headers_.push_back({header.key, header.value});
  wire::AppendMessage(frame.bytes, message.payload, message.id, message.content_type, headers_);
  frame.next_sequence = sequence + 1;
  Account(sequence, frame.bytes.size() - bytes_before);
}

void SendBuffer::Account(std::uint64_t sequence, std::size_t bytes) {
  const bool joins = !pending_.empty() &&
                     pending_.back().first + pending_.back().count == sequence &&
                     pending_.back().count < kRangeMessagesMax;
  if (!joins) pending_.push_back({sequence, 0, 0});
  ++pending_.back().count;
  pending_.back().bytes += bytes;
  ++pending_messages_;
  pending_bytes_ += bytes;
}

std::string SendBuffer::TakeFrame() {
  assert(has_frame());
  Frame frame = std::move(frames_.front());
  frames_.pop_front();
  frame.bytes.reserve(frame.bytes.size() + kFirstSequenceBytesMax);
  wire::AppendUint(frame.bytes, kFirstSequenceField, frame.first_sequence);
  return std::move(frame.bytes);
}

std::uint32_t SendBuffer::Answer(std::uint64_t first, std::uint32_t count) {
  const std::uint64_t end = first + count;
  std::uint32_t answered = 0;
  // Outcomes come in order but for rare cases, so the first range is nearly always the one.
  std::size_t index = 0;
  while (index < pending_.size() && pending_[index].first < end) {
    const Range& range = pending_[index];
    const std::uint64_t from = std::max(range.first, first);
    const std::uint64_t to = std::min(range.first + range.count, end);
    if (from >= to) {
      ++index;
      continue;
    }
    const std::size_t ranges_before = pending_.size();
    const auto cut = static_cast<std::uint32_t>(to - from);
    Cut(index, from, cut);
    answered += cut;
    if (pending_.size() >= ranges_before) ++index;  // Something of it is left in front, or behind.
  }
  return answered;
}

void SendBuffer::Cut(std::size_t index, std::uint64_t first, std::uint32_t count) {
  Range& range = pending_[index];
  const auto share = [&range](std::uint64_t messages) {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(range.bytes) * messages /
                                    range.count);
  };
  const auto before = static_cast<std::uint32_t>(first - range.first);
  const std::uint32_t behind = range.count - before - count;
  const Range head{range.first, before, share(before)};
  const Range tail{first + count, behind, share(behind)};
  pending_messages_ -= count;
  pending_bytes_ -= range.bytes - head.bytes - tail.bytes;
  if (before > 0) {
    range = head;
    if (behind > 0)
      pending_.insert(pending_.begin() + static_cast<std::ptrdiff_t>(index) + 1, tail);
  } else if (behind > 0) {
    range = tail;
  } else if (index == 0) {
    pending_.pop_front();
  } else {
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

std::vector<SendBuffer::Range> SendBuffer::TakePending() {
  std::vector<Range> pending(pending_.begin(), pending_.end());
  pending_.clear();
  frames_.clear();
  pending_messages_ = 0;
  pending_bytes_ = 0;
  return pending;
}

}  // namespace abi1
}  // namespace sluice
