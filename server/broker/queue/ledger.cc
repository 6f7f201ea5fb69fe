// SPDX-License-Identifier: Apache-2.0
#include "broker/queue/ledger.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::broker {
namespace {

// Below this many gaps a list is not worth tidying; above this capacity an empty one gives it back.
constexpr std::size_t kGapsMin = 64;
constexpr std::size_t kKeptCapacity = 4'096;

}  // namespace

std::size_t HeldList::LowerBound(std::uint64_t position) const {
  const auto from = held_.begin() + static_cast<std::ptrdiff_t>(head_);
  if (from == held_.end() || from->parcel.position >= position) return head_;
  const auto it = std::lower_bound(
      from, held_.end(), position,
      [](const Held& held, std::uint64_t wanted) { return held.parcel.position < wanted; });
  return static_cast<std::size_t>(it - held_.begin());
}

// What came back and is handed out again under the same lease has an older position than the last.
void HeldList::Add(Parcel parcel, Due* due) {
  ++live_;
  if (held_.empty() || held_.back().parcel.position < parcel.position) {
    held_.push_back({std::move(parcel), due});
    return;
  }
  const std::size_t i = LowerBound(parcel.position);
  if (held_[i].parcel.position == parcel.position) {
    SLUICE_CHECK(!held_[i].parcel.message);
    held_[i] = {std::move(parcel), due};
    return;
  }
  if (i == head_ && head_ > 0) {  // before the oldest there are gaps: it takes the nearest
    held_[--head_] = {std::move(parcel), due};
    return;
  }
  held_.insert(held_.begin() + static_cast<std::ptrdiff_t>(i), Held{std::move(parcel), due});
}

void HeldList::Tidy() {
  if (live_ == 0) {
    held_.clear();
    if (held_.capacity() > kKeptCapacity) held_.shrink_to_fit();
    head_ = 0;
    return;
  }
  while (!held_[head_].parcel.message) ++head_;
  const std::size_t gaps = held_.size() - live_;
  if (gaps < kGapsMin || gaps < live_) return;
  std::erase_if(held_, [](const Held& held) { return !held.parcel.message; });
  head_ = 0;
}

Lease& Ledger::Open() {
  Lease& lease = leases_[next_lease_];
  lease.id = next_lease_++;
  return lease;
}

Lease* Ledger::Find(std::uint64_t id) {
  const auto it = leases_.find(id);
  return it == leases_.end() ? nullptr : &it->second;
}

const Parcel* Ledger::oldest() const noexcept {
  const Parcel* oldest = nullptr;
  for (const auto& [id, lease] : leases_) {
    const Parcel* first = lease.held.oldest();
    if (first == nullptr) continue;
    if (oldest == nullptr || first->position < oldest->position) oldest = first;
  }
  return oldest;
}

void Ledger::Close(Lease& lease) {
  SLUICE_CHECK(lease.held.live() == 0);
  leases_.erase(lease.id);
}

Due* Ledger::MakeDue(Lease& lease, TimePoint at) {
  const auto it = dues_.emplace(at, Due{&lease, ~std::uint64_t{0}, 0, 0, {}});
  it->second.self = it;
  return &it->second;
}

void Ledger::Hold(Lease& lease, Parcel parcel, Due* due) {
  if (due != nullptr) {
    due->first = std::min(due->first, parcel.position);
    due->last = std::max(due->last, parcel.position);
    ++due->live;
  }
  ++in_flight_;
  lease.held.Add(std::move(parcel), due);
}

std::uint32_t Ledger::Extend(Lease& lease, std::uint64_t first, std::uint64_t last, TimePoint at) {
  Due* due = nullptr;
  std::uint32_t count = 0;
  lease.held.Visit(first, last, [&](HeldList::Held& held) {
    if (due == nullptr) due = MakeDue(lease, at);
    LeaveDue(held);
    held.due = due;
    due->first = std::min(due->first, held.parcel.position);
    due->last = std::max(due->last, held.parcel.position);
    ++due->live;
    ++count;
    return false;
  });
  return count;
}

void Ledger::LeaveDue(HeldList::Held& held) {
  if (held.due == nullptr) return;
  if (--held.due->live == 0) dues_.erase(held.due->self);
  held.due = nullptr;
}

}  // namespace sluice::broker
