// SPDX-License-Identifier: Apache-2.0
// What a sender holds: messages encoded into frames that wait for the wire, and the account of
// those that have no outcome yet. Pure memory; its owner's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "sluice/message.h"
#include "wire/frame_writer.h"

namespace sluice {
inline namespace abi1 {

class SendBuffer {
 public:
  // `count` sequences in a row.
  struct Range {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    std::size_t bytes = 0;  // Encoded.
  };

  explicit SendBuffer(std::size_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  // Encodes the message behind the others. A frame's sequences have no gap: after one, another
  // begins. Requires: sequence above all before it.
  void Append(std::uint64_t sequence, const Message& message);

  bool has_frame() const { return !frames_.empty(); }
  // The oldest frame, complete: messages and first_sequence. Requires: has_frame().
  std::string TakeFrame();

  // Takes the pending ones among `count` sequences from `first` on out of the account, and answers
  // how many they were.
  std::uint32_t Answer(std::uint64_t first, std::uint32_t count);
  // All that is pending, in order; nothing is afterwards, and no frame is left.
  std::vector<Range> TakePending();

  std::size_t pending_messages() const { return pending_messages_; }
  std::size_t pending_bytes() const { return pending_bytes_; }

 private:
  struct Frame {
    std::uint64_t first_sequence = 0;
    std::uint64_t next_sequence = 0;
    std::string bytes;
  };

  void Account(std::uint64_t sequence, std::size_t bytes);
  // Takes `count` sequences from `first` on out of the range at `index`, which holds them all.
  void Cut(std::size_t index, std::uint64_t first, std::uint32_t count);

  const std::size_t frame_bytes_max_;
  std::deque<Frame> frames_;
  std::deque<Range> pending_;  // Ascending, disjoint, none empty.
  std::size_t pending_messages_ = 0;
  std::size_t pending_bytes_ = 0;
  std::vector<wire::Header> headers_;  // Kept for its memory.
};

}  // namespace abi1
}  // namespace sluice
