// SPDX-License-Identifier: Apache-2.0
// What `sluice bench` measures and checks with: payloads, account, histogram, pace.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "client/cli/bench/account.h"
#include "client/cli/bench/checked_payload.h"
#include "client/cli/bench/histogram.h"
#include "client/cli/bench/pace.h"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kRun = 77;

std::string Filled(std::uint64_t producer, std::uint64_t sequence, std::size_t size = 128) {
  std::string payload(size, '\0');
  FillPayload({kRun, producer, sequence, 1234}, payload);
  return payload;
}

TEST(CheckedPayload, ReadsWhatWasFilledAtEverySize) {
  for (std::size_t size = kPayloadBytesMin; size < kPayloadBytesMin + 20; ++size) {
    const auto head = ReadPayload(Filled(3, 9, size));
    ASSERT_TRUE(head.has_value()) << size;
    EXPECT_EQ(*head, (PayloadHead{kRun, 3, 9, 1234}));
  }
}

TEST(CheckedPayload, SeesEveryFlippedBitASwapAndACut) {
  const std::string whole = Filled(3, 9, 61);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bad = whole;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(ReadPayload(bad).has_value()) << bit;
  }
  std::string swapped = whole;
  std::swap_ranges(swapped.begin() + 32, swapped.begin() + 40, swapped.begin() + 40);
  EXPECT_FALSE(ReadPayload(swapped).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(ReadPayload(std::string_view(whole).substr(0, size)).has_value()) << size;
}

TEST(Account, CountsWhatIsWhole) {
  Account account(kRun, 2);
  for (std::uint64_t sequence = 0; sequence < 1000; ++sequence) {
    EXPECT_TRUE(account.Take(Filled(0, sequence)).has_value());
    EXPECT_TRUE(account.Take(Filled(1, sequence)).has_value());
  }
  EXPECT_EQ(account.distinct(), 2000u);
  EXPECT_EQ(account.duplicates() + account.out_of_order() + account.corrupt(), 0u);
  EXPECT_TRUE(account.Has(1, 999));
  EXPECT_FALSE(account.Has(1, 1000));
}

TEST(Account, SeesAPlantedCorruptionAndWhatIsNotOfItsRun) {
  Account account(kRun, 1);
  std::string bad = Filled(0, 0);
  bad[50] = static_cast<char>(bad[50] ^ 4);
  EXPECT_FALSE(account.Take(bad).has_value());
  std::string other(128, '\0');
  FillPayload({kRun + 1, 0, 0, 0}, other);
  EXPECT_FALSE(account.Take(other).has_value());
  EXPECT_FALSE(account.Take(Filled(1, 0)).has_value());  // There is no such producer.
  EXPECT_FALSE(account.Take("").has_value());
  EXPECT_EQ(account.corrupt(), 4u);
  EXPECT_EQ(account.distinct(), 0u);
}

TEST(Account, SeesDuplicatesAndOrderOfEachProducer) {
  Account account(kRun, 2);
  for (const std::uint64_t sequence : {5, 6, 4, 5}) account.Take(Filled(0, sequence));
  account.Take(Filled(1, 0));  // Its own order.
  EXPECT_EQ(account.distinct(), 4u);
  EXPECT_EQ(account.duplicates(), 1u);
  EXPECT_EQ(account.out_of_order(), 1u);
}

TEST(Account, SeesWhatTwoEndsBothGot) {
  Account first(kRun, 1);
  Account second(kRun, 1);
  for (const std::uint64_t sequence : {0, 2, 3}) first.Take(Filled(0, sequence));
  for (const std::uint64_t sequence : {1, 3, 900}) second.Take(Filled(0, sequence));
  Account together(kRun, 1);
  together.Add(first);
  together.Add(second);
  EXPECT_EQ(together.distinct(), 5u);
  EXPECT_EQ(together.duplicates(), 1u);
  EXPECT_EQ(together.out_of_order(), 0u);
}

TEST(Histogram, PercentilesAreThoseOfTheSortedValues) {
  constexpr std::uint64_t kSeed = 20;
  std::mt19937_64 random(kSeed);
  std::vector<std::uint64_t> values;
  Histogram first;
  Histogram second;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(random() >> (random() % 60 + 4));
    (i % 2 == 0 ? first : second).Record(values.back());
  }
  first.Add(second);
  std::sort(values.begin(), values.end());
  ASSERT_EQ(first.count(), values.size());
  EXPECT_EQ(first.max(), values.back());
  for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = static_cast<std::size_t>(
        std::max(std::ceil(percent / 100 * static_cast<double>(values.size())), 1.0));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto told = static_cast<double>(first.Percentile(percent));
    EXPECT_GE(told, exact) << percent;
    EXPECT_LE(told, exact * 1.004) << percent;
  }
}

TEST(Histogram, HasRoomForEverythingAndIsExactWhereItIsSmall) {
  Histogram histogram;
  EXPECT_EQ(histogram.Percentile(50), 0u);
  for (std::uint64_t ns = 1; ns <= 511; ++ns) histogram.Record(ns);
  EXPECT_EQ(histogram.Percentile(50), 256u);
  EXPECT_DOUBLE_EQ(histogram.mean(), 256);
  histogram.Record(UINT64_MAX);
  EXPECT_EQ(histogram.Percentile(100), UINT64_MAX);
}

TEST(Pace, IntendedTimesAreThePlanHoweverLateItIs) {
  Halt halt;
  PacePlan plan;
  plan.rate = 1000;
  plan.batch = 2;
  plan.messages = 6;
  plan.producer = 1;
  plan.producers = 2;
  plan.begin_ns = 1'000'000'000;  // Long past: everything is overdue, nothing is left out.
  Pace pace(plan, halt);
  std::vector<std::uint64_t> due;
  while (pace.Next()) due.push_back((pace.intended_ns() - plan.begin_ns) / 1'000'000);
  EXPECT_EQ(due, (std::vector<std::uint64_t>{2, 2, 6, 6, 10, 10}));
}

TEST(Pace, EndsWithItsDurationOrWhenItIsHalted) {
  Halt halt;
  PacePlan plan;
  plan.rate = 100;
  plan.duration_s = 0.5;
  plan.begin_ns = 1;
  Pace pace(plan, halt);
  while (pace.Next()) {
  }
  EXPECT_EQ(pace.count(), 50u);

  plan.begin_ns = NowNs() + 3'600'000'000'000;  // In an hour.
  Pace far(plan, halt);
  halt.Raise();
  EXPECT_FALSE(far.Next());
}

TEST(Pace, AtFullSpeedNowIsMeant) {
  Halt halt;
  PacePlan plan;
  plan.messages = 3;
  Pace pace(plan, halt);
  const std::uint64_t before = NowNs();
  while (pace.Next()) EXPECT_GE(pace.intended_ns(), before);
  EXPECT_EQ(pace.sequence(), 2u);
}

}  // namespace
}  // namespace sluice::bench
