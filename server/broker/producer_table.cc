// SPDX-License-Identifier: Apache-2.0
#include "broker/producer_table.h"

#include <algorithm>

namespace sluice::broker {

void ProducerMemory::Spend(std::uint64_t first, std::uint32_t count, Outcome outcome) {
  const std::uint64_t last = first + count - 1;
  last_sequence = last;
  if (!ranges.empty() && ranges.back().last + 1 == first && ranges.back().outcome == outcome) {
    ranges.back().last = last;
    return;
  }
  if (ranges.size() == kOutcomeRangesMax) ranges.erase(ranges.begin());
  ranges.push_back({first, last, outcome});
}

ProducerMemory::Repeat ProducerMemory::Recall(std::uint64_t first, std::uint32_t count_max) const {
  const auto range = std::lower_bound(
      ranges.begin(), ranges.end(), first,
      [](const Range& candidate, std::uint64_t sequence) { return candidate.last < sequence; });
  // Not found: what is remembered begins later, or never (the sequence was spent and all is
  // forgotten).
  const bool is_known = range != ranges.end() && range->first <= first;
  const std::uint64_t next =
      is_known ? range->last + 1 : (range != ranges.end() ? range->first : last_sequence + 1);
  const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(count_max, next - first));
  return {is_known ? range->outcome : Outcome::kUnknown, count};
}

ProducerTable::~ProducerTable() {
  while (idle_.PopFront() != nullptr) {
  }
}

ProducerMemory* ProducerTable::Use(const std::string& id) {
  auto it = table_.find(id);
  if (it == table_.end()) {
    if (table_.size() >= kProducersMax) {
      if (idle_.empty()) return nullptr;
      Forget(*idle_.front());
    }
    it = table_.try_emplace(id).first;
    it->second.id = id;
    bytes_ += kProducerBytes;
  }
  ProducerMemory& memory = it->second;
  if (memory.is_linked()) idle_.Erase(memory);
  ++memory.uses;
  return &memory;
}

void ProducerTable::Release(ProducerMemory& memory) {
  if (--memory.uses > 0) return;
  memory.last_used = clock_.Now();
  idle_.PushBack(memory);
}

TimePoint ProducerTable::next_due() const {
  return idle_.empty() ? kNever : Later(idle_.front()->last_used, kProducerMemory);
}

void ProducerTable::RunDue(TimePoint now) {
  while (next_due() <= now && !idle_.empty()) Forget(*idle_.front());
}

void ProducerTable::Forget(ProducerMemory& memory) {
  idle_.Erase(memory);
  table_.erase(table_.find(memory.id));
  bytes_ -= kProducerBytes;
}

}  // namespace sluice::broker
