// SPDX-License-Identifier: Apache-2.0
#include "liveness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Liveness, IsReadyWhileItServes) {
  Liveness liveness;
  EXPECT_TRUE(liveness.is_alive());
  EXPECT_FALSE(liveness.is_ready());
  EXPECT_THAT(liveness.why_not_ready(), HasSubstr("starting"));
  liveness.SetStage(Liveness::Stage::kServing);
  EXPECT_TRUE(liveness.is_ready());
  EXPECT_EQ(liveness.why_not_ready(), "");
  EXPECT_EQ(liveness.why_not_alive(), "");
  liveness.SetStage(Liveness::Stage::kDraining);
  EXPECT_FALSE(liveness.is_ready());
  EXPECT_TRUE(liveness.is_alive());
  EXPECT_THAT(liveness.why_not_ready(), HasSubstr("going down"));
}

TEST(Liveness, DiesOfThreeMissesInARowAndOfNoFewer) {
  std::vector<bool> changes;
  Liveness liveness;
  liveness.OnChange([&changes](bool is_alive) { changes.push_back(is_alive); });
  liveness.SetStage(Liveness::Stage::kServing);
  for (int i = 0; i < 10; ++i) {
    liveness.Judge("no answer", 1);
    liveness.Judge("no answer", 1);
    EXPECT_TRUE(liveness.is_ready());
    liveness.Judge("", 7);
  }
  EXPECT_THAT(changes, ElementsAre());
  liveness.Judge("no answer", 1);
  liveness.Judge("no answer", 1);
  liveness.Skip();  // tells nothing, so it does not break the row either
  liveness.Judge("worker 1 does not run", 1);
  EXPECT_FALSE(liveness.is_alive());
  EXPECT_FALSE(liveness.is_ready());
  EXPECT_THAT(liveness.why_not_alive(), HasSubstr("worker 1 does not run"));
  EXPECT_EQ(liveness.why_not_ready(), liveness.why_not_alive());
  liveness.Judge("no answer", 1);
  EXPECT_THAT(changes, ElementsAre(false));
  const Liveness::Counts counts = liveness.counts();
  EXPECT_EQ(counts.rounds, 34u);
  EXPECT_EQ(counts.missed, 24u);
  EXPECT_EQ(counts.missed_in_a_row, 4u);
  EXPECT_EQ(counts.void_rounds, 1u);
  EXPECT_EQ(counts.answer_us, 7u);
}

TEST(Liveness, OneGoodRoundBringsItBack) {
  std::vector<bool> changes;
  Liveness liveness;
  liveness.OnChange([&changes](bool is_alive) { changes.push_back(is_alive); });
  liveness.SetStage(Liveness::Stage::kServing);
  for (int i = 0; i < 3; ++i) liveness.Judge("no answer", 1);
  liveness.Judge("", 1);
  EXPECT_TRUE(liveness.is_ready());
  EXPECT_EQ(liveness.why_not_alive(), "");
  EXPECT_THAT(changes, ElementsAre(false, true));
}

}  // namespace
}  // namespace sluice
