// SPDX-License-Identifier: Apache-2.0
// What the scanner accepts, and what it says about it. Refusals: frame_refusal_test.cc; limits:
// frame_limits_test.cc.
#include "wire/frame_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/wire/encode.h"
#include "wire/field.h"

namespace sluice::wire {
namespace {

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

// Requires that `frame` is accepted.
ScannedFrame Scanned(std::string_view frame) {
  ScannedFrame scanned;
  const auto error = ScanFrame(frame, ScanLimits{}, scanned);
  EXPECT_FALSE(error.has_value()) << error->text;
  return scanned;
}

std::string FullMessage() {
  return Message(Payload("payload") + encode::Header("key", "value") + Id("id-1") +
                 ContentType("text/plain"));
}

TEST(FrameScanner, AnEmptyFrameHasNoMessages) {
  const ScannedFrame scanned = Scanned("");
  EXPECT_TRUE(scanned.messages.empty());
  EXPECT_TRUE(scanned.other.empty());
}

TEST(FrameScanner, SpansCoverWholeRecordsInOrder) {
  const std::string a = FullMessage();
  const std::string b = Message("");
  const std::string c = Message(Payload(std::string(300, 'x')));
  const std::string frame = a + b + c;
  const ScannedFrame scanned = Scanned(frame);
  ASSERT_EQ(scanned.messages.size(), 3u);
  std::string joined;
  for (const MessageSpan& span : scanned.messages) joined += frame.substr(span.offset, span.size);
  EXPECT_EQ(joined, frame);
  EXPECT_EQ(scanned.messages[0].payload_bytes, 7u);
  EXPECT_EQ(scanned.messages[1].payload_bytes, 0u);
  EXPECT_EQ(scanned.messages[2].payload_bytes, 300u);
  EXPECT_EQ(scanned.messages[2].size, c.size());
}

TEST(FrameScanner, OtherFieldsAreCollectedInOrderAndMessagesMayStandApart) {
  const std::string open = encode::Bytes(4, "an open");
  const std::string sequence = Uint(2, 7);
  const std::string unknown = Tag(1000, 5) + "abcd";
  const std::string fixed = Tag(99, 1) + "12345678";
  const std::string frame =
      open + FullMessage() + sequence + Message("") + unknown + fixed + FullMessage();
  const ScannedFrame scanned = Scanned(frame);
  EXPECT_EQ(scanned.other, open + sequence + unknown + fixed);
  ASSERT_EQ(scanned.messages.size(), 3u);
  EXPECT_EQ(frame.substr(scanned.messages[1].offset, scanned.messages[1].size), Message(""));
}

TEST(FrameScanner, TheFrameBeforeLeavesNoTrace) {
  ScannedFrame scanned;
  ASSERT_FALSE(ScanFrame(FullMessage() + Uint(2, 7), ScanLimits{}, scanned).has_value());
  ASSERT_FALSE(ScanFrame(Message(""), ScanLimits{}, scanned).has_value());
  EXPECT_EQ(scanned.messages.size(), 1u);
  EXPECT_TRUE(scanned.other.empty());
}

TEST(FrameScanner, TheLastOfRepeatedPayloadsCounts) {
  const ScannedFrame scanned = Scanned(Message(Payload("longer") + Payload("abc")));
  EXPECT_EQ(scanned.messages[0].payload_bytes, 3u);
}

TEST(FrameScanner, PayloadsMayHoldAnyBytes) {
  const ScannedFrame scanned = Scanned(Message(Payload("\xff\xfe\x80")));
  EXPECT_EQ(scanned.messages[0].payload_bytes, 3u);
}

TEST(FrameScanner, UnknownFieldsOfAMessagePassUnread) {
  const std::string unknown = Uint(5, 300) + Tag(6, 1) + "\xff\xff\xff\xff\xff\xff\xff\xff" +
                              encode::Bytes(7, "\xff") + Tag(15, 5) + "\x80\x80\x80\x80" +
                              Uint(kFieldNumberMax, 1);
  const ScannedFrame scanned = Scanned(Message(unknown + Payload("p") + unknown));
  EXPECT_EQ(scanned.messages[0].payload_bytes, 1u);
}

TEST(FrameScanner, HeaderEntriesMayBePartialRepeatedOrExtended) {
  (void)Scanned(Message(Entry("")));
  (void)Scanned(Message(Entry(Key("k"))));
  (void)Scanned(Message(Entry(Value("v"))));
  (void)Scanned(Message(Entry(Value("v") + Key("k"))));
  (void)Scanned(Message(Entry(Key("k") + Value("v") + Key("l") + Value("w"))));
  (void)Scanned(Message(Entry(Key("k") + Uint(3, 1) + encode::Bytes(9, "\xff") + Value("v"))));
  (void)Scanned(Message(encode::Header("k", "1") + encode::Header("k", "2")));
}

TEST(FrameScanner, PaddedLengthsPassAndStayInTheSpan) {
  const std::string record = Tag(1, 2) + Varint(7, 5) + Tag(1, 2) + Varint(1, 5) + "p";
  const ScannedFrame scanned = Scanned(record);
  ASSERT_EQ(scanned.messages.size(), 1u);
  EXPECT_EQ(scanned.messages[0].offset, 0u);
  EXPECT_EQ(scanned.messages[0].size, record.size());
  EXPECT_EQ(scanned.messages[0].payload_bytes, 1u);
}

TEST(FrameScanner, StringsMayHoldAnyUtf8) {
  const std::string wide = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  (void)Scanned(Message(Id(wide) + ContentType(wide) + encode::Header(wide, wide)));
  (void)Scanned(Message(Id(std::string_view("\0", 1)) + ContentType("")));
}

}  // namespace
}  // namespace sluice::wire
