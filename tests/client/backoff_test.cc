// SPDX-License-Identifier: Apache-2.0
#include "backoff.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::milliseconds;

ReconnectOptions Always(double drawn) {
  ReconnectOptions options;
  options.random = [drawn] { return drawn; };
  return options;
}

TEST(BackoffTest, TheBoundGrowsByTheFactorUpToTheCap) {
  Backoff backoff(Always(1));
  std::vector<milliseconds::rep> bounds;
  for (int i = 0; i < 9; ++i) bounds.push_back(backoff.Next({}).count());
  EXPECT_EQ(bounds,
            (std::vector<milliseconds::rep>{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000}));
  backoff.Reset();
  EXPECT_EQ(backoff.Next({}).count(), 100);
}

TEST(BackoffTest, TheDelayIsAnythingUpToTheBound) {
  Backoff none(Always(0));
  EXPECT_EQ(none.Next({}).count(), 0);
  Backoff quarter(Always(0.25));
  EXPECT_EQ(quarter.Next({}).count(), 25);
  EXPECT_EQ(quarter.Next({}).count(), 50);
}

TEST(BackoffTest, WhatTheDaemonAsksForIsWaitedAtLeast) {
  Backoff backoff(Always(0.5));
  EXPECT_EQ(backoff.Next(milliseconds(1000)).count(), 1050);
}

TEST(BackoffTest, ItsOwnGeneratorStaysInBounds) {
  Backoff backoff((ReconnectOptions()));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LE(backoff.Next({}).count(), 100);
    backoff.Reset();
  }
}

TEST(BackoffTest, OptionsThatMakeNoSenseAreNamed) {
  ReconnectOptions options;
  EXPECT_TRUE(Check(options).ok());
  options.base = milliseconds(0);
  EXPECT_EQ(Check(options).details().at("field"), "reconnect.base");
  options = {};
  options.factor = 0.5;
  EXPECT_EQ(Check(options).details().at("field"), "reconnect.factor");
  options = {};
  options.cap = milliseconds(99);
  EXPECT_EQ(Check(options).details().at("field"), "reconnect.cap");
}

}  // namespace
}  // namespace sluice
