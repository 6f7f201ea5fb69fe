// SPDX-License-Identifier: Apache-2.0
// Method: protobuf's own check is the oracle. Every sequence of one to three bytes, and those of
// four bytes whose leads can begin one, must be judged alike, alone and at every place in a longer
// text.
#include "wire/utf8.h"

#include <google/protobuf/stubs/common.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

#include "tests/fuzz/reference_scanner.h"
#include "tests/support/seed.h"

namespace sluice::wire {
namespace {

bool ProtobufTakes(std::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(),
                                                             static_cast<int>(text.size()));
}

std::string Hex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

// Cheap enough to call millions of times: builds no text unless it fails.
void ExpectAlike(std::string_view text) {
  const bool expected = ProtobufTakes(text);
  if (IsValidUtf8(text) != expected) ADD_FAILURE() << Hex(text) << " should be " << expected;
  if (reference::IsUtf8(text) != expected) {
    ADD_FAILURE() << "reference: " << Hex(text) << " should be " << expected;
  }
}

TEST(Utf8, AgreesWithProtobufOnEverySequenceUpToThreeBytes) {
  ExpectAlike({});
  std::array<char, 3> text{};
  for (int a = 0; a < 256; ++a) {
    text[0] = static_cast<char>(a);
    ExpectAlike({text.data(), 1});
    for (int b = 0; b < 256; ++b) {
      text[1] = static_cast<char>(b);
      ExpectAlike({text.data(), 2});
      if (a < 0x80) continue;  // ASCII first says nothing new about what follows.
      for (int c = 0; c < 256; ++c) {
        text[2] = static_cast<char>(c);
        ExpectAlike({text.data(), 3});
      }
    }
  }
}

TEST(Utf8, AgreesWithProtobufOnSequencesOfFourBytes) {
  constexpr std::array<int, 8> kEdges = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0xbf, 0xc0, 0xff};
  std::array<char, 4> text{};
  for (int a = 0xee; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      for (const int c : kEdges) {
        for (const int d : kEdges) {
          text = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                  static_cast<char>(d)};
          ExpectAlike({text.data(), 4});
        }
      }
    }
  }
}

TEST(Utf8, TheEightByteStepsFindABadByteAtEveryPlace) {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      std::string text(size, 'a');
      EXPECT_TRUE(IsValidUtf8(text));
      text[place] = '\x80';
      EXPECT_FALSE(IsValidUtf8(text)) << size << " " << place;
      ExpectAlike(text);
      text.replace(place, 1, "\xe2\x82\xac");
      EXPECT_TRUE(IsValidUtf8(text)) << size << " " << place;
    }
  }
}

TEST(Utf8, RefusesSurrogatesOverlongFormsAndWhatIsAboveTheLastCodePoint) {
  EXPECT_FALSE(IsValidUtf8("\xed\xa0\x80"));
  EXPECT_FALSE(IsValidUtf8("\xed\xbf\xbf"));
  EXPECT_FALSE(IsValidUtf8("\xc0\xaf"));
  EXPECT_FALSE(IsValidUtf8("\xc1\xbf"));
  EXPECT_FALSE(IsValidUtf8("\xe0\x9f\xbf"));
  EXPECT_FALSE(IsValidUtf8("\xf0\x8f\xbf\xbf"));
  EXPECT_FALSE(IsValidUtf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(IsValidUtf8("\xf5\x80\x80\x80"));
}

TEST(Utf8, TakesU0000NoncharactersAndTheBoundsOfEachLength) {
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
  EXPECT_TRUE(IsValidUtf8("\xc2\x80"));
  EXPECT_TRUE(IsValidUtf8("\xdf\xbf"));
  EXPECT_TRUE(IsValidUtf8("\xe0\xa0\x80"));
  EXPECT_TRUE(IsValidUtf8("\xed\x9f\xbf"));
  EXPECT_TRUE(IsValidUtf8("\xef\xbf\xbf"));
  EXPECT_TRUE(IsValidUtf8("\xf0\x90\x80\x80"));
  EXPECT_TRUE(IsValidUtf8("\xf4\x8f\xbf\xbf"));
}

TEST(Utf8, AgreesWithProtobufOnRandomText) {
  std::mt19937_64 random(testing::Seed("Utf8.AgreesWithProtobufOnRandomText"));
  // Pieces that are good, and a few that break the text in the middle.
  constexpr std::array<std::string_view, 12> kPieces = {"a",
                                                        "plain ascii ",
                                                        "\xc3\xa9",
                                                        "\xe2\x82\xac",
                                                        "\xf0\x9f\x98\x80",
                                                        "\xef\xbb\xbf",
                                                        "12345678",
                                                        "\xdf\xbf",
                                                        "\xed\xa0\x80",
                                                        "\x80",
                                                        "\xf0\x9f",
                                                        "\xc0"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const auto pieces = random() % 12;
    const auto choices = random() % 4 == 0 ? kPieces.size() : kPieces.size() - 4;
    for (std::uint64_t i = 0; i < pieces; ++i) text += kPieces[random() % choices];
    ExpectAlike(text);
  }
}

}  // namespace
}  // namespace sluice::wire
