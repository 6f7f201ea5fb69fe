// SPDX-License-Identifier: Apache-2.0
// What the pages are made from, around a broker under a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "admin/http_limits.h"
#include "admin/pages.h"
#include "tests/support/manual_clock.h"

namespace sluice::admin {

class AdminFixture : public ::testing::Test {
 protected:
  AdminFixture() { AddPages(sources, limits, router); }

  Response Get(const std::string& text) const {
    const Result<Target> target = Target::Parse(text);
    if (!target) return Refusal(target.error());
    return router.Answer(*target);
  }
  // Requires: 200.
  nlohmann::json Json(const std::string& text) const {
    const Response response = Get(text);
    EXPECT_EQ(response.status, 200) << text << ": " << response.body;
    return nlohmann::json::parse(response.body);
  }
  // The reason of a refusal, and "" if it has not this status.
  std::string Reason(int status, const std::string& text) const {
    const Response response = Get(text);
    if (response.status != status) return "";
    return nlohmann::json::parse(response.body)["error"]["reason"];
  }

  testing::ManualClock clock;
  broker::Broker broker{{}, clock};
  rpc::StreamTable streams{rpc::StreamLimits{}};
  rpc::Connections connections{rpc::ConnectionLimits{}, clock};
  rpc::CallStats calls{{{"unknown", "unknown", rpc::CallType::kUnary},
                        {"s.S", "Send", rpc::CallType::kUnary},
                        {"s.S", "SendStream", rpc::CallType::kBidiStream}},
                       2};
  HttpCounts counts;
  HttpLimits limits;
  std::string not_alive;
  std::string not_ready;
  SelfChecks checks;
  const Sources sources{.clock = clock,
                        .broker = broker,
                        .streams = streams,
                        .connections = connections,
                        .calls = calls,
                        .http = counts,
                        .metrics_channels = 10,
                        .started = clock.Now(),
                        .started_unix_us = clock.UnixMicros(),
                        .workers = 2,
                        .bounds = {{"streams_max", 10'000}, {"headers_max", 64}},
                        .why_not_alive = [this] { return not_alive; },
                        .why_not_ready = [this] { return not_ready; },
                        .self_checks = [this] { return checks; }};
  Router router;
};

}  // namespace sluice::admin
