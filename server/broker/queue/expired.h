// SPDX-License-Identifier: Apache-2.0
// Which positions a lease held until it ran out, so that a late settlement can be told so. The last
// kExpiredLeasesMax ranges of a queue are remembered, the oldest forgotten first.
//
// Threads: none of its own; the queue's lock guards it.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

namespace sluice::broker {

class Expired {
 public:
  void Add(std::uint64_t lease, std::uint64_t position);
  // The lease holds it again.
  void Remove(std::uint64_t lease, std::uint64_t position);
  // How many of [first, last] ran out under the lease.
  std::uint64_t Count(std::uint64_t lease, std::uint64_t first, std::uint64_t last) const;

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // lease, first position
  struct Range {
    std::uint64_t last;
    std::uint64_t order;  // of being remembered
  };
  using Ranges = std::map<Key, Range>;  // of one lease: disjoint
  // The range of the lease that begins at or before the position, or end().
  Ranges::iterator Before(std::uint64_t lease, std::uint64_t position);
  void Insert(Key key, std::uint64_t last);

  Ranges ranges_;
  std::map<std::uint64_t, Key> by_age_;
  std::uint64_t next_order_ = 0;
};

}  // namespace sluice::broker
