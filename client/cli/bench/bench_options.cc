// SPDX-License-Identifier: Apache-2.0
#include "bench_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "checked_payload.h"
#include "numbers.h"

namespace sluice::bench {
namespace {

constexpr std::size_t kPayloadBytesMax = 1'000'000;  // With a head, within the daemon's 1 MiB.
constexpr std::size_t kEndsMax = 1000;
constexpr double kRateMax = 1e9;

}  // namespace

void AddBenchOptions(CLI::App& verb, BenchOptions& options, const BenchWords& words) {
  cli::AddWhole(verb, "--messages", options.messages,
                "Messages in all (" + std::to_string(words.messages) +
                    ", or with --duration no limit, unless given)",
                1);
  verb.add_option("--duration", options.duration_s, "Seconds to send for")
      ->check(cli::NumberBetween(0.001, 86400.0));
  verb.add_option("--rate", options.rate,
                  "Messages a second in all, at fixed times; latencies count from the time that "
                  "was meant. Without it: full speed")
      ->check(cli::NumberBetween(0.001, kRateMax));
  cli::AddWhole(verb, "--size", options.size, "Bytes of a payload", kPayloadBytesMin,
                kPayloadBytesMax)
      ->capture_default_str();
  for (auto& [name, count] :
       {std::pair<const std::string&, std::size_t&>(words.producers, options.producers),
        {words.consumers, options.consumers}}) {
    cli::AddWhole(verb, "--" + name, count, "Ends of this side, each with a connection of its own",
                  1, kEndsMax)
        ->capture_default_str();
  }
  cli::AddWhole(verb, "--batch", options.batch, words.batch, 1, 1'000'000);
}

cli::Json ToJson(const BenchOptions& options, const BenchWords& words) {
  cli::Json json;
  json["messages"] = options.messages;
  json["duration_s"] = options.duration_s;
  json["rate"] = options.rate;
  json["size"] = options.size;
  json[words.producers] = options.producers;
  json[words.consumers] = options.consumers;
  json["batch"] = options.batch;
  return json;
}

PacePlan PlanOf(const BenchOptions& options, std::size_t producer, std::uint64_t begin_ns) {
  PacePlan plan;
  plan.rate = options.rate;
  plan.batch = std::max<std::uint64_t>(options.rate > 0 ? options.batch : 1, 1);
  // The first ones take what does not divide evenly. With no limit none of them has one.
  const std::uint64_t rest = producer < options.messages % options.producers ? 1 : 0;
  plan.messages = options.messages / options.producers + rest;
  plan.duration_s = options.duration_s;
  plan.producer = producer;
  plan.producers = options.producers;
  plan.begin_ns = begin_ns;
  return plan;
}

}  // namespace sluice::bench
