// SPDX-License-Identifier: Apache-2.0
// Cost of one message in a batch of 256: in the scanner, in the client's reader and writer. The
// time of one iteration divided by 256 is the time of a message; `items_per_second` says it the
// other way round.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "wire/frame_reader.h"
#include "wire/frame_scanner.h"
#include "wire/frame_writer.h"

namespace sluice::wire {
namespace {

constexpr int kBatch = 256;

std::string Batch(std::size_t payload_bytes, bool is_full) {
  const std::vector<Header> headers = {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00"}};
  std::string frame;
  for (int i = 0; i < kBatch; ++i) {
    if (is_full) {
      AppendMessage(frame, std::string(payload_bytes, 'x'), "order-12345678", "application/json",
                    headers);
    } else {
      AppendMessage(frame, std::string(payload_bytes, 'x'));
    }
  }
  return frame;
}

void SetRates(benchmark::State& state, std::size_t frame_bytes) {
  state.SetItemsProcessed(state.iterations() * kBatch);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(frame_bytes));
}

void BM_Scan(benchmark::State& state) {
  const std::string frame = Batch(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
  ScannedFrame scanned;
  for (auto _ : state) {
    const auto error = ScanFrame(frame, ScanLimits{}, scanned);
    benchmark::DoNotOptimize(error.has_value());
    benchmark::DoNotOptimize(scanned.messages.data());
  }
  if (scanned.messages.size() != kBatch) state.SkipWithError("the batch was refused");
  SetRates(state, frame.size());
}
BENCHMARK(BM_Scan)
    ->ArgNames({"payload", "full"})
    ->Args({16, 0})
    ->Args({128, 0})
    ->Args({128, 1})
    ->Args({4096, 0});

void BM_Read(benchmark::State& state) {
  const std::string frame = Batch(128, state.range(0) != 0);
  ReceivedFrame received;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ReadFrame(frame, received));
    benchmark::DoNotOptimize(received.messages.data());
  }
  if (received.messages.size() != kBatch) state.SkipWithError("the batch was refused");
  SetRates(state, frame.size());
}
BENCHMARK(BM_Read)->ArgName("full")->Arg(0)->Arg(1);

void BM_Write(benchmark::State& state) {
  const std::string payload(128, 'x');
  std::string frame;
  for (auto _ : state) {
    frame.clear();
    for (int i = 0; i < kBatch; ++i) AppendMessage(frame, payload);
    benchmark::DoNotOptimize(frame.data());
  }
  SetRates(state, frame.size());
}
BENCHMARK(BM_Write);

}  // namespace
}  // namespace sluice::wire
