// SPDX-License-Identifier: Apache-2.0
// What the named channels of all kinds live in: bounds, time, memory, the one count of them, and
// whether the daemon goes down.
//
// Threads: safe from any thread. make_room is set before other threads know of the space.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "broker/limits.h"
#include "broker/memory_budget.h"
#include "broker/timers.h"

namespace sluice::broker {

struct ChannelSpace {
  // False: there are limits.channels_max already.
  bool TakePlace() {
    if (channels.fetch_add(1) < limits.channels_max) return true;
    channels.fetch_sub(1);
    return false;
  }
  void GivePlaces(std::size_t count) { channels.fetch_sub(static_cast<std::uint32_t>(count)); }

  const Limits limits;
  const Clock& clock;
  Timers& timers;
  MemoryBudget& memory;
  const bool auto_declare;          // an unknown name comes to life with defaults
  std::function<void()> make_room;  // forgets channels that have ended, of all kinds
  std::atomic<std::uint32_t> channels = 0;
  std::atomic<bool> is_draining = false;
};

}  // namespace sluice::broker
