// SPDX-License-Identifier: Apache-2.0
// Two threads that meet again and again.
#pragma once

#include <barrier>
#include <thread>

namespace sluice::channel::testing {

// Each round: `prepare()`, then `left()` and `right()` at the same time, `right` on a thread of its
// own, then `check()`.
template <class Prepare, class Left, class Right, class Check>
void Race(int rounds, Prepare prepare, Left left, Right right, Check check) {
  std::barrier together(2);
  std::jthread other([&] {
    for (int round = 0; round < rounds; ++round) {
      together.arrive_and_wait();
      right();
      together.arrive_and_wait();
    }
  });
  for (int round = 0; round < rounds; ++round) {
    prepare();
    together.arrive_and_wait();
    left();
    together.arrive_and_wait();
    check();
  }
}

}  // namespace sluice::channel::testing
