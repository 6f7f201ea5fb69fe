// SPDX-License-Identifier: Apache-2.0
// What a benchmark says at its end: how fast, how late, and what was wrong; with what, on what.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "account.h"
#include "bench_options.h"
#include "histogram.h"

namespace sluice::bench {

struct Report {
  std::string bench;    // "queue"
  std::string channel;  // Its name; gone by now.
  cli::Json settings;
  std::string daemon_version;

  std::uint64_t sent = 0;      // Accepted by the daemon.
  std::uint64_t received = 0;  // Different ones, at each end that should get them.
  double elapsed_s = 0;        // From the first send to the last receipt.
  std::size_t size = 0;
  std::vector<std::pair<std::string, Histogram>> latencies;

  // Any of them makes the run wrong.
  std::uint64_t lost = 0;  // Accepted, not received, and not told to be missed.
  std::uint64_t duplicates = 0;
  std::uint64_t order = 0;
  std::uint64_t checksum = 0;
  std::uint64_t refused = 0;  // Not accepted.
  std::vector<std::string> faults;

  // Told to be so by the channel's own rules: "missed", "coalesced".
  std::vector<std::pair<std::string, std::uint64_t>> notes;

  bool is_ok() const;
  void Add(const Account& account);
};

// As one JSON object, or as lines for people. The exit code: 1 if anything was wrong.
int Print(const Report& report, bool json);

}  // namespace sluice::bench
