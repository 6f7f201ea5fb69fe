// SPDX-License-Identifier: Apache-2.0
// Goal: what the scanner accepts, the generated class parses, with the same content; what it
// refuses beyond that is of a documented class. Method: random frames, whole and damaged, with the
// seed printed.
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/support/seed.h"
#include "tests/wire/agreement.h"
#include "tests/wire/random_frame.h"

namespace sluice::wire {
namespace {

constexpr int kRounds = 60'000;
constexpr ScanLimits kTinyLimits{.frame_bytes_max = 200,
                                 .messages_max = 2,
                                 .message_bytes_max = 40,
                                 .headers_max = 1,
                                 .header_bytes_max = 12};

std::string Hex(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

class Differential : public ::testing::Test {
 private:
  // The generated class reports each bad string; here they are wanted.
  google::protobuf::LogSilencer silencer_;
};

TEST_F(Differential, ValidFramesAreAcceptedByAll) {
  RandomFrame random(testing::Seed("Differential.ValidFramesAreAcceptedByAll"));
  Tally tally;
  for (int round = 0; round < kRounds / 4; ++round) {
    const std::string frame = random.Valid();
    ASSERT_TRUE(AllAgree(frame, ScanLimits{}, tally)) << Hex(frame);
  }
  EXPECT_EQ(tally.accepted, static_cast<std::uint64_t>(kRounds / 4));
  EXPECT_GT(tally.accepted_with_messages, tally.accepted / 2);
}

TEST_F(Differential, DamagedFramesAreJudgedAlike) {
  RandomFrame random(testing::Seed("Differential.DamagedFramesAreJudgedAlike"));
  Tally tally;
  for (int round = 0; round < kRounds; ++round) {
    std::string frame = random.Valid();
    random.Damage(frame);
    ASSERT_TRUE(AllAgree(frame, round % 4 == 0 ? kTinyLimits : ScanLimits{}, tally)) << Hex(frame);
  }
  // Every class was met, and not by a hair.
  EXPECT_GT(tally.accepted_with_messages, 1000u);
  EXPECT_GT(tally.refused_though_parsed, 1000u);
  EXPECT_GT(tally.refused_by_other, 10u);
  for (std::size_t kind = 0; kind < tally.refused.size(); ++kind) {
    EXPECT_GT(tally.refused[kind], 100u) << Name(static_cast<ScanError::Kind>(kind));
  }
}

}  // namespace
}  // namespace sluice::wire
