// SPDX-License-Identifier: Apache-2.0
// A channel for one value: made, sent, received; and as the reply of a request to a task.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <utility>

#include "channel/awaitable.h"
#include "channel/mpsc.h"
#include "channel/oneshot.h"
#include "tests/bench/channel/detached.h"

namespace sluice::channel::bench {
namespace {

// An iteration: a channel is made, a number sent and then received, and both ends dropped.
void CreateSendRecv(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) {
    auto [tx, rx] = oneshot::Channel<std::size_t>();
    benchmark::DoNotOptimize(std::move(tx).Send(i++));
    benchmark::DoNotOptimize(rx.Recv().Wait());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(CreateSendRecv)->Name("oneshot/create_send_recv");

using Reply = oneshot::Sender<bool>;

Detached Answer(mpsc::Receiver<Reply> requests) {
  for (;;) {
    auto reply = co_await requests.Recv();
    if (!reply.ok()) co_return;
    benchmark::DoNotOptimize((*std::move(reply)).Send(true));
  }
}

// An iteration: a oneshot's sender goes through an unbounded mpsc to a task that waits for requests
// and answers it; the reply is received. All on one thread.
void RequestReply(benchmark::State& state) {
  auto [tx, rx] = mpsc::Unbounded<Reply>();
  Answer(std::move(rx));
  for (auto _ : state) {
    auto [reply, answer] = oneshot::Channel<bool>();
    benchmark::DoNotOptimize(tx.Send(std::move(reply)));
    benchmark::DoNotOptimize(answer.Recv().Wait());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RequestReply)->Name("oneshot/request_reply");

}  // namespace
}  // namespace sluice::channel::bench
