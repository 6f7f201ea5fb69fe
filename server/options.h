// SPDX-License-Identifier: Apache-2.0
// Every tunable of the daemon: flags over environment (SLUICE_...) over the TOML file over
// defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "base/log.h"
#include "broker/broker.h"
#include "rpc/connections.h"
#include "rpc/stream_table.h"

namespace sluice {

struct Options {
  std::string listen = "127.0.0.1:7400";
  std::string http = "127.0.0.1:7401";   // empty: none
  std::uint32_t metrics_channels = 100;  // shown by /metrics each for itself; 0: none
  bool insecure_bind = false;            // plaintext beyond loopback
  std::uint32_t grpc_queues = 0;         // completion queues, one thread each; 0: one per core
  bool reflection = false;
  bool remote_admin = false;
  LogLevel log_level = LogLevel::kInfo;
  broker::BrokerOptions broker;
  std::uint64_t memory_max = 0;  // retained by all channels; 0: a part of what the cgroup gives
  rpc::StreamLimits streams;
  rpc::ConnectionLimits connections;
  std::chrono::milliseconds keepalive_time{10'000};
  std::chrono::milliseconds keepalive_timeout{10'000};
  std::chrono::milliseconds probe_interval{5'000};  // 0: no self-probe
  std::chrono::milliseconds drain_delay{0};
  std::chrono::milliseconds drain_grace{8'000};
};

// What the command line asked for instead of running: print `text` and end with `exit_code`.
struct OptionsExit {
  std::string text;
  int exit_code = 0;
};

// Exit code 2 and one clear sentence for whatever cannot be: an unknown option, a value out of its
// bounds (named with the bound), a file that cannot be read.
std::variant<Options, OptionsExit> ParseOptions(int argc, const char* const* argv);

}  // namespace sluice
