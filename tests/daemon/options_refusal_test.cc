// SPDX-License-Identifier: Apache-2.0
// Whatever cannot be is told in one sentence, with exit code 2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "options.h"
#include "tests/daemon/parse.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(OptionsRefusal, AnUnknownOptionIsNamed) {
  EXPECT_THAT(Refused(Parse({"--max-stream", "1"})), HasSubstr("--max-stream"));
  EXPECT_THAT(Refused(Parse({"surplus"})), HasSubstr("surplus"));
}

TEST(OptionsRefusal, AMissingValueIsNamed) {
  EXPECT_THAT(Refused(Parse({"--max-streams"})), HasSubstr("--max-streams"));
}

TEST(OptionsRefusal, AnOptionTwiceIsNamed) {
  EXPECT_THAT(Refused(Parse({"--max-streams", "1", "--max-streams", "2"})),
              HasSubstr("--max-streams"));
}

struct Bound {
  std::string name;
  std::string least;
  std::string most;
};

const std::vector<Bound>& Bounds() {
  static const std::vector<Bound> kBounds = {
      {"grpc-queues", "0", "256"},
      {"keepalive-time-ms", "100", "7200000"},
      {"keepalive-timeout-ms", "100", "600000"},
      {"probe-interval-ms", "0", "3600000"},
      {"max-streams", "1", "1000000"},
      {"max-streams-per-connection", "1", "1000000"},
      {"max-streams-per-address", "0", "1000000"},
      {"default-capacity", "1", "1048576"},
      {"default-bytes-max", "1024", "17179869184"},
      {"memory-max", "4194304", "1125899906842624"},
      {"message-bytes-max", "1024", "1048576"},
      {"default-max-in-flight", "1", "1048576"},
      {"max-channels", "1", "10000000"},
      {"max-sessions", "1", "1000000"},
      {"drain-delay-ms", "0", "600000"},
      {"drain-grace-ms", "0", "3600000"},
  };
  return kBounds;
}

TEST(OptionsRefusal, OutOfItsBoundsNamesOptionAndBound) {
  for (const Bound& bound : Bounds()) {
    const std::string flag = "--" + bound.name;
    Accepted(Parse({flag, bound.least}));
    Accepted(Parse({flag, bound.most}));
    const std::string over = std::to_string(std::stoll(bound.most) + 1);
    EXPECT_THAT(Refused(Parse({flag, over})),
                AllOf(HasSubstr(flag), HasSubstr(over), HasSubstr(bound.most)));
    if (bound.least != "0") {
      const std::string under = std::to_string(std::stoll(bound.least) - 1);
      EXPECT_THAT(Refused(Parse({flag, under})),
                  AllOf(HasSubstr(flag), HasSubstr(under), HasSubstr(bound.least)));
    }
    EXPECT_THAT(Refused(Parse({flag, "-1"})), HasSubstr(flag));
    EXPECT_THAT(Refused(Parse({flag, "99999999999999999999999999"})), HasSubstr(flag));
  }
}

TEST(OptionsRefusal, NotANumberNamesTheOption) {
  for (const Bound& bound : Bounds()) {
    for (const char* value : {"many", "1x", "1.5", ""}) {
      EXPECT_THAT(Refused(Parse({"--" + bound.name + "=" + value})), HasSubstr(bound.name))
          << value;
    }
  }
}

TEST(OptionsRefusal, TheEnvironmentIsCheckedToo) {
  EXPECT_THAT(Refused(Parse({}, {{"SLUICE_MAX_STREAMS", "0"}})),
              AllOf(HasSubstr("max-streams"), HasSubstr("1000000")));
  EXPECT_THAT(Refused(Parse({}, {{"SLUICE_MAX_STREAMS", "many"}})), HasSubstr("max-streams"));
  EXPECT_THAT(Refused(Parse({}, {{"SLUICE_REFLECTION", "perhaps"}})), HasSubstr("reflection"));
}

TEST(OptionsRefusal, ALogLevelIsOneOfFour) {
  EXPECT_THAT(Refused(Parse({"--log-level", "loud"})),
              AllOf(HasSubstr("--log-level"), HasSubstr("loud")));
  EXPECT_THAT(Refused(Parse({"--log-level", "7"})), HasSubstr("--log-level"));
}

TEST(OptionsRefusal, PlaintextBeyondLoopbackMustBeAllowed) {
  for (const char* address : {"0.0.0.0:7400", "[::]:7400", "192.0.2.1:7400", "example.org:7400",
                              "1270.0.0.1:7400", "localhost.example.org:7400"}) {
    EXPECT_THAT(Refused(Parse({"--listen", address})),
                AllOf(HasSubstr(address), HasSubstr("--insecure-bind")));
    EXPECT_EQ(Accepted(Parse({"--listen", address, "--insecure-bind"})).listen, address);
  }
  for (const char* address : {"127.0.0.1:0", "127.9.9.9:1", "localhost:1", "[::1]:1"}) {
    EXPECT_EQ(Accepted(Parse({"--listen", address})).listen, address);
  }
}

TEST(OptionsRefusal, WhatIsNoAddressIsNamed) {
  for (const char* address : {"7400", "localhost", "::1:7400", "localhost:70000", ":7400"}) {
    EXPECT_THAT(Refused(Parse({"--listen", address})),
                AllOf(HasSubstr("--listen"), HasSubstr(address), HasSubstr("HOST:PORT")));
  }
  EXPECT_EQ(Accepted(Parse({"--listen", "unix:/tmp/sluice"})).listen, "unix:/tmp/sluice");
}

TEST(OptionsRefusal, TheHttpPortIsHeldToTheSame) {
  for (const char* address : {"0.0.0.0:7401", "[::]:0", "example.org:7401"}) {
    EXPECT_THAT(Refused(Parse({"--http", address})),
                AllOf(HasSubstr("--http"), HasSubstr(address), HasSubstr("--insecure-bind")));
    EXPECT_EQ(Accepted(Parse({"--http", address, "--insecure-bind"})).http, address);
  }
  for (const char* address : {"7401", "on", "localhost", "unix:/tmp/http", "127.0.0.1:70000"}) {
    EXPECT_THAT(Refused(Parse({"--http", address})),
                AllOf(HasSubstr("--http"), HasSubstr(address), HasSubstr("off")));
  }
}

TEST(OptionsRefusal, NoHttpPortIsAChoice) {
  EXPECT_EQ(Accepted(Parse({"--http", "off"})).http, "");
  EXPECT_EQ(Accepted(Parse({"--http", ""})).http, "");
  EXPECT_EQ(Accepted(Parse({}, {{"SLUICE_HTTP", "off"}})).http, "");
}

TEST(OptionsRefusal, MemoryIsSaidInUnitsOrLeftToTheMachine) {
  EXPECT_EQ(Accepted(Parse({"--memory-max", "64MiB"})).memory_max, 64u << 20);
  EXPECT_EQ(Accepted(ParseToml("memory-max = \"1 GiB\"")).memory_max, 1u << 30);
  EXPECT_EQ(Accepted(Parse({}, {{"SLUICE_MEMORY_MAX", "0"}})).memory_max, 0u);
  EXPECT_THAT(Refused(Parse({"--memory-max", "64 apples"})), HasSubstr("--memory-max"));
}

// A name may begin as a loopback address does.
TEST(OptionsRefusal, ANameIsNoAddress) {
  EXPECT_THAT(Refused(Parse({"--listen", "127.example.org:7400"})), HasSubstr("--insecure-bind"));
}

TEST(OptionsRefusal, AFileThatCannotBeReadIsNamed) {
  EXPECT_THAT(Refused(Parse({"--config", "/nowhere/sluice.toml"})),
              HasSubstr("/nowhere/sluice.toml"));
  EXPECT_THAT(Refused(Parse({}, {{"SLUICE_CONFIG", "/nowhere/sluice.toml"}})),
              HasSubstr("/nowhere/sluice.toml"));
  EXPECT_THAT(Refused(Parse({"--config", ::testing::TempDir()})), HasSubstr(::testing::TempDir()));
}

TEST(OptionsRefusal, BadTomlNamesItsLine) {
  EXPECT_THAT(Refused(ParseToml("max-streams = 5\nmax-sessions =\n")), HasSubstr("line 2"));
  EXPECT_THAT(Refused(ParseToml("\n\n[unclosed\n")), HasSubstr("line 3"));
  EXPECT_THAT(Refused(ParseToml("max-streams = 5\nmax-streams = 6\n")), HasSubstr("line 2"));
}

TEST(OptionsRefusal, AnUnknownKeyIsNamed) {
  EXPECT_THAT(Refused(ParseToml("max-stream = 5\n")),
              AllOf(HasSubstr("max-stream"), Not(HasSubstr("INI"))));
  EXPECT_THAT(Refused(ParseToml("[drain]\ngrace = 5\n")), HasSubstr("drain-grace"));
  EXPECT_THAT(Refused(ParseToml("MAX-STREAMS = 5\n")), HasSubstr("MAX-STREAMS"));
}

TEST(OptionsRefusal, AValueOfAnotherTypeNamesItsKey) {
  EXPECT_THAT(Refused(ParseToml("max-streams = \"many\"\n")), HasSubstr("max-streams"));
  EXPECT_THAT(Refused(ParseToml("max-streams = 1.5\n")), HasSubstr("max-streams"));
  EXPECT_THAT(Refused(ParseToml("max-streams = true\n")), HasSubstr("max-streams"));
  EXPECT_THAT(Refused(ParseToml("max-streams = [5]\n")), HasSubstr("max-streams"));
  EXPECT_THAT(Refused(ParseToml("max-streams = 1979-05-27\n")), HasSubstr("max-streams"));
  EXPECT_THAT(Refused(ParseToml("reflection = \"perhaps\"\n")), HasSubstr("reflection"));
  EXPECT_THAT(Refused(ParseToml("reflection = 3\n")), HasSubstr("reflection"));
  EXPECT_THAT(Refused(ParseToml("listen = 7400\n")), HasSubstr("listen"));
  EXPECT_THAT(Refused(ParseToml("listen = [\"127.0.0.1:1\"]\n")), HasSubstr("listen"));
  EXPECT_THAT(Refused(ParseToml("log-level = 3\n")), HasSubstr("log-level"));
}

TEST(OptionsRefusal, TheFileIsHeldToTheBounds) {
  EXPECT_THAT(Refused(ParseToml("max-streams = 0\n")),
              AllOf(HasSubstr("max-streams"), HasSubstr("1000000")));
  EXPECT_THAT(Refused(ParseToml("listen = \"0.0.0.0:1\"\n")), HasSubstr("--insecure-bind"));
}

}  // namespace
}  // namespace sluice
