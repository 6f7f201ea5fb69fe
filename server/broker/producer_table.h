// SPDX-License-Identifier: Apache-2.0
// What became of the sequences that producers spent, so that a resend makes no duplicate.
//
// Sequences rise within a producer; gaps are allowed. kOk, kFull, kTimedOut and kNoSubscribers
// spend a sequence: its repeat gets the same outcome again. Remembered per producer are the highest
// spent sequence and the last kOutcomeRangesMax ranges of equal outcome; older ones are kUnknown,
// and so is a sequence that was left out in a gap. A producer is forgotten kProducerMemory after
// its last use, or when kProducersMax others came since.
//
// Memory     A producer of whom nothing is remembered is charged nothing, and kept while it is in
//            use alone. One that is remembered is charged kProducerBytes, and more as its ranges
//            grow: 1,856 bytes at most. Who is accepted asks the budget first
//            (ProducerMemory::Lacks); a refusal is remembered unasked, for kProducersMax at most.
// Threads    none of its own; the channel's lock guards it.
// Cost       one hash lookup a frame; a comparison for what is new.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "broker/limits.h"
#include "broker/memory_budget.h"
#include "broker/outcome.h"

namespace sluice::broker {

class Producer;

// One producer. In the line of the idle while nobody uses it.
struct ProducerMemory : ListNode {
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
    Outcome outcome;
  };

  std::string id;
  std::uint32_t uses = 0;      // its stream, and frames on their way in
  Producer* stream = nullptr;  // the live one
  std::uint64_t last_sequence = 0;
  TimePoint last_used{};
  std::vector<Range> ranges;  // by rising sequence, at most kOutcomeRangesMax
  std::uint32_t charged = 0;  // bytes; 0: nothing is remembered of it

  bool IsRepeat(std::uint64_t sequence) const noexcept { return sequence <= last_sequence; }
  // What is to be charged before `outcome` can be remembered from `first` on.
  std::uint32_t Lacks(std::uint64_t first, Outcome outcome) const noexcept;
  // The sequences from `first` on were spent. Requires: first > last_sequence.
  void Spend(std::uint64_t first, std::uint32_t count, Outcome outcome);
  struct Repeat {
    Outcome outcome;
    std::uint32_t count;  // of sequences, at most `count_max`, with this outcome
  };
  // Requires: IsRepeat(first).
  Repeat Recall(std::uint64_t first, std::uint32_t count_max) const;

 private:
  bool Continues(std::uint64_t first, Outcome outcome) const noexcept;
};

class ProducerTable {
 public:
  ProducerTable(const Clock& clock, MemoryBudget& memory) : clock_(clock), bytes_(memory) {}
  ~ProducerTable();

  // The producer, remembered or new, in use until Release. nullptr: all kProducersMax are in use.
  ProducerMemory* Use(const std::string& id);
  // Requires: it is not touched afterwards.
  void Release(ProducerMemory& memory);
  // As ProducerMemory::Spend, and charged.
  void Spend(ProducerMemory& memory, std::uint64_t first, std::uint32_t count, Outcome outcome);

  std::size_t size() const noexcept { return table_.size(); }
  // When the first will be forgotten.
  TimePoint next_due() const;
  void RunDue(TimePoint now);

 private:
  void Forget(ProducerMemory& memory);

  const Clock& clock_;
  RetainedBytes bytes_;  // what all of them are charged
  std::unordered_map<std::string, ProducerMemory> table_;
  IntrusiveList<ProducerMemory> idle_;  // by last use
};

}  // namespace sluice::broker
