// SPDX-License-Identifier: Apache-2.0
#include "broker/queue/expired.h"

#include <algorithm>
#include <iterator>

#include "broker/limits.h"

namespace sluice::broker {

Expired::Ranges::iterator Expired::Before(std::uint64_t lease, std::uint64_t position) {
  auto it = ranges_.upper_bound({lease, position});
  if (it == ranges_.begin()) return ranges_.end();
  --it;
  return it->first.first == lease ? it : ranges_.end();
}

void Expired::Insert(Key key, std::uint64_t last) {
  ranges_.insert_or_assign(key, Range{last, next_order_});
  by_age_.emplace(next_order_++, key);
  if (ranges_.size() > kExpiredLeasesMax) {
    ranges_.erase(by_age_.begin()->second);
    by_age_.erase(by_age_.begin());
  }
}

// A lease runs out in order of position, so nearly always the last range just grows.
void Expired::Add(std::uint64_t lease, std::uint64_t position) {
  const auto before = Before(lease, position);
  if (before != ranges_.end() && before->second.last >= position) return;
  if (before != ranges_.end() && before->second.last + 1 == position) {
    before->second.last = position;
    return;
  }
  Insert({lease, position}, position);
}

void Expired::Remove(std::uint64_t lease, std::uint64_t position) {
  const auto it = Before(lease, position);
  if (it == ranges_.end() || it->second.last < position) return;
  const std::uint64_t first = it->first.second;
  const std::uint64_t last = it->second.last;
  by_age_.erase(it->second.order);
  ranges_.erase(it);
  if (first < position) Insert({lease, first}, position - 1);
  if (position < last) Insert({lease, position + 1}, last);
}

std::uint64_t Expired::Count(std::uint64_t lease, std::uint64_t first, std::uint64_t last) const {
  std::uint64_t count = 0;
  auto it = ranges_.upper_bound({lease, first});
  if (it != ranges_.begin() && std::prev(it)->first.first == lease) --it;
  for (; it != ranges_.end() && it->first.first == lease && it->first.second <= last; ++it) {
    const std::uint64_t from = std::max(first, it->first.second);
    const std::uint64_t to = std::min(last, it->second.last);
    if (from <= to) count += to - from + 1;
  }
  return count;
}

}  // namespace sluice::broker
