// SPDX-License-Identifier: Apache-2.0
#include "admin/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::admin {
namespace {

using ::testing::HasSubstr;

TEST(Target, IsTakenApart) {
  const auto target = Target::Parse("/api/v1/queues/a%2Fb?prefix=x%3d1&page_size=5&&empty=");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->path(), "/api/v1/queues/a/b");
  EXPECT_EQ(target->Text("prefix"), "x=1");
  EXPECT_EQ(target->Text("empty"), "");
  EXPECT_EQ(target->Text("absent"), "");
  EXPECT_EQ(*target->Number("page_size", 100, 1, 1'000), 5u);
  EXPECT_EQ(*target->Number("absent", 100, 1, 1'000), 100u);
  EXPECT_EQ(Target::Parse("/")->path(), "/");
  EXPECT_EQ(Target::Parse("/x?")->parameters().size(), 0u);
  EXPECT_EQ(Target::Parse("/x?key")->Text("key"), "");
}

TEST(Target, WhatIsNoneIsRefused) {
  for (const char* text : {"", "x", "*", "http://localhost/", "/%", "/%4", "/%zz", "/%00", "/x#y",
                           "/x?a=%0", "/x?%=1", "/x?a=%00"}) {
    const auto target = Target::Parse(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_EQ(target.error().reason(), "INVALID_FIELD") << text;
  }
  EXPECT_THAT(Target::Parse("/x?a=1&a=2").error().message(), HasSubstr("twice"));
}

TEST(Target, ANumberIsHeldToItsBounds) {
  const auto target =
      Target::Parse("/?least=0&most=1001&text=ten&sign=-1&tail=1x&long=99999999999999999999");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->Number("least", 0, 1, 1'000).error().reason(), "OUT_OF_BOUNDS");
  EXPECT_EQ(target->Number("most", 0, 1, 1'000).error().reason(), "OUT_OF_BOUNDS");
  for (const char* key : {"text", "sign", "tail", "long"}) {
    const auto number = target->Number(key, 0, 1, 1'000);
    ASSERT_FALSE(number.ok()) << key;
    EXPECT_EQ(number.error().reason(), "INVALID_FIELD") << key;
    EXPECT_THAT(number.error().message(), HasSubstr(key));
  }
}

}  // namespace
}  // namespace sluice::admin
