// SPDX-License-Identifier: Apache-2.0
#include "wire/varint.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/wire/encode.h"
#include "wire/frame_writer.h"

namespace sluice::wire {
namespace {

VarintEnd Read(const std::string& bytes, int bytes_max, std::uint64_t& value, std::size_t& taken) {
  const char* at = bytes.data();
  const VarintEnd end = ReadVarint(at, bytes.data() + bytes.size(), bytes_max, value);
  taken = static_cast<std::size_t>(at - bytes.data());
  return end;
}

VarintEnd Read(const std::string& bytes, int bytes_max) {
  std::uint64_t value = 0;
  std::size_t taken = 0;
  return Read(bytes, bytes_max, value, taken);
}

TEST(Varint, ReadsWhatTheWriterWroteAtEveryBitWidth) {
  for (int bits = 0; bits <= 64; ++bits) {
    const std::uint64_t highest = bits == 64 ? UINT64_MAX : (std::uint64_t{1} << bits) - 1;
    for (const std::uint64_t expected : {highest, highest / 3, highest + 1}) {
      std::string bytes;
      AppendVarint(bytes, expected);
      EXPECT_EQ(bytes.size(), VarintBytes(expected));
      EXPECT_EQ(bytes, encode::Varint(expected));
      std::uint64_t value = 0;
      std::size_t taken = 0;
      ASSERT_EQ(Read(bytes + "more", kValueBytesMax, value, taken), VarintEnd::kRead);
      EXPECT_EQ(value, expected);
      EXPECT_EQ(taken, bytes.size());
    }
  }
}

TEST(Varint, EveryCutIsTruncatedAndMovesNothing) {
  const std::string whole = encode::Varint(UINT64_MAX);
  ASSERT_EQ(whole.size(), 10u);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::uint64_t value = 42;
    std::size_t taken = 0;
    EXPECT_EQ(Read(whole.substr(0, size), kValueBytesMax, value, taken), VarintEnd::kTruncated);
    EXPECT_EQ(value, 42u);
    EXPECT_EQ(taken, 0u);
  }
}

TEST(Varint, PaddingPassesUpToTheLongestCanonicalForm) {
  std::uint64_t value = 0;
  std::size_t taken = 0;
  EXPECT_EQ(Read(encode::Varint(10, 5), kTagBytesMax, value, taken), VarintEnd::kRead);
  EXPECT_EQ(value, 10u);
  EXPECT_EQ(taken, 5u);
  EXPECT_EQ(Read(encode::Varint(11, 10), kValueBytesMax, value, taken), VarintEnd::kRead);
  EXPECT_EQ(value, 11u);
  EXPECT_EQ(taken, 10u);
}

TEST(Varint, PaddingBeyondItIsOverlong) {
  EXPECT_EQ(Read(encode::Varint(10, 6), kTagBytesMax), VarintEnd::kOverlong);
  EXPECT_EQ(Read(encode::Varint(10, 6), kLengthBytesMax), VarintEnd::kOverlong);
  EXPECT_EQ(Read(encode::Varint(10, 11), kValueBytesMax), VarintEnd::kOverlong);
}

TEST(Varint, MoreThan64BitsIsOverlong) {
  const std::string nine(9, '\xff');
  EXPECT_EQ(Read(nine + '\x01', kValueBytesMax), VarintEnd::kRead);
  EXPECT_EQ(Read(nine + '\x02', kValueBytesMax), VarintEnd::kOverlong);
  EXPECT_EQ(Read(nine + '\x7f', kValueBytesMax), VarintEnd::kOverlong);
  EXPECT_EQ(Read(nine + '\x81', kValueBytesMax), VarintEnd::kOverlong);
}

TEST(Varint, FiveBytesHoldUpTo35BitsForTheCallerToJudge) {
  std::uint64_t value = 0;
  std::size_t taken = 0;
  EXPECT_EQ(Read(std::string(4, '\xff') + '\x7f', kLengthBytesMax, value, taken), VarintEnd::kRead);
  EXPECT_EQ(value, (std::uint64_t{1} << 35) - 1);
}

}  // namespace
}  // namespace sluice::wire
