// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(Status, IsOkUnlessSaidOtherwise) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), Code::kOk);
  EXPECT_EQ(status.reason(), "");
  EXPECT_EQ(status.message(), "");
  EXPECT_THAT(status.details(), IsEmpty());
  EXPECT_EQ(status.retry_delay().count(), 0);
}

TEST(Status, KeepsWhatItIsTold) {
  const Status status = Status(Code::kAborted, "SUPERSEDED", "another came")
                            .With("fence", "7")
                            .With("field", "seat")
                            .RetryAfter(std::chrono::milliseconds(1'500));
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), Code::kAborted);
  EXPECT_EQ(status.reason(), "SUPERSEDED");
  EXPECT_EQ(status.message(), "another came");
  EXPECT_THAT(status.details(), ElementsAre(Pair("fence", "7"), Pair("field", "seat")));
  EXPECT_EQ(status.retry_delay(), std::chrono::milliseconds(1'500));
}

TEST(Status, OutOfBoundsNamesFieldLimitAndValue) {
  const Status status = OutOfBounds("capacity", "the most", 1'048'576, 2'000'000);
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(status.reason(), "OUT_OF_BOUNDS");
  EXPECT_EQ(status.message(), "capacity is 2000000, the most is 1048576");
  EXPECT_THAT(status.details(), ElementsAre(Pair("field", "capacity"), Pair("limit", "1048576"),
                                            Pair("value", "2000000")));
}

TEST(Status, OutOfBoundsTellsTheLargestNumberWhole) {
  const Status status = OutOfBounds("n", "the least", 0, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(status.message(), "n is 18446744073709551615, the least is 0");
}

TEST(Status, InvalidFieldNamesTheFieldAndWhy) {
  const Status status = InvalidField("queue", "it is empty");
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(status.reason(), "INVALID_FIELD");
  EXPECT_EQ(status.message(), "queue: it is empty");
  EXPECT_THAT(status.details(), ElementsAre(Pair("field", "queue")));
}

}  // namespace
}  // namespace sluice
