// SPDX-License-Identifier: Apache-2.0
#include "wire/frame_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sluice/v1/queue.pb.h"
#include "tests/wire/encode.h"
#include "wire/frame_writer.h"

namespace sluice::wire {
namespace {

using encode::Bytes;
using encode::Entry;
using encode::Key;
using encode::Message;
using encode::Tag;
using encode::Uint;
using encode::Value;

TEST(FrameReader, ReadsWhatTheGeneratedClassWrote) {
  v1::ReceiveStreamResponse written;
  v1::Message* message = written.add_messages();
  message->set_payload(std::string("pay\0load", 8));
  message->set_id("id-1");
  message->set_content_type("text/plain");
  (*message->mutable_headers())["key"] = "value";
  written.add_messages();
  v1::Run* const run = written.add_runs();
  run->set_first_position(300);
  run->set_count(2);
  run->set_accepted_unix_us(0x0102030405060708);
  run->set_attempts(3);
  run->set_failures(1);
  written.mutable_closed()->set_reason(v1::CLOSED_REASON_REQUESTED);
  const std::string bytes = written.SerializeAsString();

  ReceivedFrame received;
  ASSERT_TRUE(ReadFrame(bytes, received));
  ASSERT_EQ(received.messages.size(), 2u);
  EXPECT_EQ(received.messages[0].payload, std::string_view("pay\0load", 8));
  EXPECT_EQ(received.messages[0].id, "id-1");
  EXPECT_EQ(received.messages[0].content_type, "text/plain");
  EXPECT_EQ(received.messages[0].encoded, message->SerializeAsString());
  EXPECT_TRUE(received.messages[1].encoded.empty());
  std::vector<Header> headers;
  ASSERT_TRUE(ReadHeaders(received.messages[0].encoded, headers));
  ASSERT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers[0].key, "key");
  EXPECT_EQ(headers[0].value, "value");
  ASSERT_EQ(received.runs.size(), 1u);
  const wire::Run expected{.first_position = 300,
                           .count = 2,
                           .accepted_unix_us = 0x0102030405060708,
                           .attempts = 3,
                           .failures = 1};
  EXPECT_EQ(received.runs[0], expected);
  EXPECT_TRUE(received.RunsPartitionMessages());

  v1::ReceiveStreamResponse other;
  ASSERT_TRUE(other.ParseFromString(received.other));
  EXPECT_EQ(other.closed().reason(), v1::CLOSED_REASON_REQUESTED);
  EXPECT_EQ(other.messages_size() + other.runs_size(), 0);
}

TEST(FrameReader, ReadsWhatTheWriterWrote) {
  std::string bytes;
  const std::vector<Header> written = {{"a", "1"}, {"a", "2"}, {"", ""}};
  AppendMessage(bytes, "p", "i", "c", written);
  AppendRun(bytes, {.first_position = 7, .count = 1, .accepted_unix_us = 9, .attempts = 1});
  ReceivedFrame received;
  ASSERT_TRUE(ReadFrame(bytes, received));
  ASSERT_EQ(received.messages.size(), 1u);
  std::vector<Header> headers;
  ASSERT_TRUE(ReadHeaders(received.messages[0].encoded, headers));
  ASSERT_EQ(headers.size(), 3u);
  EXPECT_EQ(headers[1].key, "a");
  EXPECT_EQ(headers[1].value, "2");
  EXPECT_EQ(received.runs[0].first_position, 7u);
  EXPECT_TRUE(received.other.empty());
}

TEST(FrameReader, TheLastOfRepeatedFieldsCountsAndUnknownOnesPass) {
  const std::string fields = Bytes(1, "first") + Bytes(3, "a") + Uint(5, 1) + Tag(6, 5) + "abcd" +
                             Bytes(1, "last") + Bytes(3, "b");
  MessageView message;
  ASSERT_TRUE(ReadMessage(fields, message));
  EXPECT_EQ(message.payload, "last");
  EXPECT_EQ(message.id, "b");
  EXPECT_EQ(message.encoded, fields);
  ReceivedFrame received;
  ASSERT_TRUE(ReadFrame(Bytes(2, Uint(1, 5) + Uint(9, 9) + Uint(1, 6)), received));
  EXPECT_EQ(received.runs[0].first_position, 6u);
}

TEST(FrameReader, HeaderEntriesMayLackOrRepeatParts) {
  const std::string fields = Entry("") + Entry(Value("v")) + Entry(Key("k")) +
                             Entry(Key("x") + Uint(3, 1) + Value("1") + Key("y") + Value("2"));
  std::vector<Header> headers;
  ASSERT_TRUE(ReadHeaders(fields, headers));
  ASSERT_EQ(headers.size(), 4u);
  EXPECT_EQ(headers[1].value, "v");
  EXPECT_EQ(headers[2].key, "k");
  EXPECT_EQ(headers[3].key, "y");
  EXPECT_EQ(headers[3].value, "2");
}

TEST(FrameReader, RunsPartitionTheMessagesOrDoNot) {
  ReceivedFrame received;
  EXPECT_TRUE(received.RunsPartitionMessages());
  const std::string two = Message("") + Message("");
  ASSERT_TRUE(ReadFrame(two, received));
  EXPECT_FALSE(received.RunsPartitionMessages());
  ASSERT_TRUE(ReadFrame(two + Bytes(2, Uint(2, 1)) + Bytes(2, Uint(2, 1)), received));
  EXPECT_TRUE(received.RunsPartitionMessages());
  ASSERT_TRUE(ReadFrame(two + Bytes(2, Uint(2, 3)), received));
  EXPECT_FALSE(received.RunsPartitionMessages());
}

TEST(FrameReader, RefusesWhatIsNoFrameAndLeavesNothing) {
  const std::vector<std::string> malformed = {
      Uint(1, 1),                                // messages as a varint
      Uint(2, 1),                                // runs as a varint
      Message("") + "\x0a\x05",                  // cut in the second message
      Message(Uint(1, 1)),                       // payload as a varint
      Message(Bytes(1, "p") + "\x0a\x06short"),  // payload beyond the message
      Bytes(2, Bytes(1, "x")),                   // a position as bytes
      Bytes(2, Uint(3, 1)),                      // a time as a varint
      Bytes(2, Tag(3, 1) + "1234567"),           // a time cut short
      Tag(9, 3) + Tag(9, 4),                     // a group
      Tag(0, 0) + std::string(1, '\0'),          // field number 0
      Message(Tag(7, 6)),                        // wire type 6
      Bytes(4, "x") + std::string(11, '\x80'),   // an overlong tag
  };
  for (const std::string& bytes : malformed) {
    ReceivedFrame received;
    EXPECT_FALSE(ReadFrame(bytes, received));
    EXPECT_TRUE(received.messages.empty());
    EXPECT_TRUE(received.runs.empty());
    EXPECT_TRUE(received.other.empty());
  }
  std::vector<Header> headers;
  EXPECT_FALSE(ReadHeaders(Entry(Key("k")) + Entry(Uint(1, 1)), headers));
  EXPECT_TRUE(headers.empty());
  EXPECT_FALSE(ReadHeaders(Uint(2, 1), headers));
  MessageView message;
  EXPECT_FALSE(ReadMessage("\x0a", message));
}

}  // namespace
}  // namespace sluice::wire
