// SPDX-License-Identifier: Apache-2.0
// A coroutine that runs by itself: as much as a test needs of an executor.
#pragma once

#include <coroutine>
#include <exception>

namespace sluice::test {

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

}  // namespace sluice::test
