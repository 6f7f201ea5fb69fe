// SPDX-License-Identifier: Apache-2.0
#include "settlement_buffer.h"

#include <algorithm>
#include <limits>

#include "queue_convert.h"
#include "wire/frame_writer.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::uint32_t kSettlementsField = 3;  // Of ReceiveStreamRequest.

// Whether `next` may be told as part of `last`.
bool Joins(const Settlement& last, const Settlement& next) {
  const PositionRange& positions = last.positions;
  return last.action == SettleAction::kAck && next.action == SettleAction::kAck &&
         last.lease == next.lease && positions.first + positions.count == next.positions.first &&
         next.positions.count <= std::numeric_limits<std::uint32_t>::max() - positions.count;
}

}  // namespace

bool SettlementBuffer::Add(const Settlement& settlement) {
  if (!waiting_.empty() && Joins(waiting_.back(), settlement)) {
    waiting_.back().positions.count += settlement.positions.count;
    return false;
  }
  waiting_.push_back(settlement);
  return true;
}

void SettlementBuffer::TakeInto(std::string& frame) {
  const std::size_t count = std::min(waiting_.size(), kFrameSettlementsMax);
  for (std::size_t i = 0; i < count; ++i) {
    encoded_ = ToWire(waiting_[i]).SerializeAsString();
    wire::AppendBytesPresent(frame, kSettlementsField, encoded_);
    out_.push_back(waiting_[i].positions);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
}

std::vector<SettleResult> SettlementBuffer::Lose() {
  std::vector<SettleResult> results;
  for (const PositionRange& positions : out_) {
    results.push_back({positions.first, 0, 0, 0, Outcome::kUnknown});
  }
  for (const Settlement& settlement : waiting_) {
    const PositionRange& positions = settlement.positions;
    results.push_back({positions.first, 0, positions.count, 0, Outcome::kStale});
  }
  out_.clear();
  waiting_.clear();
  return results;
}

}  // namespace abi1
}  // namespace sluice
