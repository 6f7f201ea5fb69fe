// SPDX-License-Identifier: Apache-2.0
// Which names a pattern means, and which texts are none.
#include "broker/pattern.h"

#include <gtest/gtest.h>

namespace sluice::broker {
namespace {

bool Matches(const char* pattern, const char* name) {
  auto parsed = Pattern::Parse("pattern", pattern);
  EXPECT_TRUE(parsed.ok()) << pattern;
  return parsed.ok() && parsed->Matches(name);
}

Status Refusal(std::string text) {
  auto parsed = Pattern::Parse("pattern", std::move(text));
  return parsed.ok() ? Status() : parsed.error();
}

TEST(Pattern, ANameMatchesItself) {
  EXPECT_TRUE(Matches("orders", "orders"));
  EXPECT_TRUE(Matches("orders.eu/west", "orders.eu/west"));
  EXPECT_FALSE(Matches("orders", "order"));
  EXPECT_FALSE(Matches("orders", "orders.eu"));
  EXPECT_FALSE(Matches("orders.eu", "orders"));
}

TEST(Pattern, AStarIsOneToken) {
  EXPECT_TRUE(Matches("orders.*.eu", "orders.new.eu"));
  EXPECT_FALSE(Matches("orders.*.eu", "orders.eu"));
  EXPECT_FALSE(Matches("orders.*.eu", "orders.new.old.eu"));
  EXPECT_FALSE(Matches("orders.*.eu", "orders.new.us"));
  EXPECT_TRUE(Matches("*", "orders"));
  EXPECT_FALSE(Matches("*", "orders.eu"));
  EXPECT_TRUE(Matches("*.*", "orders.eu"));
  EXPECT_FALSE(Matches("orders.*", "orders"));
}

TEST(Pattern, AGreaterThanIsOneTokenOrMore) {
  EXPECT_TRUE(Matches(">", "orders"));
  EXPECT_TRUE(Matches(">", "orders.eu.new"));
  EXPECT_TRUE(Matches("orders.>", "orders.eu"));
  EXPECT_TRUE(Matches("orders.>", "orders.eu.new"));
  EXPECT_FALSE(Matches("orders.>", "orders"));
  EXPECT_FALSE(Matches("orders.>", "ordersx.eu"));
  EXPECT_TRUE(Matches("*.eu.>", "orders.eu.new"));
}

TEST(Pattern, AWildcardInTheFirstPlaceDoesNotMeanTheBrokersOwn) {
  EXPECT_FALSE(Matches(">", "_broker.stats"));
  EXPECT_FALSE(Matches("*.stats", "_broker.stats"));
  EXPECT_TRUE(Matches("_broker.*", "_broker.stats"));
  EXPECT_TRUE(Matches("orders.*", "orders._new"));
}

TEST(Pattern, WhatIsNoneSaysWhy) {
  for (const char* text : {"", ".", "a.", ".a", "a..b", "a.>.b", ">.a", "a*", "*a.b", "a.b>", "**",
                           "a b", "a.\x01", "a.\xC3\xA4", ">>"}) {
    const Status refused = Refusal(text);
    EXPECT_EQ(refused.code(), Code::kInvalidArgument) << text;
    EXPECT_EQ(refused.reason(), "INVALID_FIELD") << text;
    ASSERT_FALSE(refused.details().empty());
    EXPECT_EQ(refused.details()[0].second, "pattern");
  }
  EXPECT_TRUE(Refusal(std::string(255, 'a')).ok());
  EXPECT_EQ(Refusal(std::string(256, 'a')).reason(), "OUT_OF_BOUNDS");
}

}  // namespace
}  // namespace sluice::broker
