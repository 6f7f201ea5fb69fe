// SPDX-License-Identifier: Apache-2.0
#include "broker/batch.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "broker/limits.h"

namespace sluice::broker {

// Freed by whoever drops its last record: a message, or the Incoming that has not stored it yet.
class Batch : public ListNode {
 public:
  Batch(std::string_view frame, std::span<const RecordSpan> spans, std::size_t bytes) {
    auto text = std::make_shared<std::string>();
    text->reserve(bytes);
    records_.reserve(spans.size());
    for (const RecordSpan& span : spans) {
      records_.push_back({static_cast<std::uint32_t>(records_.size()),
                          static_cast<std::uint32_t>(text->size()), span.size});
      text->append(frame.substr(span.offset, span.size));
    }
    bytes_ = std::move(text);
    count_ = static_cast<std::uint32_t>(records_.size());
    Recount();
  }

  std::uint32_t count() const noexcept { return count_; }  // at the beginning
  std::uint64_t charge() const noexcept { return charge_; }
  bool is_charged() const noexcept { return meter_ != nullptr; }
  const Bytes& bytes() const noexcept { return bytes_; }
  std::uint64_t accepted_unix_us() const noexcept { return accepted_unix_us_; }

  RecordSpan span(std::uint32_t index) const noexcept {
    const Record& record = const_cast<Batch*>(this)->Find(index);
    return {record.offset, record.size};
  }

  void Charge(Meter& meter, std::uint64_t now_unix_us) noexcept {
    meter_ = &meter;
    accepted_unix_us_ = now_unix_us;
    meter.bytes += charge_;
  }

  // The record is gone. May destroy the batch.
  void Release(std::uint32_t index) noexcept {
    Record& record = Find(index);
    live_bytes_ -= record.size;
    record.size = 0;
    if (--live_ == 0) {
      Free();
    } else if (meter_ != nullptr && live_bytes_ < bytes_->size() / 4 && !is_linked()) {
      meter_->sparse.PushBack(*this);
    }
  }

  // Readers of the old bytes keep them alive on their own.
  void Compact() {
    auto text = std::make_shared<std::string>();
    text->reserve(live_bytes_);
    std::vector<Record> survivors;
    survivors.reserve(live_);
    for (const Record& record : records_) {
      if (record.size == 0) continue;
      survivors.push_back({record.index, static_cast<std::uint32_t>(text->size()), record.size});
      text->append(*bytes_, record.offset, record.size);
    }
    bytes_ = std::move(text);
    records_ = std::move(survivors);
    is_compacted_ = true;
    const std::uint64_t before = charge_;
    Recount();
    meter_->bytes -= before - charge_;
  }

 private:
  struct Record {
    std::uint32_t index;  // among the records at the beginning
    std::uint32_t offset;
    std::uint32_t size;  // 0: gone
  };

  Record& Find(std::uint32_t index) noexcept {
    if (!is_compacted_) return records_[index];
    return *std::lower_bound(
        records_.begin(), records_.end(), index,
        [](const Record& record, std::uint32_t wanted) { return record.index < wanted; });
  }

  void Recount() noexcept {
    live_ = static_cast<std::uint32_t>(records_.size());
    live_bytes_ = bytes_->size();
    charge_ = live_bytes_ + std::uint64_t{live_} * kMessageOverheadBytes;
  }

  void Free() noexcept {
    if (meter_ != nullptr) {
      meter_->bytes -= charge_;
      if (is_linked()) meter_->sparse.Erase(*this);
    }
    delete this;
  }

  Bytes bytes_;
  std::vector<Record> records_;  // by rising index
  Meter* meter_ = nullptr;       // set when the first message is stored
  std::uint64_t charge_ = 0;
  std::uint64_t live_bytes_ = 0;
  std::uint64_t accepted_unix_us_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t live_ = 0;  // stored and not ended, or not stored yet
  bool is_compacted_ = false;
};

void Compact(Meter& meter) {
  while (Batch* batch = meter.sparse.PopFront()) batch->Compact();
}

std::uint32_t Message::size() const noexcept { return batch_->span(index_).size; }

std::uint64_t Message::accepted_unix_us() const noexcept { return batch_->accepted_unix_us(); }

std::uint64_t Message::batch_charge() const noexcept { return batch_->charge(); }

void Message::AppendTo(Delivery& out) const {
  const RecordSpan span = batch_->span(index_);
  ++out.messages;
  out.bytes += span.size;
  if (!out.slices.empty()) {
    BytesSlice& last = out.slices.back();
    if (last.bytes == batch_->bytes() && last.offset + last.size == span.offset) {
      last.size += span.size;
      return;
    }
  }
  out.slices.push_back({batch_->bytes(), span.offset, span.size});
}

void Message::Release() noexcept { std::exchange(batch_, nullptr)->Release(index_); }

Incoming::Incoming(std::string_view frame, std::span<const RecordSpan> spans,
                   std::uint32_t batch_bytes_max) {
  Add(frame, spans, batch_bytes_max);
}

Incoming::Incoming(Incoming&& other) noexcept
    : batches_(std::move(other.batches_)),
      next_batch_(std::exchange(other.next_batch_, 0)),
      next_index_(std::exchange(other.next_index_, 0)),
      remaining_(std::exchange(other.remaining_, 0)) {
  other.batches_.clear();
}

Incoming& Incoming::operator=(Incoming&& other) noexcept {
  if (this != &other) {
    Drop();
    batches_ = std::move(other.batches_);
    other.batches_.clear();
    next_batch_ = std::exchange(other.next_batch_, 0);
    next_index_ = std::exchange(other.next_index_, 0);
    remaining_ = std::exchange(other.remaining_, 0);
  }
  return *this;
}

Incoming::~Incoming() { Drop(); }

void Incoming::Add(std::string_view frame, std::span<const RecordSpan> spans,
                   std::uint32_t batch_bytes_max) {
  std::size_t first = 0;
  while (first < spans.size()) {
    std::size_t end = first;
    std::size_t bytes = 0;
    while (end < spans.size()) {
      const std::size_t charge =
          bytes + spans[end].size + (end - first + 1) * kMessageOverheadBytes;
      if (end > first && charge > batch_bytes_max) break;
      bytes += spans[end].size;
      ++end;
    }
    batches_.push_back(new Batch(frame, spans.subspan(first, end - first), bytes));
    first = end;
  }
  remaining_ += static_cast<std::uint32_t>(spans.size());
}

std::uint64_t Incoming::next_charge() const noexcept {
  if (remaining_ == 0) return 0;
  const Batch& batch = *batches_[next_batch_];
  return batch.is_charged() ? 0 : batch.charge();
}

std::uint64_t Incoming::total_charge() const noexcept {
  std::uint64_t total = next_charge();
  for (std::size_t i = next_batch_ + 1; i < batches_.size(); ++i) total += batches_[i]->charge();
  return total;
}

std::uint64_t Incoming::largest_charge() const noexcept {
  std::uint64_t largest = 0;
  for (std::size_t i = next_batch_; i < batches_.size(); ++i) {
    largest = std::max(largest, batches_[i]->charge());
  }
  return largest;
}

Message Incoming::Store(Meter& meter, std::uint64_t now_unix_us) {
  SLUICE_CHECK(remaining_ > 0);
  Batch& batch = *batches_[next_batch_];
  if (!batch.is_charged()) batch.Charge(meter, now_unix_us);
  Message message(batch, next_index_);
  Advance();
  return message;
}

void Incoming::Skip() {
  SLUICE_CHECK(remaining_ > 0);
  Batch& batch = *batches_[next_batch_];
  const std::uint32_t index = next_index_;
  Advance();
  batch.Release(index);
}

void Incoming::Drop() noexcept {
  while (remaining_ > 0) Skip();
  batches_.clear();
  next_batch_ = 0;
}

void Incoming::Split(std::uint32_t batch_bytes_max) {
  SLUICE_CHECK(next_batch_ == 0 && next_index_ == 0);
  std::vector<Batch*> whole = std::move(batches_);
  batches_.clear();
  remaining_ = 0;
  std::vector<RecordSpan> spans;
  for (Batch* batch : whole) {
    if (batch->charge() <= batch_bytes_max || batch->count() == 1) {
      batches_.push_back(batch);
      remaining_ += batch->count();
      continue;
    }
    spans.clear();
    for (std::uint32_t i = 0; i < batch->count(); ++i) spans.push_back(batch->span(i));
    Add(*batch->bytes(), spans, batch_bytes_max);
    delete batch;
  }
}

// Compaction keeps the indices, so a batch that is partly stored may be compacted, too.
void Incoming::Advance() noexcept {
  --remaining_;
  if (++next_index_ == batches_[next_batch_]->count()) {
    ++next_batch_;
    next_index_ = 0;
  }
}

}  // namespace sluice::broker
