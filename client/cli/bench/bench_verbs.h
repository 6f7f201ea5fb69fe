// SPDX-License-Identifier: Apache-2.0
// The benchmarks, each in the file of its name.
#pragma once

#include "invocation.h"

namespace sluice::bench {

void AddQueueBench(CLI::App& app, cli::Invocation& invocation);
void AddTopicBench(CLI::App& app, cli::Invocation& invocation);
void AddRequestBench(CLI::App& app, cli::Invocation& invocation);
void AddConfigBench(CLI::App& app, cli::Invocation& invocation);

}  // namespace sluice::bench
