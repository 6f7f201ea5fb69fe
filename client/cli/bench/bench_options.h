// SPDX-License-Identifier: Apache-2.0
// What all benchmarks take, and how it is stamped into their reports.
#pragma once

#include <cstdint>
#include <string>

#include "invocation.h"
#include "output.h"
#include "pace.h"

namespace sluice::bench {

struct BenchOptions {
  std::uint64_t messages = 0;  // 0: the benchmark's default, or no limit with a duration.
  double duration_s = 0;       // 0: no limit.
  double rate = 0;             // 0: full speed.
  std::size_t size = 128;
  std::size_t producers = 1;
  std::size_t consumers = 1;
  std::uint64_t batch = 0;  // 0: the benchmark's own.
};

// Words of a benchmark for the two sides and for --batch.
struct BenchWords {
  std::string producers;  // "publishers"
  std::string consumers;
  std::string batch;
  std::uint64_t messages = 0;  // The default.
};

void AddBenchOptions(CLI::App& verb, BenchOptions& options, const BenchWords& words);

cli::Json ToJson(const BenchOptions& options, const BenchWords& words);

// The plan of one producer, from begin_ns on.
PacePlan PlanOf(const BenchOptions& options, std::size_t producer, std::uint64_t begin_ns);

}  // namespace sluice::bench
