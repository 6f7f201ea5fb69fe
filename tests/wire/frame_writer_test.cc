// SPDX-License-Identifier: Apache-2.0
// Oracle: the generated classes read the same, and would have written the same bytes.
#include "wire/frame_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/v1/message.pb.h"
#include "sluice/v1/queue.pb.h"

namespace sluice::wire {
namespace {

constexpr std::uint64_t kPositionMax = (std::uint64_t{1} << 53) - 1;

TEST(FrameWriter, RunsAreThoseOfTheGeneratedClass) {
  const std::vector<wire::Run> runs = {
      {.first_position = 1, .count = 1, .accepted_unix_us = 1, .attempts = 1, .failures = 1},
      {.first_position = kPositionMax,
       .count = UINT32_MAX,
       .accepted_unix_us = UINT64_MAX,
       .attempts = UINT32_MAX,
       .failures = UINT32_MAX},
      {.first_position = 300, .count = 256, .accepted_unix_us = 0x0102030405060708},
      {},
  };
  std::string bytes;
  v1::ReceiveStreamResponse expected;
  for (const wire::Run& run : runs) {
    AppendRun(bytes, run);
    v1::Run* const typed = expected.add_runs();
    typed->set_first_position(run.first_position);
    typed->set_count(run.count);
    typed->set_accepted_unix_us(run.accepted_unix_us);
    typed->set_attempts(run.attempts);
    typed->set_failures(run.failures);
  }
  EXPECT_EQ(bytes, expected.SerializeAsString());
}

TEST(FrameWriter, AcksAreThoseOfTheGeneratedClass) {
  const std::vector<Ack> acks = {
      {.first_sequence = 1,
       .count = 2,
       .outcome = v1::OUTCOME_OK,
       .first_position = 3,
       .durability = v1::DURABILITY_MEMORY,
       .is_duplicate = true,
       .reason = v1::CLOSED_REASON_REQUESTED,
       .delivered_to = 8},
      {.first_sequence = kPositionMax,
       .count = UINT32_MAX,
       .outcome = v1::OUTCOME_UNKNOWN,
       .first_position = kPositionMax,
       .durability = v1::DURABILITY_DISK,
       .reason = v1::CLOSED_REASON_LIMIT,
       .delivered_to = UINT32_MAX,
       .full_reason = v1::FULL_REASON_SERVER_MEMORY},
      {},
  };
  std::string bytes;
  v1::SendStreamResponse expected;
  for (const Ack& ack : acks) {
    AppendAck(bytes, ack);
    v1::Ack* const typed = expected.add_acks();
    typed->set_first_sequence(ack.first_sequence);
    typed->set_count(ack.count);
    typed->set_outcome(static_cast<v1::Outcome>(ack.outcome));
    typed->set_first_position(ack.first_position);
    typed->set_durability(static_cast<v1::Durability>(ack.durability));
    typed->set_duplicate(ack.is_duplicate);
    typed->set_reason(static_cast<v1::ClosedReason>(ack.reason));
    typed->set_delivered_to(ack.delivered_to);
    typed->set_full_reason(static_cast<v1::FullReason>(ack.full_reason));
  }
  EXPECT_EQ(bytes, expected.SerializeAsString());
}

TEST(FrameWriter, AnOptionalFieldIsPresentEvenWhenZero) {
  std::string bytes;
  AppendUintPresent(bytes, v1::SendStreamResponse::kFreeHintFieldNumber, 0);
  v1::SendStreamResponse parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  EXPECT_TRUE(parsed.has_free_hint());
  EXPECT_EQ(parsed.free_hint(), 0u);
}

TEST(FrameWriter, ZeroAndEmptyFieldsAreLeftOut) {
  std::string bytes;
  AppendUint(bytes, 1, 0);
  AppendFixed64(bytes, 2, 0);
  AppendBytes(bytes, 3, "");
  EXPECT_TRUE(bytes.empty());
  AppendBytesPresent(bytes, 3, "");
  EXPECT_EQ(bytes, std::string("\x1a\0", 2));
}

TEST(FrameWriter, MessagesAreThoseOfTheGeneratedClass) {
  const std::array<Header, 1> header = {Header{"trace", "00-ab"}};
  const std::array<Header, 1> bare_header = {Header{"", ""}};
  const std::string large(70'000, 'x');
  std::string bytes;
  AppendMessage(bytes, "payload", "id-1", "text/plain", header);
  AppendMessage(bytes, "");
  AppendMessage(bytes, large, large, large);
  AppendMessage(bytes, "", "", "", bare_header);

  v1::SendStreamRequest expected;
  v1::Message* message = expected.add_messages();
  message->set_payload("payload");
  message->set_id("id-1");
  message->set_content_type("text/plain");
  (*message->mutable_headers())["trace"] = "00-ab";
  expected.add_messages();
  message = expected.add_messages();
  message->set_payload(large);
  message->set_id(large);
  message->set_content_type(large);
  message = expected.add_messages();
  (*message->mutable_headers())[""] = "";
  EXPECT_EQ(bytes, expected.SerializeAsString());
}

TEST(FrameWriter, AllHeadersArrive) {
  const std::vector<Header> headers = {{"a", "1"}, {"b", ""}, {"", "3"}};
  std::string bytes;
  AppendMessage(bytes, "p", {}, {}, headers);
  v1::SendStreamRequest parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  ASSERT_EQ(parsed.messages_size(), 1);
  const auto& map = parsed.messages(0).headers();
  EXPECT_EQ(map.size(), 3u);
  for (const Header& header : headers) EXPECT_EQ(map.at(std::string(header.key)), header.value);
}

TEST(FrameWriter, FieldsAreAppendedBehindWhatIsThere) {
  std::string bytes = "kept";
  AppendTag(bytes, 536'870'911, WireType::kFixed32);
  EXPECT_EQ(bytes, "kept\xfd\xff\xff\xff\x0f");
}

TEST(FrameWriter, FieldNumbersAreThoseOfTheProtos) {
  EXPECT_EQ(kMessagesField, v1::SendStreamRequest::kMessagesFieldNumber);
  EXPECT_EQ(kMessagesField, v1::ReceiveStreamResponse::kMessagesFieldNumber);
  EXPECT_EQ(kRunsField, v1::ReceiveStreamResponse::kRunsFieldNumber);
  EXPECT_EQ(kRunsField, v1::ReceiveResponse::kRunsFieldNumber);
  EXPECT_EQ(kMessagesField, v1::ReceiveResponse::kMessagesFieldNumber);
  EXPECT_EQ(kMessagesField, v1::SendRequest::kMessagesFieldNumber);
  EXPECT_EQ(kAcksField, v1::SendStreamResponse::kAcksFieldNumber);
}

}  // namespace
}  // namespace sluice::wire
