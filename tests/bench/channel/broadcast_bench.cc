// SPDX-License-Identifier: Apache-2.0
// One sender, and receivers that all wait for the next value: per value sent, until every receiver
// has it.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "channel/awaitable.h"
#include "channel/broadcast.h"
#include "tests/bench/channel/detached.h"

namespace sluice::channel::bench {
namespace {

Detached Read(broadcast::Receiver<std::size_t> rx, std::size_t& read) {
  for (;;) {
    auto item = co_await rx.Recv();
    if (!item.ok()) co_return;
    benchmark::DoNotOptimize(**item);
    ++read;
  }
}

// An iteration: one value is sent into a ring of 16; every receiver is a task that waits for it,
// takes it, and waits for the next. All on one thread.
void SendRecv(benchmark::State& state) {
  const auto receivers = static_cast<std::size_t>(state.range(0));
  std::size_t read = 0;
  std::size_t sent = 0;
  {
    const broadcast::Sender<std::size_t> tx(16);
    for (std::size_t i = 0; i < receivers; ++i) Read(tx.Subscribe(), read);
    for (auto _ : state) benchmark::DoNotOptimize(tx.Send(sent++));
  }
  if (read != sent * receivers) state.SkipWithError("a receiver missed a value");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SendRecv)->Name("broadcast/send_recv")->Arg(1)->Arg(10)->Arg(100);

}  // namespace
}  // namespace sluice::channel::bench
