// SPDX-License-Identifier: Apache-2.0
// Stored messages, in the form in which they are delivered.
//
// A frame's records are copied once, on entry, into batches whose charge is at most
// kStoredBatchBytesMax (or one message). A batch is charged whole, plus kMessageOverheadBytes a
// message, to its channel's meter while one of its messages lives; when less than a quarter of its
// bytes live, the survivors are copied out and the rest is given back (Compact). So the meter tells
// what memory is really held.
//
// Threads    a batch belongs to one channel, whose lock guards it. The bytes may be read by anybody
//            who holds a reference to them.
// Memory     four allocations a batch; none a message.
// Cost       storing, delivering and ending a message: a few ns each. Compaction copies less than a
//            quarter of what was stored, so its cost is covered by what ended before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/intrusive_list.h"
#include "broker/delivery.h"
#include "broker/memory_budget.h"

namespace sluice::broker {

// Where a record (tag and length included) stands.
struct RecordSpan {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

class Batch;

// Bytes retained by one channel. Outlives every message charged to it.
struct Meter {
  RetainedBytes bytes;
  IntrusiveList<Batch> sparse;  // batches that Compact would shrink
};

// Copies the survivors of sparse batches out. Called once at the end of an operation, so that a
// batch whose messages end together is never copied.
void Compact(Meter& meter);

// One stored message. Owns its place in the batch: when it goes, so does its share. Move-only.
class Message {
 public:
  Message() = default;
  Message(Message&& other) noexcept
      : batch_(std::exchange(other.batch_, nullptr)), index_(other.index_) {}
  Message& operator=(Message&& other) noexcept {
    if (this != &other) {
      Reset();
      batch_ = std::exchange(other.batch_, nullptr);
      index_ = other.index_;
    }
    return *this;
  }
  ~Message() { Reset(); }

  explicit operator bool() const noexcept { return batch_ != nullptr; }
  void Reset() noexcept {
    if (batch_ != nullptr) Release();
  }
  std::uint32_t size() const noexcept;  // of the record
  std::uint64_t accepted_unix_us() const noexcept;
  // Requires: both are messages.
  bool SharesBatch(const Message& other) const noexcept { return batch_ == other.batch_; }
  // What the meter loses when the last message of this one's batch goes.
  std::uint64_t batch_charge() const noexcept;
  // Adds the record to the slices, message and byte counts of `out`; a record that follows the last
  // slice in memory lengthens it.
  void AppendTo(Delivery& out) const;

 private:
  friend class Incoming;
  Message(Batch& batch, std::uint32_t index) noexcept : batch_(&batch), index_(index) {}
  void Release() noexcept;
  Batch* batch_ = nullptr;
  std::uint32_t index_ = 0;
};

// The messages of one frame on their way in, in order: some may be stored while the rest waits.
// Once one is stored, the lock of its channel guards it.
class Incoming {
 public:
  Incoming() = default;
  // Copies the records at `spans` of `frame`. `batch_bytes_max` bounds the charge of one stored
  // batch.
  Incoming(std::string_view frame, std::span<const RecordSpan> spans,
           std::uint32_t batch_bytes_max);
  Incoming(Incoming&& other) noexcept;
  Incoming& operator=(Incoming&& other) noexcept;
  ~Incoming();

  std::uint32_t remaining() const noexcept { return remaining_; }
  // What storing the next message / all that remain would add to the meter.
  std::uint64_t next_charge() const noexcept;
  std::uint64_t total_charge() const noexcept;
  // The largest of the batches: what must fit into an empty channel for everything to enter in the
  // end.
  std::uint64_t largest_charge() const noexcept;
  // Stores the next message: charges its batch to `meter` when it is that batch's first. `meter`
  // must outlive the message. The time is set once per batch. Requires: remaining() > 0.
  Message Store(Meter& meter, std::uint64_t now_unix_us);
  // Leaves the next message out (a duplicate). Requires: remaining() > 0.
  void Skip();
  // Leaves the rest out.
  void Drop() noexcept;
  // Splits batches of a larger charge, so that a small byte budget is used evenly. Requires:
  // nothing was stored.
  void Split(std::uint32_t batch_bytes_max);

 private:
  void Add(std::string_view frame, std::span<const RecordSpan> spans,
           std::uint32_t batch_bytes_max);
  void Advance() noexcept;

  std::vector<Batch*> batches_;  // those before next_batch_ belong to their messages alone
  std::size_t next_batch_ = 0;
  std::uint32_t next_index_ = 0;  // in batches_[next_batch_]
  std::uint32_t remaining_ = 0;
};

// Adds a message to a delivery: a neighbour with the same history lengthens the last slice and run.
inline void Append(const Message& message, std::uint64_t position, std::uint32_t attempts,
                   std::uint32_t failures, Delivery& out) {
  message.AppendTo(out);
  const std::uint64_t accepted = message.accepted_unix_us();
  if (!out.runs.empty()) {
    Run& last = out.runs.back();
    if (last.first_position + last.count == position && last.accepted_unix_us == accepted &&
        last.attempts == attempts && last.failures == failures) {
      ++last.count;
      return;
    }
  }
  out.runs.push_back({position, 1, accepted, attempts, failures});
}

}  // namespace sluice::broker
