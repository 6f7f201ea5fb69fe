// SPDX-License-Identifier: Apache-2.0
// A coroutine nobody waits for: it runs until its first wait at once, and is gone when it ends.
// What tokio::spawn is to the Rust twins of these benchmarks.
#pragma once

#include <coroutine>
#include <exception>

namespace sluice::channel::bench {

struct Detached {
  struct promise_type {
    Detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

}  // namespace sluice::channel::bench
