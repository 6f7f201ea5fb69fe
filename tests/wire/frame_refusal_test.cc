// SPDX-License-Identifier: Apache-2.0
// Each class of refusal, in each place where it can stand: the frame, a message, a header entry.
// Every case is set behind a good message, so that the index must be right and "nothing is
// accepted" means something.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <ostream>
#include <string>
#include <vector>

#include "tests/wire/encode.h"
#include "wire/frame_scanner.h"

namespace sluice::wire {
namespace {

using encode::Bytes;
using encode::ContentType;
using encode::Entry;
using encode::Id;
using encode::Key;
using encode::Message;
using encode::Payload;
using encode::Tag;
using encode::Uint;
using encode::Value;
using encode::Varint;
using Kind = ScanError::Kind;

struct Case {
  std::string name;
  std::string bytes;  // Behind one good message.
  Kind kind;
  std::string field;  // "frame" means index -1, anything else the second message.
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class FrameRefusal : public ::testing::TestWithParam<Case> {};

TEST_P(FrameRefusal, NamesClassMessageAndFieldAndAcceptsNothing) {
  const Case& c = GetParam();
  ScannedFrame scanned;
  const std::string good = Uint(2, 5) + Message(Payload("good"));
  const auto error = ScanFrame(good + c.bytes, ScanLimits{}, scanned);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(Name(error->kind), Name(c.kind));
  EXPECT_EQ(error->field, c.field);
  EXPECT_EQ(error->message_index, c.field == "frame" ? -1 : 1);
  EXPECT_EQ(error->limit, 0u);
  EXPECT_EQ(error->value, 0u);
  const std::string place = c.field == "frame" ? "frame: " : "message 1: " + c.field + ": ";
  EXPECT_THAT(error->text, ::testing::StartsWith(place));
  EXPECT_TRUE(scanned.messages.empty());
  EXPECT_TRUE(scanned.other.empty());
}

// What is at fault in a field is at fault in the frame, in a message and in a header entry.
std::vector<Case> EverywhereCases() {
  const std::vector<Case> faults = {
      {"GroupStart", Tag(9, 3) + Tag(9, 4), Kind::kGroup, ""},
      {"GroupEnd", Tag(9, 4), Kind::kGroup, ""},
      {"FieldNumberZero", Tag(0, 0) + Varint(1), Kind::kFieldNumber, ""},
      {"PaddedTag", Varint(9 << 3, 2) + Varint(1), Kind::kOverlongVarint, ""},
      {"PaddedTagOfTwoBytes", Varint(900 << 3, 3) + Varint(1), Kind::kOverlongVarint, ""},
      {"PaddedTagOfFieldZero", Varint(2, 5) + Varint(0), Kind::kOverlongVarint, ""},
      {"FieldNumberAbove29Bits", Tag(std::uint64_t{1} << 29, 0) + Varint(1), Kind::kFieldNumber,
       ""},
      {"FieldNumberThatWrapsTo1", Tag((std::uint64_t{1} << 29) + 1, 2) + Varint(0),
       Kind::kFieldNumber, ""},
      {"WireType6", Tag(9, 6), Kind::kWireType, ""},
      {"WireType7", Tag(9, 7), Kind::kWireType, ""},
      {"OverlongTag", Varint(9 << 3, 6) + Varint(1), Kind::kOverlongVarint, ""},
      {"OverlongLength", Tag(9, 2) + Varint(0, 6), Kind::kOverlongVarint, ""},
      {"OverlongValue", Tag(9, 0) + Varint(1, 11), Kind::kOverlongVarint, ""},
      {"ValueAbove64Bits", Tag(9, 0) + std::string(9, '\xff') + "\x02", Kind::kOverlongVarint, ""},
      {"TruncatedTag", "\x8a", Kind::kTruncated, ""},
      {"TruncatedLength", Tag(9, 2) + "\x80", Kind::kTruncated, ""},
      {"TruncatedValue", Tag(9, 0) + "\xff\xff", Kind::kTruncated, ""},
      {"TruncatedBytes", Tag(9, 2) + Varint(4) + "abc", Kind::kTruncated, ""},
      {"TruncatedFixed32", Tag(9, 5) + "abc", Kind::kTruncated, ""},
      {"TruncatedFixed64", Tag(9, 1) + "abcdefg", Kind::kTruncated, ""},
      {"LengthOf2Pow31", Tag(9, 2) + Varint(std::uint64_t{1} << 31), Kind::kTruncated, ""},
      {"LengthOf35Bits", Tag(9, 2) + Varint((std::uint64_t{1} << 35) - 1), Kind::kTruncated, ""},
  };
  std::vector<Case> cases;
  for (const Case& fault : faults) {
    cases.push_back({fault.name + "InFrame", fault.bytes, fault.kind, "frame"});
    cases.push_back({fault.name + "InMessage", Message(fault.bytes), fault.kind, "messages"});
    cases.push_back(
        {fault.name + "InHeader", Message(Entry(Key("k") + fault.bytes)), fault.kind, "headers"});
  }
  return cases;
}

std::vector<Case> KnownFieldCases() {
  std::vector<Case> cases = {
      {"MessagesVarint", Uint(1, 3), Kind::kWireType, "messages"},
      {"MessagesTagPadded", Varint(0x0a, 2) + Varint(0), Kind::kOverlongVarint, "frame"},
      {"PayloadTagPadded", Message(Varint(0x0a, 5) + Varint(0)), Kind::kOverlongVarint, "messages"},
      {"MessagesGroup", Tag(1, 3) + Tag(1, 4), Kind::kGroup, "messages"},
      {"MessagesTruncated", Tag(1, 2) + Varint(9) + "short", Kind::kTruncated, "messages"},
      {"MessagesLengthMissing", Tag(1, 2), Kind::kTruncated, "messages"},
      {"HeaderKeyVarint", Message(Entry(Uint(1, 1))), Kind::kWireType, "headers"},
      {"HeaderValueFixed32", Message(Entry(Key("k") + Tag(2, 5) + "abcd")), Kind::kWireType,
       "headers"},
      {"HeaderKeyTruncated", Message(Entry(Tag(1, 2) + Varint(3) + "k")), Kind::kTruncated,
       "headers"},
      // A length that stays within the frame, but not within the message.
      {"PayloadBeyondItsMessage", Message(Tag(1, 2) + Varint(3) + "p") + Message(Payload("after")),
       Kind::kTruncated, "payload"},
  };
  const std::vector<std::string> names = {"payload", "headers", "id", "content_type"};
  for (std::uint64_t number = 1; number <= 4; ++number) {
    const std::string& name = names[number - 1];
    cases.push_back({name + "Varint", Message(Uint(number, 1)), Kind::kWireType, name});
    cases.push_back({name + "Fixed32", Message(Tag(number, 5) + "abcd"), Kind::kWireType, name});
    cases.push_back(
        {name + "Fixed64", Message(Tag(number, 1) + "abcdefgh"), Kind::kWireType, name});
    cases.push_back({name + "Group", Message(Tag(number, 3) + Tag(number, 4)), Kind::kGroup, name});
    cases.push_back(
        {name + "Truncated", Message(Tag(number, 2) + Varint(2) + "x"), Kind::kTruncated, name});
  }
  return cases;
}

std::vector<Case> Utf8Cases() {
  const std::string bad = "caf\xe9";
  return {
      {"Id", Message(Id(bad)), Kind::kBadUtf8, "id"},
      {"IdThatALaterOneReplaces", Message(Id(bad) + Id("good")), Kind::kBadUtf8, "id"},
      {"ContentType", Message(ContentType(bad)), Kind::kBadUtf8, "content_type"},
      {"HeaderKey", Message(encode::Header(bad, "v")), Kind::kBadUtf8, "headers"},
      {"HeaderValue", Message(encode::Header("k", bad)), Kind::kBadUtf8, "headers"},
      {"HeaderValueThatALaterOneReplaces", Message(Entry(Key("k") + Value(bad) + Value("v"))),
       Kind::kBadUtf8, "headers"},
      {"HeaderOfAKeyThatComesTwice", Message(encode::Header("k", bad) + encode::Header("k", "v")),
       Kind::kBadUtf8, "headers"},
  };
}

std::string NameOf(const ::testing::TestParamInfo<Case>& info) {
  std::string name;
  for (const char c : info.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name.push_back(c);
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Everywhere, FrameRefusal, ::testing::ValuesIn(EverywhereCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(KnownFields, FrameRefusal, ::testing::ValuesIn(KnownFieldCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Utf8, FrameRefusal, ::testing::ValuesIn(Utf8Cases()), NameOf);

TEST(FrameRefusal, EveryCutOfAFrameIsRefusedUnlessItFallsBetweenFields) {
  const std::string record = Message(Payload("payload") + encode::Header("k", "v") + Id("id"));
  const std::string sequence = Uint(2, 300);
  const std::string frame = record + sequence + record;
  for (std::size_t size = 0; size <= frame.size(); ++size) {
    const bool is_between = size == 0 || size == record.size() ||
                            size == record.size() + sequence.size() || size == frame.size();
    // A heap copy of exactly this size, for AddressSanitizer.
    const std::vector<char> cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    ScannedFrame scanned;
    const auto error = ScanFrame({cut.data(), cut.size()}, ScanLimits{}, scanned);
    EXPECT_EQ(error.has_value(), !is_between) << size;
    if (error.has_value()) {
      EXPECT_EQ(error->kind, Kind::kTruncated) << size;
    }
  }
}

TEST(FrameRefusal, TheSentenceSaysWhatIsWrongWhere) {
  ScannedFrame scanned;
  const std::string frame = Message("") + Message("") + Message(encode::Header("k", "\xff"));
  const auto error = ScanFrame(frame, ScanLimits{}, scanned);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->text, "message 2: headers: not valid UTF-8");
}

}  // namespace
}  // namespace sluice::wire
