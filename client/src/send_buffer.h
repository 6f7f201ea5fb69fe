// SPDX-License-Identifier: Apache-2.0
// What a sending stream holds: messages encoded into frames that wait for the wire, frames that are
// out and not answered, and the account of the messages that have no outcome yet. Pure memory; its
// owner's lock guards it.
//
// Outcomes come in the order of the sequences (N8), so what is pending is what lies behind the last
// outcome; Answer is right for any order, and frees a frame when everything before its end is
// answered.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
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

  // `keeps_frames`: those that are out are kept until they are answered, for Rewind.
  SendBuffer(std::size_t frame_bytes_max, bool keeps_frames)
      : frame_bytes_max_(frame_bytes_max), keeps_frames_(keeps_frames) {}

  // One message as Append would encode it.
  static std::string Encode(const Message& message);

  // Encodes the message behind the others. A frame's sequences have no gap: after one, another
  // begins. Requires: sequence above all before it.
  void Append(std::uint64_t sequence, const Message& message);
  void AppendEncoded(std::uint64_t sequence, std::string_view encoded);

  bool has_frame() const { return !frames_.empty(); }
  // The oldest frame, complete: messages and first_sequence. Requires: has_frame().
  std::shared_ptr<const std::string> TakeFrame();

  // Takes the pending ones among `count` sequences from `first` on out of the account, and answers
  // how many they were.
  std::uint32_t Answer(std::uint64_t first, std::uint32_t count);
  // Those without an outcome, in order: all, and those among them that ever were in a frame taken.
  std::vector<Range> Pending() const;
  std::vector<Range> Sent() const;
  // Those from `first` on were refused, and whatever is taken after them will be: it is as if they
  // had never been taken, until Rewind.
  void NoteRefused(std::uint64_t first) {
    next_unsent_ = std::min(next_unsent_, first);
    is_refused_ = true;
  }
  // Of the pending; 0: there are none.
  std::uint64_t first_pending() const { return pending_.empty() ? 0 : pending_.front().first; }

  // Puts the frames that are out back in front of the others, without what is answered. Messages.
  std::uint64_t Rewind();
  // The same without what Sent tells, of which nothing will be taken again.
  void RewindUnsent();
  // Nothing will be taken any more.
  void DropFrames();

  std::size_t pending_messages() const { return pending_messages_; }
  std::size_t pending_bytes() const { return pending_bytes_; }

 private:
  struct Frame {
    std::uint64_t first_sequence = 0;
    std::uint64_t next_sequence = 0;
    std::string bytes;
  };
  struct SentFrame {
    std::uint64_t first_sequence = 0;
    std::uint64_t next_sequence = 0;
    std::size_t message_bytes = 0;
    std::shared_ptr<const std::string> bytes;  // The messages, and first_sequence behind them.
  };

  // Drops the front of the frame, so that it begins with the message of this sequence.
  static void CutFront(Frame& frame, std::uint64_t first);
  // The frame for a message of about so many bytes.
  Frame& FrameFor(std::uint64_t sequence, std::size_t bytes);
  void Account(std::uint64_t sequence, std::size_t bytes);
  // Takes `count` sequences from `first` on out of the range at `index`, which holds them all.
  void Cut(std::size_t index, std::uint64_t first, std::uint32_t count);

  const std::size_t frame_bytes_max_;
  const bool keeps_frames_;
  std::deque<Frame> frames_;
  std::deque<SentFrame> sent_;
  std::deque<Range> pending_;  // Ascending, disjoint, none empty.
  std::size_t pending_messages_ = 0;
  std::size_t pending_bytes_ = 0;
  bool is_refused_ = false;
  std::uint64_t next_unsent_ = 1;      // Sequences below it have been in a frame taken, some time.
  std::vector<wire::Header> headers_;  // Kept for its memory.
};

}  // namespace abi1
}  // namespace sluice
