// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace sluice {
namespace {

Result<std::unique_ptr<int>> Half(int number) {
  if (number % 2 != 0) return InvalidField("number", "it is odd");
  return std::make_unique<int>(number / 2);
}

TEST(Result, HoldsAValueThatOnlyMoves) {
  Result<std::unique_ptr<int>> half = Half(8);
  ASSERT_TRUE(half.ok());
  EXPECT_TRUE(static_cast<bool>(half));
  EXPECT_EQ(**half, 4);
  const std::unique_ptr<int> moved = *std::move(half);
  EXPECT_EQ(*moved, 4);
}

TEST(Result, HoldsWhyThereIsNone) {
  Result<std::unique_ptr<int>> half = Half(7);
  ASSERT_FALSE(half.ok());
  EXPECT_FALSE(static_cast<bool>(half));
  EXPECT_EQ(half.error().reason(), "INVALID_FIELD");
  const Status moved = std::move(half).error();
  EXPECT_EQ(moved.message(), "number: it is odd");
}

TEST(Result, ReachesIntoTheValue) {
  Result<std::string> text = std::string("abc");
  EXPECT_EQ(text->size(), 3u);
  text->push_back('d');
  const Result<std::string>& same = text;
  EXPECT_EQ(*same, "abcd");
  EXPECT_EQ(same->size(), 4u);
}

enum class Fault { kSmall, kLarge };

TEST(Result, MayHaveAnotherErrorThanStatus) {
  const Result<int, Fault> value = 3;
  const Result<int, Fault> fault = Fault::kLarge;
  EXPECT_EQ(*value, 3);
  EXPECT_FALSE(fault.ok());
  EXPECT_EQ(fault.error(), Fault::kLarge);
}

}  // namespace
}  // namespace sluice
