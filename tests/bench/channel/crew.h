// SPDX-License-Identifier: Apache-2.0
// Threads that stand by, so that a benchmark does not measure their creation.
#pragma once

#include <barrier>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::channel::bench {

class Crew {
 public:
  explicit Crew(std::size_t size) : barrier_(static_cast<std::ptrdiff_t>(size) + 1) {
    for (std::size_t i = 0; i < size; ++i) threads_.emplace_back([this] { Serve(); });
  }
  ~Crew() {
    work_ = nullptr;
    barrier_.arrive_and_wait();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Every thread of the crew does `work` while this thread does `own`; returns when all are done.
  template <class Own>
  void Run(std::function<void()> work, Own own) {
    work_ = std::move(work);
    barrier_.arrive_and_wait();
    own();
    barrier_.arrive_and_wait();
  }

 private:
  void Serve() {
    for (;;) {
      barrier_.arrive_and_wait();
      if (!work_) return;
      work_();
      barrier_.arrive_and_wait();
    }
  }

  std::function<void()> work_;  // written before a barrier, read after it
  std::barrier<> barrier_;
  std::vector<std::jthread> threads_;  // joined first
};

}  // namespace sluice::channel::bench
