// SPDX-License-Identifier: Apache-2.0
// The messages that a topic retains: the latest, by position from 1, bounded in count and in bytes.
//
// Its positions are those of channel::broadcast (broadcast_window.h); its values are not that
// ring's (broadcast_ring.h), which lets go of what everybody has read and weighs each value for
// itself: a topic keeps what was read, and its bytes are charged by stored batch.
//
// Threads: none of its own; the topic's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "broker/batch.h"
#include "channel/broadcast_window.h"

namespace sluice::broker {

class Retained {
 public:
  Retained(std::uint64_t capacity, MemoryBudget& memory)
      : meter_{.bytes = RetainedBytes(memory), .sparse = {}},
        window_(static_cast<std::size_t>(capacity), 1) {}

  std::uint64_t capacity() const noexcept { return window_.capacity(); }
  std::uint64_t size() const noexcept { return window_.size(); }
  std::uint64_t oldest() const noexcept { return window_.oldest(); }
  std::uint64_t next() const noexcept { return window_.next(); }
  Meter& meter() noexcept { return meter_; }
  const Meter& meter() const noexcept { return meter_; }
  // Requires: oldest() <= position < next().
  const Message& at(std::uint64_t position) const noexcept {
    return messages_[static_cast<std::size_t>(position - window_.oldest())];
  }
  std::uint64_t CatchUp(std::uint64_t& cursor) const noexcept { return window_.CatchUp(cursor); }

  // Messages, and bytes charged for them, beside what is here; in so many bytes in all.
  struct Wanted {
    std::uint64_t count = 0;
    std::uint64_t charge = 0;
    std::uint64_t bytes_most = 0;
  };
  bool HasRoom(const Wanted& wanted) const noexcept {
    return size() + wanted.count <= capacity() && meter_.bytes + wanted.charge <= wanted.bytes_most;
  }
  // How many of the oldest, at most `most`, must go for that. None: that is not enough.
  std::optional<std::uint64_t> ToDrop(const Wanted& wanted, std::uint64_t most) const;
  // What may be retained in all, when so much is free.
  std::uint64_t FreeBeside(std::uint64_t free) const noexcept {
    const std::uint64_t sum = meter_.bytes + free;
    return sum < free ? free : sum;
  }

  void Push(Message message) {
    messages_.push_back(std::move(message));
    window_.Push();
  }
  // Requires: size() > 0.
  void DropOldest() {
    messages_.pop_front();
    window_.Pop();
  }
  // Returns how many there were.
  std::uint64_t Clear();

 private:
  Meter meter_;  // outlives every message
  channel::broadcast::Window window_;
  std::deque<Message> messages_;  // grows with what is retained, not with the capacity
};

}  // namespace sluice::broker
