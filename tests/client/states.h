// SPDX-License-Identifier: Apache-2.0
// The states that an end went through, as its callback told them.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "sluice/stream_state.h"
#include "tests/client/daemon.h"

namespace sluice::test {

class States {
 public:
  OnStreamState Callback() {
    return [this](const StreamState& state) {
      std::lock_guard lock(mutex_);
      states_.push_back(state);
      changed_.notify_all();
    };
  }

  // Waits until it has been in `phase` so often; answers that state.
  StreamState WaitFor(StreamState::Phase phase, int times = 1) {
    std::unique_lock lock(mutex_);
    StreamState found;
    const auto has_been = [&] {
      int seen = 0;
      for (const StreamState& state : states_) {
        if (state.phase != phase || ++seen < times) continue;
        found = state;
        return true;
      }
      return false;
    };
    EXPECT_TRUE(changed_.wait_for(lock, kBound, has_been)) << "the state did not come about";
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<StreamState> states_;
};

}  // namespace sluice::test
