// SPDX-License-Identifier: Apache-2.0
#include "admin/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "admin/host_check.h"
#include "admin/pace.h"

namespace sluice::admin {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Route Saying(const std::string& text) {
  return {.handler =
              [text](const Request& r) {
                return Response{200, "text/plain", text + std::string(r.name)};
              },
          .parameters = {"known"}};
}

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router.Add("/a", Saying("exact"));
    router.AddUnder("/a/", Saying("under "));
    router.Add("/urgent", {.handler = [](const Request&) { return Response{}; },
                           .parameters = {},
                           .cost = Cost::kUrgent});
    router.Add("/throws",
               {.handler = [](const Request&) -> Response { throw std::runtime_error("secret"); },
                .parameters = {}});
  }
  Response Get(const std::string& text) const { return router.Answer(*Target::Parse(text)); }

  Router router;
};

TEST_F(RouterTest, APathIsExactOrGoesOn) {
  EXPECT_EQ(Get("/a").body, "exact");
  EXPECT_EQ(Get("/a?known=1").body, "exact");
  EXPECT_EQ(Get("/a/b").body, "under b");
  EXPECT_EQ(Get("/a/b/c").body, "under b/c");
  EXPECT_THAT(router.paths(), ElementsAre("/a", "/throws", "/urgent", "/a/NAME"));
}

TEST_F(RouterTest, WhatThereIsNotIsNotFound) {
  for (const char* text : {"/", "/ab", "/a/", "//a", "/A", "/b/a"}) {
    EXPECT_EQ(Get(text).status, 404) << text;
  }
}

TEST_F(RouterTest, AnUnknownParameterIsNamed) {
  const Response response = Get("/a?unknown=1");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("unknown"));
}

TEST_F(RouterTest, AHandlerThatThrowsTellsNothingOfIt) {
  const Response response = Get("/throws");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, ::testing::Not(HasSubstr("secret")));
}

TEST_F(RouterTest, OnlyWhatSaysSoIsUrgent) {
  EXPECT_EQ(router.CostOf(*Target::Parse("/urgent")), Cost::kUrgent);
  EXPECT_EQ(router.CostOf(*Target::Parse("/a")), Cost::kPaced);
  EXPECT_EQ(router.CostOf(*Target::Parse("/none")), Cost::kPaced);
}

TEST(Refusal, HasTheStatusOfItsCodeAndItsDetails) {
  const std::pair<Code, int> kStatuses[] = {
      {Code::kInvalidArgument, 400},  {Code::kNotFound, 404},
      {Code::kPermissionDenied, 403}, {Code::kFailedPrecondition, 409},
      {Code::kUnavailable, 503},      {Code::kResourceExhausted, 503},
      {Code::kInternal, 500}};
  for (const auto& [code, status] : kStatuses) {
    const Response response = Refusal(Status(code, "WHY", "because").With("field", "capacity"));
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body,
              "{\"error\":{\"reason\":\"WHY\",\"message\":\"because\",\"field\":\"capacity\"}}\n");
  }
}

TEST(HostCheck, LoopbackByNameOrNumber) {
  for (const char* host : {"localhost", "localhost:7401", "LOCALHOST:1", "127.0.0.1",
                           "127.0.0.1:7401", "[::1]", "[::1]:7401"}) {
    EXPECT_TRUE(IsLoopbackHostHeader(host)) << host;
  }
  for (const char* host : {"", "evil.example", "evil.example:7401", "127.0.0.1.evil.example",
                           "localhost.evil.example:7401", "10.0.0.1:7401", "[::2]:7401",
                           "localhost:7401:7401", "127.0.0.1 evil.example"}) {
    EXPECT_FALSE(IsLoopbackHostHeader(host)) << host;
  }
}

TEST(Pace, AQuarterOfTheTimeAtMost) {
  Pace pace;
  TimePoint now{};
  now += std::chrono::hours(1);
  EXPECT_EQ(pace.Wait(now), Duration::zero()) << "the first is made at once";
  pace.Spent(now, now + milliseconds(20));
  now += milliseconds(20);
  EXPECT_EQ(pace.Wait(now), milliseconds(60));
  EXPECT_EQ(pace.Wait(now + milliseconds(59)), milliseconds(1));
  EXPECT_EQ(pace.Wait(now + milliseconds(60)), Duration::zero());
  pace.Spent(now, now);
  EXPECT_GT(pace.Wait(now), Duration::zero()) << "no page is for nothing";
}

}  // namespace
}  // namespace sluice::admin
