// SPDX-License-Identifier: Apache-2.0
// Settlements of one stream that wait for the wire, neighbouring acks joined, and those that are
// out and have no result yet. Pure memory; its owner's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "sluice/settlement.h"

namespace sluice {
inline namespace abi1 {

class SettlementBuffer {
 public:
  // Settlements in a frame at most (Bounds.settlements_max).
  static constexpr std::size_t kFrameSettlementsMax = 10'000;

  // True: one more result will be told. False: it was joined to the one before.
  bool Add(const Settlement& settlement);
  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }
  // Appends the oldest ones, as `settlements` of a ReceiveStreamRequest.
  void TakeInto(std::string& frame);
  // A result has come, for the oldest that is out.
  void PopAnswered() {
    if (!out_.empty()) out_.pop_front();
  }
  // The lease is gone. One result for each: UNKNOWN for those that were out, STALE for the others.
  std::vector<SettleResult> Lose();

 private:
  std::deque<Settlement> waiting_;
  std::deque<PositionRange> out_;
  std::string encoded_;  // Kept for its memory.
};

}  // namespace abi1
}  // namespace sluice
