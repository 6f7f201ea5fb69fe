// SPDX-License-Identifier: Apache-2.0
#include "broker/producer_table.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sluice::broker {
namespace {

// The table's node and the two copies of the id, as the allocator gives them.
constexpr std::size_t kNodeBytes = sizeof(std::pair<const std::string, ProducerMemory>) + 32 + 64;
static_assert(sizeof(ProducerMemory::Range) == kOutcomeRangeBytes);
static_assert(kNodeBytes + kProducerRanges * kOutcomeRangeBytes <= kProducerBytes);

// A vector doubles.
std::uint32_t ChargeOf(std::size_t ranges) {
  const std::size_t room = std::bit_ceil(std::max<std::size_t>(ranges, kProducerRanges));
  return kProducerBytes + static_cast<std::uint32_t>(room - kProducerRanges) * kOutcomeRangeBytes;
}

}  // namespace

bool ProducerMemory::Continues(std::uint64_t first, Outcome outcome) const noexcept {
  return !ranges.empty() && ranges.back().last + 1 == first && ranges.back().outcome == outcome;
}

std::uint32_t ProducerMemory::Lacks(std::uint64_t first, Outcome outcome) const noexcept {
  if (Continues(first, outcome)) return 0;
  return ChargeOf(std::min<std::size_t>(ranges.size() + 1, kOutcomeRangesMax)) - charged;
}

void ProducerMemory::Spend(std::uint64_t first, std::uint32_t count, Outcome outcome) {
  const std::uint64_t last = first + count - 1;
  last_sequence = last;
  if (Continues(first, outcome)) {
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
  }
  ProducerMemory& memory = it->second;
  if (memory.is_linked()) idle_.Erase(memory);
  ++memory.uses;
  return &memory;
}

void ProducerTable::Release(ProducerMemory& memory) {
  if (--memory.uses > 0) return;
  if (memory.charged == 0) return Forget(memory);
  memory.last_used = clock_.Now();
  idle_.PushBack(memory);
}

void ProducerTable::Spend(ProducerMemory& memory, std::uint64_t first, std::uint32_t count,
                          Outcome outcome) {
  const std::uint32_t more = memory.Lacks(first, outcome);
  memory.Spend(first, count, outcome);
  if (more == 0) return;
  memory.charged += more;
  bytes_ += more;
}

TimePoint ProducerTable::next_due() const {
  return idle_.empty() ? kNever : Later(idle_.front()->last_used, kProducerMemory);
}

void ProducerTable::RunDue(TimePoint now) {
  while (next_due() <= now && !idle_.empty()) Forget(*idle_.front());
}

void ProducerTable::Forget(ProducerMemory& memory) {
  if (memory.is_linked()) idle_.Erase(memory);
  if (memory.charged != 0) bytes_ -= memory.charged;
  table_.erase(table_.find(memory.id));
}

}  // namespace sluice::broker
