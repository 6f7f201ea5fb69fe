// SPDX-License-Identifier: Apache-2.0
// Each limit of the scanner: met exactly it passes, passed by one it is refused with limit and
// value.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "tests/wire/encode.h"
#include "wire/frame_scanner.h"

namespace sluice::wire {
namespace {

using encode::Bytes;
using encode::Entry;
using encode::Header;
using encode::Key;
using encode::Message;
using encode::Payload;
using encode::Value;
using Kind = ScanError::Kind;

void ExpectAccepted(std::string_view frame, const ScanLimits& limits) {
  ScannedFrame scanned;
  const auto error = ScanFrame(frame, limits, scanned);
  EXPECT_FALSE(error.has_value()) << error->text;
}

ScanError Refused(std::string_view frame, const ScanLimits& limits) {
  ScannedFrame scanned;
  const auto error = ScanFrame(frame, limits, scanned);
  EXPECT_TRUE(error.has_value());
  EXPECT_TRUE(scanned.messages.empty());
  EXPECT_TRUE(scanned.other.empty());
  return error.value_or(ScanError{});
}

void ExpectError(const ScanError& error, Kind kind, std::int64_t index, std::string_view field,
                 std::uint64_t limit, std::uint64_t value) {
  EXPECT_EQ(Name(error.kind), Name(kind));
  EXPECT_EQ(error.message_index, index);
  EXPECT_EQ(error.field, field);
  EXPECT_EQ(error.limit, limit);
  EXPECT_EQ(error.value, value);
}

TEST(FrameLimits, MessagesOfAFrame) {
  const ScanLimits limits{.messages_max = 3};
  std::string frame = Message("") + Message("") + Message("");
  ExpectAccepted(frame, limits);
  frame += Message("");
  const ScanError error = Refused(frame, limits);
  ExpectError(error, Kind::kTooMany, 3, "messages", 3, 4);
  EXPECT_EQ(error.text, "message 3: messages: more than 3");
}

TEST(FrameLimits, BytesOfAMessageCountAllItsFields) {
  const ScanLimits limits{.message_bytes_max = 300};
  const std::string id = encode::Id("id");
  const std::string fits = Payload(std::string(300 - 3 - id.size(), 'x')) + id;
  ASSERT_EQ(fits.size(), 300u);
  ExpectAccepted(Message(fits) + Message(fits), limits);
  const std::string over = Payload(std::string(300 - 2 - id.size(), 'x')) + id;
  const ScanError error = Refused(Message(fits) + Message(over), limits);
  ExpectError(error, Kind::kTooLarge, 1, "messages", 300, 301);
  EXPECT_EQ(error.text, "message 1: messages: 301 bytes, at most 300");
}

TEST(FrameLimits, TheDefaultMessageLimitIsOneMebibyte) {
  const std::string fits = Payload(std::string(1024 * 1024 - 4, 'x'));
  ASSERT_EQ(fits.size(), 1024u * 1024u);
  ExpectAccepted(Message(fits), ScanLimits{});
  ExpectError(Refused(Message(Payload(std::string(1024 * 1024 - 3, 'x'))), ScanLimits{}),
              Kind::kTooLarge, 0, "messages", 1024 * 1024, 1024 * 1024 + 1);
}

TEST(FrameLimits, HeaderEntriesCountEachRepetitionOfAKey) {
  std::string message;
  for (int i = 0; i < 64; ++i) message += Header("same", "x");
  ExpectAccepted(Message(message), ScanLimits{});
  message += Header("same", "x");
  const ScanError error = Refused(Message("") + Message(message), ScanLimits{});
  ExpectError(error, Kind::kTooMany, 1, "headers", 64, 65);
  EXPECT_EQ(error.text, "message 1: headers: more than 64");
}

TEST(FrameLimits, HeadersAreCountedAnewInEachMessage) {
  const ScanLimits limits{.headers_max = 1, .header_bytes_max = 4};
  ExpectAccepted(Message(Header("ab", "cd")) + Message(Header("ef", "gh")), limits);
}

TEST(FrameLimits, HeaderBytesAreKeysAndValuesTogether) {
  const ScanLimits limits{.header_bytes_max = 10};
  ExpectAccepted(Message(Header("abc", "de") + Header("fgh", "ij")), limits);
  ExpectError(Refused(Message(Header("abc", "de") + Header("fgh", "ijk")), limits), Kind::kTooLarge,
              0, "headers", 10, 11);
}

TEST(FrameLimits, HeaderBytesCountWhatALaterOccurrenceReplaces) {
  const ScanLimits limits{.header_bytes_max = 10};
  ExpectAccepted(Message(Entry(Key("abc") + Value("123") + Key("de") + Value("45"))), limits);
  ExpectError(Refused(Message(Entry(Key("abc") + Value("123") + Key("de") + Value("456"))), limits),
              Kind::kTooLarge, 0, "headers", 10, 11);
}

TEST(FrameLimits, TheDefaultHeaderLimitIs8KiB) {
  const std::string value(8 * 1024 - 1, 'v');
  ExpectAccepted(Message(Header("k", value)), ScanLimits{});
  ExpectError(Refused(Message(Header("kk", value)), ScanLimits{}), Kind::kTooLarge, 0, "headers",
              8 * 1024, 8 * 1024 + 1);
}

TEST(FrameLimits, BytesOfAFrame) {
  const std::string frame = Message(Payload("abc")) + Bytes(4, "open");
  const auto size = static_cast<std::uint32_t>(frame.size());
  ExpectAccepted(frame, ScanLimits{.frame_bytes_max = size});
  const ScanError error = Refused(frame, ScanLimits{.frame_bytes_max = size - 1});
  ExpectError(error, Kind::kTooLarge, -1, "frame", size - 1, size);
  EXPECT_EQ(error.text, "frame: 13 bytes, at most 12");
}

TEST(FrameLimits, NoLimitAdmitsAFrameWhoseOffsetsWouldNotFit) {
  // Address space alone: a scanner that looked at a single byte of it would end the test.
  constexpr std::size_t kSize = std::size_t{1} << 31;
  void* const reserved = mmap(nullptr, kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(reserved, MAP_FAILED);
  const std::string_view frame(static_cast<const char*>(reserved), kSize);
  const ScanError error = Refused(frame, ScanLimits{.frame_bytes_max = 0xffff'ffff});
  ExpectError(error, Kind::kTooLarge, -1, "frame", kSize - 256, kSize);
  EXPECT_EQ(munmap(reserved, kSize), 0);
}

TEST(FrameLimits, AZeroLimitRefusesTheFirst) {
  ExpectError(Refused(Message(""), ScanLimits{.messages_max = 0}), Kind::kTooMany, 0, "messages", 0,
              1);
  ExpectError(Refused(Message(Entry("")), ScanLimits{.headers_max = 0}), Kind::kTooMany, 0,
              "headers", 0, 1);
}

}  // namespace
}  // namespace sluice::wire
