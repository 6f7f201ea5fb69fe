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
constexpr std::uint64_t kFrameMessagesMax = 65'536;  // The daemon takes no more.
// Ranges in the account are cut here, so that dividing bytes among messages stays near the truth.
constexpr std::uint32_t kRangeMessagesMax = 4096;

std::size_t TextBytes(const Message& message) {
  std::size_t bytes = message.payload.size() + message.id.size() + message.content_type.size();
  for (const Header& header : message.headers) bytes += header.key.size() + header.value.size();
  return bytes;
}

// Of the first `messages` of a frame, each `0A length bytes`.
std::size_t BytesOf(std::string_view frame, std::uint64_t messages) {
  std::size_t at = 0;
  for (; messages > 0; --messages) {
    std::size_t length = 0;
    int shift = 0;
    for (++at; (frame[at] & 0x80) != 0; ++at, shift += 7) {
      length |= static_cast<std::size_t>(frame[at] & 0x7f) << shift;
    }
    length |= static_cast<std::size_t>(frame[at] & 0x7f) << shift;
    at += 1 + length;
  }
  return at;
}

}  // namespace

SendBuffer::Frame& SendBuffer::FrameFor(std::uint64_t sequence, std::size_t bytes) {
  const bool starts_frame = frames_.empty() || frames_.back().next_sequence != sequence ||
                            frames_.back().bytes.size() + bytes > frame_bytes_max_ ||
                            sequence - frames_.back().first_sequence >= kFrameMessagesMax;
  if (starts_frame) frames_.push_back({sequence, sequence, {}});
  return frames_.back();
}

std::string SendBuffer::Encode(const Message& message) {
  std::string encoded;
  std::vector<wire::Header> headers;
  for (const Header& header : message.headers) headers.push_back({header.key, header.value});
  wire::AppendMessage(encoded, message.payload, message.id, message.content_type, headers);
  return encoded;
}

void SendBuffer::Append(std::uint64_t sequence, const Message& message) {
  Frame& frame = FrameFor(sequence, TextBytes(message));
  const std::size_t bytes_before = frame.bytes.size();
  headers_.clear();
  for (const Header& header : message.headers) headers_.push_back({header.key, header.value});
  wire::AppendMessage(frame.bytes, message.payload, message.id, message.content_type, headers_);
  frame.next_sequence = sequence + 1;
  Account(sequence, frame.bytes.size() - bytes_before);
}

void SendBuffer::AppendEncoded(std::uint64_t sequence, std::string_view encoded) {
  Frame& frame = FrameFor(sequence, encoded.size());
  frame.bytes.append(encoded);
  frame.next_sequence = sequence + 1;
  Account(sequence, encoded.size());
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

std::shared_ptr<const std::string> SendBuffer::TakeFrame() {
  assert(has_frame());
  Frame frame = std::move(frames_.front());
  frames_.pop_front();
  if (!is_refused_) next_unsent_ = std::max(next_unsent_, frame.next_sequence);
  const std::size_t message_bytes = frame.bytes.size();
  frame.bytes.reserve(message_bytes + kFirstSequenceBytesMax);
  wire::AppendUint(frame.bytes, kFirstSequenceField, frame.first_sequence);
  auto bytes = std::make_shared<const std::string>(std::move(frame.bytes));
  if (keeps_frames_) {
    sent_.push_back({frame.first_sequence, frame.next_sequence, message_bytes, bytes});
  }
  return bytes;
}

std::uint64_t SendBuffer::Rewind() {
  is_refused_ = false;
  std::uint64_t messages = 0;
  for (; !sent_.empty(); sent_.pop_back()) {
    const SentFrame& sent = sent_.back();
    if (pending_.empty() || sent.next_sequence <= first_pending()) continue;
    frames_.push_front(
        {sent.first_sequence, sent.next_sequence, sent.bytes->substr(0, sent.message_bytes)});
    CutFront(frames_.front(), std::max(sent.first_sequence, first_pending()));
    messages += sent.next_sequence - frames_.front().first_sequence;
  }
  return messages;
}

void SendBuffer::RewindUnsent() {
  (void)Rewind();
  while (has_frame() && frames_.front().next_sequence <= next_unsent_) frames_.pop_front();
  if (has_frame())
    CutFront(frames_.front(), std::max(frames_.front().first_sequence, next_unsent_));
}

void SendBuffer::CutFront(Frame& frame, std::uint64_t first) {
  frame.bytes.erase(0, BytesOf(frame.bytes, first - frame.first_sequence));
  frame.first_sequence = first;
}

void SendBuffer::DropFrames() {
  frames_.clear();
  sent_.clear();
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
  while (!sent_.empty() &&
         (pending_.empty() || sent_.front().next_sequence <= pending_.front().first)) {
    sent_.pop_front();
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

std::vector<SendBuffer::Range> SendBuffer::Pending() const {
  return std::vector<Range>(pending_.begin(), pending_.end());
}

std::vector<SendBuffer::Range> SendBuffer::Sent() const {
  std::vector<Range> sent;
  for (const Range& range : pending_) {
    if (range.first >= next_unsent_) break;
    const std::uint64_t end = std::min(range.first + range.count, next_unsent_);
    sent.push_back({range.first, static_cast<std::uint32_t>(end - range.first), range.bytes});
  }
  return sent;
}

}  // namespace abi1
}  // namespace sluice
