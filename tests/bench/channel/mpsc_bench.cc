// SPDX-License-Identifier: Apache-2.0
// mpsc in the shapes of tokio's benches/sync_mpsc.rs: 5000 messages, by one sender or by five
// producers. A producer is a coroutine, as it is a task there: started on a thread of its own, and
// after it had to wait, continued by the receiver's thread, which freed the slot. The receiver
// blocks its thread, as tokio's does in block_on. tests/bench/tokio does the same work in Rust.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "channel/awaitable.h"
#include "channel/mpsc.h"
#include "tests/bench/channel/crew.h"
#include "tests/bench/channel/detached.h"

namespace sluice::channel::bench {
namespace {

constexpr std::size_t kProducers = 5;
constexpr std::size_t kEach = 1'000;
constexpr std::size_t kAll = kProducers * kEach;
constexpr std::size_t kRoomy = 1'000'000;
constexpr std::size_t kTight = 100;

void SetOperations(benchmark::State& state, std::size_t each) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

template <class Rx>
void ReceiveOneByOne(Rx& rx) {
  for (std::size_t i = 0; i < kAll; ++i) benchmark::DoNotOptimize(*rx.Recv().Wait());
}

template <class Rx>
void ReceiveMany(Rx& rx) {
  std::vector<std::size_t> buffer;
  buffer.reserve(kAll);
  for (std::size_t received = 0; received < kAll;) {
    received += *rx.RecvMany(buffer, kAll).Wait();
    benchmark::DoNotOptimize(buffer.data());
    buffer.clear();
  }
}

template <class Rx>
void Receive(Rx& rx, bool many) {
  if (many) {
    ReceiveMany(rx);
  } else {
    ReceiveOneByOne(rx);
  }
}

Detached Produce(mpsc::Sender<std::size_t> sender) {
  for (std::size_t i = 0; i < kEach; ++i) {
    auto sent = co_await sender.Send(i);
    benchmark::DoNotOptimize(sent.ok());
  }
}

void CreateBounded(benchmark::State& state) {
  for (auto _ : state) {
    auto channel = mpsc::Bounded<std::size_t>(kRoomy);
    benchmark::DoNotOptimize(&channel);
  }
  SetOperations(state, 1);
}

void UncontendedBounded(benchmark::State& state, bool many) {
  for (auto _ : state) {
    auto [tx, rx] = mpsc::Bounded<std::size_t>(kRoomy);
    for (std::size_t i = 0; i < kAll; ++i) benchmark::DoNotOptimize(tx.Send(i).Wait().ok());
    Receive(rx, many);
  }
  SetOperations(state, kAll);
}

void UncontendedUnbounded(benchmark::State& state, bool many) {
  for (auto _ : state) {
    auto [tx, rx] = mpsc::Unbounded<std::size_t>();
    for (std::size_t i = 0; i < kAll; ++i) benchmark::DoNotOptimize(tx.Send(i).ok());
    Receive(rx, many);
  }
  SetOperations(state, kAll);
}

void ContentionBounded(benchmark::State& state, std::size_t slots, bool many) {
  Crew crew(kProducers);
  for (auto _ : state) {
    auto [tx, rx] = mpsc::Bounded<std::size_t>(slots);
    crew.Run([&tx = tx] { Produce(tx); }, [&rx = rx, many] { Receive(rx, many); });
  }
  SetOperations(state, kAll);
}

void ContentionUnbounded(benchmark::State& state, bool many) {
  Crew crew(kProducers);
  for (auto _ : state) {
    auto [tx, rx] = mpsc::Unbounded<std::size_t>();
    crew.Run(
        [&tx = tx] {
          const auto sender = tx;
          for (std::size_t i = 0; i < kEach; ++i) benchmark::DoNotOptimize(sender.Send(i).ok());
        },
        [&rx = rx, many] { Receive(rx, many); });
  }
  SetOperations(state, kAll);
}

BENCHMARK(CreateBounded)->Name("mpsc/create/bounded");
BENCHMARK_CAPTURE(UncontendedBounded, , false)->Name("mpsc/uncontended/bounded");
BENCHMARK_CAPTURE(UncontendedBounded, , true)->Name("mpsc/uncontended/bounded_recv_many");
BENCHMARK_CAPTURE(UncontendedUnbounded, , false)->Name("mpsc/uncontended/unbounded");
BENCHMARK_CAPTURE(UncontendedUnbounded, , true)->Name("mpsc/uncontended/unbounded_recv_many");
BENCHMARK_CAPTURE(ContentionBounded, , kRoomy, false)
    ->Name("mpsc/contention/bounded")
    ->UseRealTime();
BENCHMARK_CAPTURE(ContentionBounded, , kRoomy, true)
    ->Name("mpsc/contention/bounded_recv_many")
    ->UseRealTime();
BENCHMARK_CAPTURE(ContentionBounded, , kTight, false)
    ->Name("mpsc/contention/bounded_full")
    ->UseRealTime();
BENCHMARK_CAPTURE(ContentionBounded, , kTight, true)
    ->Name("mpsc/contention/bounded_full_recv_many")
    ->UseRealTime();
BENCHMARK_CAPTURE(ContentionUnbounded, , false)->Name("mpsc/contention/unbounded")->UseRealTime();
BENCHMARK_CAPTURE(ContentionUnbounded, , true)
    ->Name("mpsc/contention/unbounded_recv_many")
    ->UseRealTime();

}  // namespace
}  // namespace sluice::channel::bench
