// SPDX-License-Identifier: Apache-2.0
// One value that changes, and receivers that all wait for it to: per change, until every receiver
// has seen it; and looking at a value that has not changed.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <utility>

#include "channel/awaitable.h"
#include "channel/watch.h"
#include "tests/bench/channel/detached.h"

namespace sluice::channel::bench {
namespace {

Detached Follow(watch::Receiver<std::size_t> rx, std::size_t& seen) {
  for (;;) {
    benchmark::DoNotOptimize(*rx.BorrowAndUpdate());
    ++seen;
    auto changed = co_await rx.Changed();
    if (!changed.ok()) co_return;
  }
}

// An iteration: the value is replaced; every receiver is a task that waits for the change, looks at
// it, marks it seen, and waits for the next. All on one thread.
void SendChanged(benchmark::State& state) {
  const auto receivers = static_cast<std::size_t>(state.range(0));
  std::size_t seen = 0;
  std::size_t sent = 0;
  {
    const watch::Sender<std::size_t> tx(0);
    for (std::size_t i = 0; i < receivers; ++i) Follow(tx.Subscribe(), seen);
    for (auto _ : state) benchmark::DoNotOptimize(tx.Send(sent++));
  }
  if (seen != (sent + 1) * receivers) state.SkipWithError("a receiver missed a change");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SendChanged)->Name("watch/send_changed")->Arg(10)->Arg(100);

// An iteration: a receiver borrows the current value, unchanged.
void Borrow(benchmark::State& state) {
  const auto [tx, rx] = watch::Channel<std::size_t>(7);
  for (auto _ : state) benchmark::DoNotOptimize(*rx.Borrow());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Borrow)->Name("watch/borrow");

}  // namespace
}  // namespace sluice::channel::bench
