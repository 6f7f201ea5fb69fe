// SPDX-License-Identifier: Apache-2.0
// Where a channel with a line of senders stands with the daemon's memory: whether the head of its
// line lacks that and nothing else, and whether it is its turn.
//
// Threads: none of its own; the channel's lock guards it.
#pragma once

#include <cstdint>
#include <utility>

#include "broker/memory_budget.h"

namespace sluice::broker {

class MemoryPlace {
 public:
  explicit MemoryPlace(MemoryBudget& budget) noexcept : budget_(budget) {}

  MemoryBudget& budget() const noexcept { return budget_; }
  // What may be taken now.
  std::uint64_t free() const noexcept {
    return is_granted_ ? budget_.free() : budget_.free_to_all();
  }
  // Whether so much may be taken. Says of it whether memory is short.
  bool Fits(std::uint64_t charge) noexcept {
    if (charge == 0 || charge <= free()) return SetEnough();
    return SetShort(charge);
  }
  // What was asked for last has room, or lacks more than memory / lacks memory alone.
  bool SetEnough() noexcept {
    needs_ = 0;
    return true;
  }
  bool SetShort(std::uint64_t needs) noexcept {
    needs_ = needs;
    return false;
  }
  bool is_short() const noexcept { return needs_ != 0; }
  std::uint64_t needs_in(bool has_line) const noexcept { return has_line ? needs_ : 0; }

  // The channel's turn, while `enter` serves its line.
  template <class Enter>
  void InTurn(Enter enter) {
    is_granted_ = true;
    enter();
    is_granted_ = false;
  }

  // At the end of an operation: what it changed in the eyes of the budget.
  enum class Change : std::uint8_t { kNone, kJoins, kLeaves };
  Change Settle(bool has_line) noexcept {
    const bool waits = needs_in(has_line) != 0;
    if (waits == std::exchange(is_waiting_, waits)) return Change::kNone;
    return waits ? Change::kJoins : Change::kLeaves;
  }

 private:
  MemoryBudget& budget_;
  std::uint64_t needs_ = 0;  // 0: memory is not what is short
  bool is_granted_ = false;
  bool is_waiting_ = false;  // the budget knows
};

}  // namespace sluice::broker
