// SPDX-License-Identifier: Apache-2.0
// Every option from every source, and which source wins.
#include "options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/version.h"
#include "tests/daemon/parse.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

// One option: its name without dashes, three values that differ from each other and from the
// default, and how to read it back.
struct Case {
  std::string name;
  std::vector<std::string> values;
  std::function<std::string(const Options&)> read;
  bool is_text = false;  // in TOML in quotes
};

template <class T>
std::string Text(const T& value) {
  return std::to_string(value);
}
std::string Text(std::chrono::milliseconds value) { return std::to_string(value.count()); }
std::string Text(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

const std::vector<Case>& ValuedOptions() {
  static const std::vector<Case> kCases = {
      {"listen",
       {"127.0.0.1:1", "localhost:2", "[::1]:3"},
       [](const Options& o) { return o.listen; },
       true},
      {"http",
       {"127.0.0.1:0", "localhost:2", "[::1]:3"},
       [](const Options& o) { return o.http; },
       true},
      {"log-level",
       {"debug", "warning", "error"},
       [](const Options& o) { return Text(o.log_level); },
       true},
      {"grpc-queues", {"1", "2", "256"}, [](const Options& o) { return Text(o.grpc_queues); }},
      {"keepalive-time-ms",
       {"100", "200", "7200000"},
       [](const Options& o) { return Text(o.keepalive_time); }},
      {"keepalive-timeout-ms",
       {"100", "200", "600000"},
       [](const Options& o) { return Text(o.keepalive_timeout); }},
      {"probe-interval-ms",
       {"0", "100", "3600000"},
       [](const Options& o) { return Text(o.probe_interval); }},
      {"max-streams",
       {"1", "2", "1000000"},
       [](const Options& o) { return Text(o.streams.streams_max); }},
      {"max-streams-per-connection",
       {"1", "2", "1000000"},
       [](const Options& o) { return Text(o.streams.streams_per_connection_max); }},
      {"metrics-channels",
       {"0", "1", "1000"},
       [](const Options& o) { return Text(o.metrics_channels); }},
      {"max-connections",
       {"1", "2", "1000000"},
       [](const Options& o) { return Text(o.connections.connections_max); }},
      {"max-connections-per-address",
       {"1", "2", "1000000"},
       [](const Options& o) { return Text(o.connections.connections_per_address_max); }},
      {"max-streams-per-address",
       {"1", "2", "1000000"},
       [](const Options& o) { return Text(o.streams.streams_per_address_max); }},
      {"default-capacity",
       {"1", "2", "1048576"},
       [](const Options& o) { return Text(o.broker.limits.capacity); }},
      {"default-bytes-max",
       {"1024", "5000", "17179869184"},
       [](const Options& o) { return Text(o.broker.limits.bytes_max); }},
      {"memory-max",
       {"4194304", "5000000", "67108864"},
       [](const Options& o) { return Text(o.memory_max); }},
      {"message-bytes-max",
       {"1024", "2048", "4096"},
       [](const Options& o) { return Text(o.broker.limits.message_bytes_max); }},
      {"default-max-in-flight",
       {"1", "2", "1048576"},
       [](const Options& o) { return Text(o.broker.limits.max_in_flight); }},
      {"max-channels",
       {"1", "2", "10000000"},
       [](const Options& o) { return Text(o.broker.limits.channels_max); }},
      {"max-sessions",
       {"1", "2", "1000000"},
       [](const Options& o) { return Text(o.broker.limits.sessions_max); }},
      {"drain-delay-ms",
       {"1", "2", "600000"},
       [](const Options& o) { return Text(o.drain_delay); }},
      {"drain-grace-ms",
       {"0", "2", "3600000"},
       [](const Options& o) { return Text(o.drain_grace); }},
  };
  return kCases;
}

struct FlagCase {
  std::string name;
  std::function<bool(const Options&)> read;
};

const std::vector<FlagCase>& Flags() {
  static const std::vector<FlagCase> kFlags = {
      {"insecure-bind", [](const Options& o) { return o.insecure_bind; }},
      {"reflection", [](const Options& o) { return o.reflection; }},
      {"remote-admin", [](const Options& o) { return o.remote_admin; }},
      {"auto-declare", [](const Options& o) { return o.broker.auto_declare; }},
  };
  return kFlags;
}

std::string EnvOf(const std::string& name) {
  std::string env = "SLUICE_";
  for (const char c : name) {
    env.push_back(c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return env;
}

std::string TomlOf(const Case& option, const std::string& value) {
  return option.name + " = " + (option.is_text ? '"' + value + '"' : value) + "\n";
}

TEST(Options, WithoutAnythingTheDefaultsHold) {
  const Options options = Accepted(Parse({}));
  EXPECT_EQ(options.listen, "127.0.0.1:7400");
  EXPECT_EQ(options.http, "127.0.0.1:7401");
  EXPECT_EQ(options.grpc_queues, 0u);
  EXPECT_EQ(options.log_level, LogLevel::kInfo);
  EXPECT_EQ(options.keepalive_time, std::chrono::seconds(10));
  EXPECT_EQ(options.keepalive_timeout, std::chrono::seconds(10));
  EXPECT_EQ(options.probe_interval, std::chrono::seconds(5));
  EXPECT_EQ(options.drain_delay, std::chrono::seconds(0));
  EXPECT_EQ(options.drain_grace, std::chrono::seconds(8));
  EXPECT_EQ(options.streams.streams_max, 10'000u);
  EXPECT_EQ(options.streams.streams_per_connection_max, 1'000u);
  EXPECT_EQ(options.streams.streams_per_address_max, 0u);
  EXPECT_EQ(options.connections.connections_max, 10'000u);
  EXPECT_EQ(options.connections.connections_per_address_max, 0u);
  EXPECT_EQ(options.broker.limits.capacity, 1'024u);
  EXPECT_EQ(options.broker.limits.bytes_max, 64u << 20);
  EXPECT_EQ(options.broker.limits.message_bytes_max, 1u << 20);
  EXPECT_EQ(options.broker.limits.max_in_flight, 1'024u);
  for (const FlagCase& flag : Flags()) EXPECT_FALSE(flag.read(options)) << flag.name;
}

TEST(Options, EachFromTheCommandLine) {
  for (const Case& option : ValuedOptions()) {
    for (const std::string& value : option.values) {
      EXPECT_EQ(option.read(Accepted(Parse({"--" + option.name, value}))), value) << option.name;
      EXPECT_EQ(option.read(Accepted(Parse({"--" + option.name + "=" + value}))), value);
    }
  }
  for (const FlagCase& flag : Flags()) {
    EXPECT_TRUE(flag.read(Accepted(Parse({"--" + flag.name})))) << flag.name;
  }
}

TEST(Options, EachFromTheEnvironment) {
  for (const Case& option : ValuedOptions()) {
    for (const std::string& value : option.values) {
      EXPECT_EQ(option.read(Accepted(Parse({}, {{EnvOf(option.name), value}}))), value)
          << option.name;
    }
  }
  for (const FlagCase& flag : Flags()) {
    EXPECT_TRUE(flag.read(Accepted(Parse({}, {{EnvOf(flag.name), "true"}})))) << flag.name;
    EXPECT_TRUE(flag.read(Accepted(Parse({}, {{EnvOf(flag.name), "1"}})))) << flag.name;
    EXPECT_FALSE(flag.read(Accepted(Parse({}, {{EnvOf(flag.name), "false"}})))) << flag.name;
  }
}

TEST(Options, EachFromTheFile) {
  for (const Case& option : ValuedOptions()) {
    for (const std::string& value : option.values) {
      EXPECT_EQ(option.read(Accepted(ParseToml(TomlOf(option, value)))), value) << option.name;
    }
  }
  for (const FlagCase& flag : Flags()) {
    EXPECT_TRUE(flag.read(Accepted(ParseToml(flag.name + " = true")))) << flag.name;
    EXPECT_FALSE(flag.read(Accepted(ParseToml(flag.name + " = false")))) << flag.name;
  }
}

TEST(Options, CommandLineOverEnvironmentOverFile) {
  for (const Case& option : ValuedOptions()) {
    const std::string toml = TomlOf(option, option.values[0]);
    const Environment environment = {{EnvOf(option.name), option.values[1]}};
    EXPECT_EQ(option.read(Accepted(ParseToml(toml, {}, environment))), option.values[1])
        << option.name;
    EXPECT_EQ(
        option.read(Accepted(ParseToml(toml, {"--" + option.name, option.values[2]}, environment))),
        option.values[2])
        << option.name;
  }
  for (const FlagCase& flag : Flags()) {
    EXPECT_FALSE(
        flag.read(Accepted(ParseToml(flag.name + " = true", {}, {{EnvOf(flag.name), "false"}}))))
        << flag.name;
    EXPECT_TRUE(flag.read(Accepted(ParseToml(flag.name + " = false", {"--" + flag.name}))))
        << flag.name;
  }
}

TEST(Options, SourcesAddUp) {
  const Options options = Accepted(
      ParseToml("max-sessions = 7\n", {"--max-streams", "8"}, {{"SLUICE_MAX_CHANNELS", "9"}}));
  EXPECT_EQ(options.broker.limits.sessions_max, 7u);
  EXPECT_EQ(options.streams.streams_max, 8u);
  EXPECT_EQ(options.broker.limits.channels_max, 9u);
}

TEST(Options, ATableIsAPrefix) {
  const Options options = Accepted(
      ParseToml("# how it ends\n[drain]\ndelay-ms = 5\ngrace-ms = 1_000\n[max]\nstreams = 12\n"
                "[max.streams-per]\naddress = 3\n"));
  EXPECT_EQ(options.drain_delay, std::chrono::milliseconds(5));
  EXPECT_EQ(options.drain_grace, std::chrono::milliseconds(1'000));
  EXPECT_EQ(options.streams.streams_max, 12u);
  EXPECT_EQ(options.streams.streams_per_address_max, 3u);
}

TEST(Options, TheFileMayBeNamedInTheEnvironment) {
  const TomlFile file("max-sessions = 21\n");
  const Options options = Accepted(Parse({}, {{"SLUICE_CONFIG", file.path()}}));
  EXPECT_EQ(options.broker.limits.sessions_max, 21u);
  EXPECT_EQ(Accepted(ParseToml("")).broker.limits.sessions_max, 10'000u);  // an empty file
}

TEST(Options, HelpNamesEveryOptionAndEndsWell) {
  const Parsed parsed = Parse({"--help"});
  const auto* help = std::get_if<OptionsExit>(&parsed);
  ASSERT_NE(help, nullptr);
  EXPECT_EQ(help->exit_code, 0);
  for (const Case& option : ValuedOptions()) {
    EXPECT_THAT(help->text, HasSubstr("--" + option.name));
    EXPECT_THAT(help->text, HasSubstr(EnvOf(option.name)));
  }
  for (const FlagCase& flag : Flags()) EXPECT_THAT(help->text, HasSubstr("--" + flag.name));
  EXPECT_THAT(help->text, HasSubstr("--config"));
  EXPECT_THAT(help->text, HasSubstr("127.0.0.1:7400"));  // a default
}

TEST(Options, VersionTellsItAndEndsWell) {
  const Parsed parsed = Parse({"--version"});
  const auto* version = std::get_if<OptionsExit>(&parsed);
  ASSERT_NE(version, nullptr);
  EXPECT_EQ(version->exit_code, 0);
  EXPECT_EQ(version->text, std::string("sluiced ") + kVersion + "\n");
}

}  // namespace
}  // namespace sluice
