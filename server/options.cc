// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "admin/metrics_page.h"
#include "base/host_port.h"
#include "base/status.h"
#include "base/version.h"
#include "options_text.h"

namespace sluice {
namespace {

Status FileError(const std::string& path, const std::string& what) {
  return Status(Code::kInvalidArgument, "BAD_FILE", "the configuration file " + path + " " + what);
}

// Gives each option that neither flag nor environment gave its value from a table of the file. A
// table [a] with b = c is the option a-b.
Status ApplyTable(CLI::App& app, const std::string& path, const toml::table& table,
                  const std::string& prefix) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      Status applied = ApplyTable(app, path, *inner, name + "-");
      if (!applied.ok()) return applied;
      continue;
    }
    CLI::Option* option = app.get_option_no_throw("--" + name);
    if (option == nullptr || !option->get_configurable()) {
      return FileError(path, "has the unknown option " + name);
    }
    if (option->get_expected_max() == 0 && !node.is_boolean()) {
      return FileError(path, "says of " + name + " neither true nor false");
    }
    if (option->count() != 0) continue;
    std::ostringstream text;
    if (const auto string = node.value_exact<std::string>()) {
      text << *string;
    } else {
      node.visit([&text](const auto& value) { text << value; });
    }
    option->add_result(text.str());
    option->run_callback();
  }
  return Status();
}

Status ApplyFile(CLI::App& app, const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return FileError(path, "cannot be read: it is a directory");
  }
  try {
    const toml::table table = toml::parse_file(path);
    return ApplyTable(app, path, table, "");
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    std::string what(error.description());
    return line == 0 ? FileError(path, "cannot be read: " + what)
                     : FileError(path, "is not TOML: " + what + " at line " + std::to_string(line));
  }
}

// One option with its environment variable, bound and default shown in --help.
template <class T>
CLI::Option* Add(CLI::App& app, const std::string& flag, T& value, const std::string& sentence) {
  std::string env = "SLUICE_" + flag.substr(2);
  for (char& c : env) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return app.add_option(flag, value, sentence)->envname(env)->capture_default_str();
}

CLI::Option* AddFlag(CLI::App& app, const std::string& flag, bool& value,
                     const std::string& sentence) {
  std::string env = "SLUICE_" + flag.substr(2);
  for (char& c : env) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return app.add_flag(flag, value, sentence)->envname(env);
}

CLI::Validator MemoryRange() {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 50;
  const CLI::Range range(broker::kMemoryMaxLeast, kMost);
  return CLI::Validator(
      [range](std::string& value) { return value == "0" ? std::string() : range(value); },
      "0 or " + range.get_description(), "memory");
}

struct Milliseconds {
  std::int64_t keepalive_time, keepalive_timeout, probe_interval, drain_delay, drain_grace;
};

void DeclareNetwork(CLI::App& app, Options& o, Milliseconds& ms) {
  Add(app, "--listen", o.listen, "HOST:PORT for gRPC, port 0 takes a free one; or unix:PATH");
  Add(app, "--http", o.http,
      "HOST:PORT for metrics, health and JSON views, port 0 takes a free one; or off");
  Add(app, "--metrics-channels", o.metrics_channels,
      "channels that /metrics shows each for itself, those with most traffic; 0: none")
      ->check(CLI::Range(0u, static_cast<unsigned>(admin::kMetricsChannelsMax)));
  AddFlag(app, "--insecure-bind", o.insecure_bind,
          "allow plaintext on an address that is not loopback");
  Add(app, "--grpc-queues", o.grpc_queues, "completion queues, one thread each; 0: one per core")
      ->check(CLI::Range(0u, 256u));
  AddFlag(app, "--reflection", o.reflection, "serve grpc.reflection.v1 and v1alpha");
  AddFlag(app, "--remote-admin", o.remote_admin,
          "let peers that are not loopback drain the daemon");
  Add(app, "--keepalive-time-ms", ms.keepalive_time, "ping a silent connection after this long")
      ->check(CLI::Range(100, 7'200'000));
  Add(app, "--keepalive-timeout-ms", ms.keepalive_timeout,
      "give a connection up when a ping is unanswered this long")
      ->check(CLI::Range(100, 600'000));
  Add(app, "--probe-interval-ms", ms.probe_interval,
      "ask ourselves over the network this often whether we answer; 0: never")
      ->check(CLI::Range(0, 3'600'000));
  Add(app, "--max-connections", o.connections.connections_max, "open connections in all")
      ->check(CLI::Range(1u, 1'000'000u));
  Add(app, "--max-connections-per-address", o.connections.connections_per_address_max,
      "open connections from one address; 0: no bound")
      ->check(CLI::Range(0u, 1'000'000u));
  Add(app, "--max-streams", o.streams.streams_max, "open calls in all")
      ->check(CLI::Range(1u, 1'000'000u));
  Add(app, "--max-streams-per-connection", o.streams.streams_per_connection_max,
      "open calls of one connection")
      ->check(CLI::Range(1u, 1'000'000u));
  Add(app, "--max-streams-per-address", o.streams.streams_per_address_max,
      "open calls from one address; 0: no bound")
      ->check(CLI::Range(0u, 1'000'000u));
}

void DeclareBroker(CLI::App& app, Options& o, Milliseconds& ms) {
  broker::Limits& limits = o.broker.limits;
  AddFlag(app, "--auto-declare", o.broker.auto_declare,
          "an unknown name comes to life with defaults");
  Add(app, "--default-capacity", limits.capacity, "messages of a queue declared without capacity")
      ->check(CLI::Range(std::uint64_t{1}, broker::kCapacityMax));
  Add(app, "--default-bytes-max", limits.bytes_max,
      "bytes retained by a channel declared without bytes_max")
      ->check(CLI::Range(broker::kBytesMaxLeast, broker::kBytesMaxMost));
  Add(app, "--message-bytes-max", limits.message_bytes_max, "bytes of one message")
      ->check(CLI::Range(1'024u, 1u << 20));
  Add(app, "--default-max-in-flight", limits.max_in_flight,
      "messages delivered and not settled, of a queue declared without max_in_flight")
      ->check(CLI::Range(1u, broker::kMaxInFlightMax));
  Add(app, "--memory-max", o.memory_max,
      "bytes retained by all channels together, such as 512MiB; 0: 60 % of what the machine and "
      "the control group give")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->check(MemoryRange());
  Add(app, "--max-channels", limits.channels_max, "named channels in all")
      ->check(CLI::Range(1u, 10'000'000u));
  Add(app, "--max-sessions", limits.sessions_max, "sessions in all")
      ->check(CLI::Range(1u, 1'000'000u));
  Add(app, "--drain-delay-ms", ms.drain_delay,
      "on SIGTERM, go on serving this long while not ready")
      ->check(CLI::Range(0, 600'000));
  Add(app, "--drain-grace-ms", ms.drain_grace, "on SIGTERM, let consumers finish for this long")
      ->check(CLI::Range(0, 3'600'000));
}

bool IsUnix(const std::string& address) { return address.starts_with("unix:"); }

// Requires: one of the two forms.
bool StaysHere(const std::string& address) {
  return IsUnix(address) || IsLoopbackHost(ParseHostPort(address)->host);
}

// Empty: they are good. The word for no HTTP port is replaced by nothing.
std::string WhyNotListen(Options& options) {
  if (!IsUnix(options.listen) && !ParseHostPort(options.listen)) {
    return "--listen " + options.listen + " is neither HOST:PORT nor unix:PATH";
  }
  if (options.http == "off") options.http.clear();
  if (!options.http.empty() && !ParseHostPort(options.http)) {
    return "--http " + options.http + " is neither HOST:PORT nor off";
  }
  if (options.insecure_bind) return "";
  const std::pair<const char*, const std::string&> both[] = {{"--listen", options.listen},
                                                             {"--http", options.http}};
  for (const auto& [flag, address] : both) {
    if (address.empty() || StaysHere(address)) continue;
    return flag + (" " + address) +
           " is not loopback, and the connection is plaintext: add --insecure-bind to allow it";
  }
  return "";
}

}  // namespace

std::variant<Options, OptionsExit> ParseOptions(int argc, const char* const* argv) {
  Options options;
  Milliseconds ms{options.keepalive_time.count(), options.keepalive_timeout.count(),
                  options.probe_interval.count(), options.drain_delay.count(),
                  options.drain_grace.count()};
  CLI::App app("sluiced: queues, request/reply, topics and config keys over gRPC", "sluiced");
  app.set_version_flag("--version", std::string("sluiced ") + kVersion);
  std::string file;
  app.add_option("--config", file, "a TOML file of these options")
      ->envname("SLUICE_CONFIG")
      ->configurable(false);
  bool is_printed = false;
  bool is_checked = false;
  app.add_flag("--print-config", is_printed, "print the options in force as a TOML file, and end")
      ->configurable(false);
  app.add_flag("--check-config", is_checked, "say whether these options are good, and end")
      ->configurable(false);
  app.footer(kExitCodes);
  DeclareNetwork(app, options, ms);
  DeclareBroker(app, options, ms);
  const std::map<std::string, LogLevel> levels = {{"debug", LogLevel::kDebug},
                                                  {"info", LogLevel::kInfo},
                                                  {"warning", LogLevel::kWarning},
                                                  {"error", LogLevel::kError}};
  std::string level = "info";
  Add(app, "--log-level", level, "debug, info, warning or error")
      ->transform(CLI::IsMember(&levels, CLI::ignore_case));
  try {
    app.parse(argc, argv);
    if (Status applied = file.empty() ? Status() : ApplyFile(app, file); !applied.ok()) {
      return OptionsExit{"sluiced: " + applied.message() + "\n", 2};
    }
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const bool is_asked_for = app.exit(error, out, err) == 0;
    return OptionsExit{is_asked_for ? out.str() : "sluiced: " + std::string(error.what()) + "\n",
                       is_asked_for ? 0 : 2};
  }
  options.log_level = levels.at(level);
  options.keepalive_time = std::chrono::milliseconds(ms.keepalive_time);
  options.keepalive_timeout = std::chrono::milliseconds(ms.keepalive_timeout);
  options.probe_interval = std::chrono::milliseconds(ms.probe_interval);
  options.drain_delay = std::chrono::milliseconds(ms.drain_delay);
  options.drain_grace = std::chrono::milliseconds(ms.drain_grace);
  if (const std::string why = WhyNotListen(options); !why.empty()) {
    return OptionsExit{"sluiced: " + why + "\n", 2};
  }
  if (is_printed) return OptionsExit{PrintedConfig(app), 0};
  if (is_checked) return OptionsExit{"sluiced: these options are good\n", 0};
  return options;
}

}  // namespace sluice
