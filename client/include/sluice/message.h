// SPDX-License-Identifier: Apache-2.0
/// A message on its way out (Message) and on its way in (Delivery, Batch).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

struct Header {
  std::string_view key;
  std::string_view value;
};

/// Everything is a view: a call that takes a Message copies what it needs before it returns.
/// id, content type, keys and values are UTF-8. By default at most 1 MiB in all, 64 headers, 8 KiB
/// of them.
struct Message {
  std::string_view payload;
  std::string_view id;
  std::string_view content_type;
  std::span<const Header> headers;
};

/// `count` positions in a row. `lease` is what they were handed out under; 0: the present one. Of
/// positions that are kept over time it must be said: after a loss the same ones may be held anew,
/// and not be done yet.
struct PositionRange {
  std::uint64_t first = 0;
  std::uint32_t count = 1;
  std::uint64_t lease = 0;
};

/// One received message; views live as long as its Batch.
struct Delivery {
  std::uint64_t position = 0;          ///< In the queue or topic, from 1.
  std::uint64_t accepted_unix_us = 0;  ///< When the broker took it: microseconds since 1970, UTC.
  std::uint32_t attempts = 0;          ///< How often it was handed out, this time included.
  std::uint32_t failures = 0;          ///< Nacks, expired leases and lost consumers before.
  std::string_view payload;
  std::string_view id;
  std::string_view content_type;
  std::string_view encoded;  ///< The whole message in protobuf encoding, as its producer sent it.
  std::uint64_t lease = 0;   ///< Queues, on a stream: that it was handed out under.

  PositionRange range() const { return {position, 1, lease}; }

  /// Reads the headers out of `encoded`, in the order they were written.
  std::vector<Header> Headers() const;
};

/// The messages of one frame, and the bytes they point into. Moved, not copied; when it is given to
/// Receiver::Next again its memory is used again.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&& other) noexcept;
  Batch& operator=(Batch&& other) noexcept;

  bool empty() const { return deliveries_.empty(); }
  std::size_t size() const { return deliveries_.size(); }
  const Delivery& operator[](std::size_t index) const { return deliveries_[index]; }
  const Delivery* begin() const { return deliveries_.data(); }
  const Delivery* end() const { return deliveries_.data() + deliveries_.size(); }

  /// The positions of the messages, as ranges.
  std::span<const PositionRange> ranges() const { return ranges_; }
  /// Encoded, as they came.
  std::size_t bytes() const { return frame_bytes_; }

 private:
  friend class BatchReader;
  struct Bytes;
  std::vector<Delivery> deliveries_;
  std::vector<PositionRange> ranges_;
  std::unique_ptr<Bytes> bytes_;
  std::size_t frame_bytes_ = 0;
};

}  // namespace abi1
}  // namespace sluice
