// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

// Everything that is logged between Begin and End, parsed: a line that is not JSON fails the test.
class LogTest : public ::testing::Test {
 protected:
  void SetUp() override { ::testing::internal::CaptureStderr(); }
  void Begin(LogLevel least = LogLevel::kDebug) { StartLog(least); }
  std::vector<json> End() {
    StopLog();
    std::istringstream text(::testing::internal::GetCapturedStderr());
    ::testing::internal::CaptureStderr();
    std::vector<json> lines;
    for (std::string line; std::getline(text, line);) {
      lines.push_back(json::parse(line, nullptr, /*allow_exceptions=*/false));
      EXPECT_TRUE(lines.back().is_object()) << line;
    }
    return lines;
  }
  void TearDown() override { ::testing::internal::GetCapturedStderr(); }
};

TEST_F(LogTest, ALineIsAnObjectWithTimeLevelEventAndFields) {
  Begin();
  Log(LogLevel::kInfo, "queue_declared", "a queue was declared",
      {{"queue", std::string_view("orders")},
       {"capacity", std::uint64_t{18'446'744'073'709'551'615u}},
       {"delta", std::int64_t{-5}},
       {"shared", true}});
  const std::vector<json> lines = End();
  ASSERT_THAT(lines, SizeIs(1));
  const json& line = lines[0];
  EXPECT_THAT(line["ts"].get<std::string>(), MatchesRegex("....-..-..T..:..:..\\.......Z"));
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["event"], "queue_declared");
  EXPECT_EQ(line["msg"], "a queue was declared");
  EXPECT_EQ(line["queue"], "orders");
  EXPECT_EQ(line["capacity"], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(line["delta"], -5);
  EXPECT_EQ(line["shared"], true);
  EXPECT_EQ(line.size(), 8u);
}

TEST_F(LogTest, LevelsAreNamedAndThoseBelowTheLeastAreDropped) {
  const auto log_all = [] {
    Log(LogLevel::kDebug, "e", "m");
    Log(LogLevel::kInfo, "e", "m");
    Log(LogLevel::kWarning, "e", "m");
    Log(LogLevel::kError, "e", "m");
  };
  const auto names = [](const std::vector<json>& lines) {
    std::vector<std::string> out;
    for (const json& line : lines) out.push_back(line["level"]);
    return out;
  };
  Begin(LogLevel::kDebug);
  log_all();
  EXPECT_THAT(names(End()), ElementsAre("debug", "info", "warning", "error"));
  Begin(LogLevel::kWarning);
  log_all();
  EXPECT_THAT(names(End()), ElementsAre("warning", "error"));
}

TEST_F(LogTest, BeforeTheStartAndAfterTheStopLinesAreDropped) {
  Log(LogLevel::kError, "early", "m");
  Begin();
  Log(LogLevel::kInfo, "in_time", "m");
  const std::vector<json> lines = End();
  Log(LogLevel::kError, "late", "m");
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0]["event"], "in_time");
  Begin();
  EXPECT_THAT(End(), SizeIs(0));
}

TEST_F(LogTest, WhatAClientSentCannotForgeALineOrAField) {
  const std::string evil = "a\"b\\c\nd\r\te\x01\x7f%v%l{}{0}\",\"level\":\"forged";
  Begin();
  Log(LogLevel::kInfo, "e", evil, {{"name", std::string_view(evil)}});
  const std::vector<json> lines = End();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0]["msg"], evil);
  EXPECT_EQ(lines[0]["name"], evil);
  EXPECT_EQ(lines[0]["level"], "info");
}

TEST_F(LogTest, AZeroByteIsKept) {
  const std::string text("a\0b", 3);
  Begin();
  Log(LogLevel::kInfo, "e", text);
  const std::vector<json> lines = End();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0]["msg"], text);
}

TEST_F(LogTest, BytesThatAreNotUtf8AreReplaced) {
  Begin();
  Log(LogLevel::kInfo, "e", "x\xffy", {{"cut", std::string_view("\xe2\x82")}});
  Log(LogLevel::kInfo, "e", "\xc3\xa9");  // valid: kept
  const std::vector<json> lines = End();
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0]["msg"], "x\xef\xbf\xbdy");
  EXPECT_EQ(lines[0]["cut"], "\xef\xbf\xbd");
  EXPECT_EQ(lines[1]["msg"], "\xc3\xa9");
}

// More than the log can hold: whoever logs goes on, and what is written is whole.
TEST_F(LogTest, ManyThreadsLogWithoutTearingALine) {
  constexpr int kThreads = 3;
  constexpr int kLines = 4'000;
  Begin();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([i] {
      for (int n = 0; n < kLines; ++n) {
        Log(LogLevel::kInfo, "e", "m", {{"thread", std::int64_t{i}}, {"n", std::int64_t{n}}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<json> lines = End();
  EXPECT_GT(lines.size(), 0u);
  EXPECT_LE(lines.size(), std::size_t{kThreads * kLines});
  std::vector<int> last(kThreads, -1);
  for (const json& line : lines) {
    const auto thread = line["thread"].get<std::size_t>();
    const int n = line["n"].get<int>();
    EXPECT_GT(n, last.at(thread));  // the order of each is kept
    last.at(thread) = n;
  }
}

}  // namespace
}  // namespace sluice
