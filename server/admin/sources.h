// SPDX-License-Identifier: Apache-2.0
// What the pages of the HTTP port are made from: references to the parts of the daemon, all of them
// thread-safe, and read as plain snapshots. The composition root fills it in; it outlives the port.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "admin/http_counts.h"
#include "base/clock.h"
#include "broker/broker.h"
#include "rpc/bound.h"
#include "rpc/call_stats.h"
#include "rpc/connections.h"
#include "rpc/stream_table.h"

namespace sluice::admin {

// Rounds in which the daemon asked itself whether it answers.
struct SelfChecks {
  std::uint64_t answered = 0;
  std::uint64_t missed = 0;
  std::uint64_t skipped = 0;  // nobody could ask, or the process was suspended
};

struct Sources {
  const Clock& clock;
  broker::Broker& broker;
  const rpc::StreamTable& streams;
  rpc::Connections& connections;
  const rpc::CallStats& calls;
  const HttpCounts& http;
  std::uint32_t metrics_channels;  // shown by /metrics each for itself, at most
  TimePoint started;
  std::uint64_t started_unix_us;
  std::uint32_t workers;           // completion queues, one thread each
  std::vector<rpc::Bound> bounds;  // those in force, named as in ServerInfo
  // One line why it is not so; empty: it is.
  std::function<std::string()> why_not_alive;
  std::function<std::string()> why_not_ready;
  std::function<SelfChecks()> self_checks;
};

}  // namespace sluice::admin
