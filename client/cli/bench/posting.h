// SPDX-License-Identifier: Apache-2.0
// The sending side of bench queue and bench topic: checked payloads over one Sender or Publisher.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>

#include "run.h"
#include "sluice/sending_end.h"

namespace sluice::bench {

// Opens an end for each producer before the run begins. What cannot be opened is a fault of it.
template <class Open>
auto OpenAll(Run& run, const Open& open) {
  std::deque<std::decay_t<decltype(*open())>> ends;
  for (std::size_t i = 0; i < run.options().producers; ++i) {
    auto end = open();
    run.AddFault(end.status());
    if (end.ok()) ends.push_back(*std::move(end));
  }
  return ends;
}

// Of all producers together.
struct Posted {
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> accepted{0};
};

// Posts what is due until the pace ends, closes, and counts.
Status PostAll(SendingEnd& end, std::size_t producer, Pace& pace, const Run& run, Posted& posted);

// a - b, or 0.
constexpr std::uint64_t Less(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

}  // namespace sluice::bench
