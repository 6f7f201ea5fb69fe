// SPDX-License-Identifier: Apache-2.0
#include "broker/queue/come_back.h"

namespace sluice::broker {

void ComeBack::Add(Parcel parcel) {
  const std::uint64_t position = parcel.position;
  ready_.emplace(position, std::move(parcel));
}

void ComeBack::AddDelayed(Parcel parcel, TimePoint due) {
  const std::uint64_t position = parcel.position;
  delayed_.emplace(position, Delayed{std::move(parcel), due});
  dues_.emplace(due, position);
}

Parcel ComeBack::PopFront() {
  const auto first = ready_.begin();
  Parcel parcel = std::move(first->second);
  ready_.erase(first);
  return parcel;
}

void ComeBack::RunDue(TimePoint now) {
  while (!dues_.empty() && dues_.begin()->first <= now) {
    const auto it = delayed_.find(dues_.begin()->second);
    Add(std::move(it->second.parcel));
    delayed_.erase(it);
    dues_.erase(dues_.begin());
  }
}

std::size_t ComeBack::Clear() {
  const std::size_t count = size();
  ready_.clear();
  delayed_.clear();
  dues_.clear();
  return count;
}

}  // namespace sluice::broker
