// SPDX-License-Identifier: Apache-2.0
#include "bench_verbs.h"

#include <CLI/CLI.hpp>

#include "verbs.h"

namespace sluice::cli {

void AddBenchVerbs(CLI::App& app, Invocation& invocation) {
  CLI::App* const noun = AddNoun(
      app, "bench", "Measures a daemon, and checks what it does; exit code 1 if it is wrong");
  bench::AddQueueBench(*noun, invocation);
  bench::AddTopicBench(*noun, invocation);
  bench::AddRequestBench(*noun, invocation);
  bench::AddConfigBench(*noun, invocation);
}

}  // namespace sluice::cli
