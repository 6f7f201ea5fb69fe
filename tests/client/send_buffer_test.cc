// SPDX-License-Identifier: Apache-2.0
#include "send_buffer.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "sluice/v1/queue.pb.h"
#include "tests/client/short_forms.h"
#include "tests/support/seed.h"

namespace sluice {
namespace {

using test::Text;

v1::SendStreamRequest Parsed(const std::shared_ptr<const std::string>& frame) {
  v1::SendStreamRequest request;
  EXPECT_TRUE(request.ParseFromString(*frame));
  return request;
}

std::vector<std::string> PayloadsOf(const v1::SendStreamRequest& request) {
  std::vector<std::string> payloads;
  for (const v1::Message& message : request.messages()) payloads.push_back(message.payload());
  return payloads;
}

TEST(SendBuffer, MessagesGatherInOneFrameWithTheFirstSequence) {
  SendBuffer buffer(1000, true);
  buffer.Append(7, Text("a"));
  buffer.Append(8, Text("b"));
  ASSERT_TRUE(buffer.has_frame());
  const auto frame = Parsed(buffer.TakeFrame());
  EXPECT_EQ(PayloadsOf(frame), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(frame.first_sequence(), 7u);
  EXPECT_FALSE(buffer.has_frame());
  EXPECT_EQ(buffer.pending_messages(), 2u);
}

TEST(SendBuffer, AGapInTheSequencesBeginsAFrame) {
  SendBuffer buffer(1000, true);
  buffer.Append(1, Text("a"));
  buffer.Append(3, Text("b"));
  EXPECT_EQ(PayloadsOf(Parsed(buffer.TakeFrame())), std::vector<std::string>{"a"});
  const auto second = Parsed(buffer.TakeFrame());
  EXPECT_EQ(PayloadsOf(second), std::vector<std::string>{"b"});
  EXPECT_EQ(second.first_sequence(), 3u);
}

TEST(SendBuffer, AFrameIsFullAtItsBytesButTakesOneMessageOfAnySize) {
  SendBuffer buffer(100, true);
  const std::string large(500, 'x');
  buffer.Append(1, Text("a"));
  buffer.Append(2, Text(large));
  buffer.Append(3, Text("b"));
  EXPECT_EQ(PayloadsOf(Parsed(buffer.TakeFrame())).size(), 1u);
  EXPECT_EQ(PayloadsOf(Parsed(buffer.TakeFrame())), std::vector<std::string>{large});
  EXPECT_EQ(PayloadsOf(Parsed(buffer.TakeFrame())), std::vector<std::string>{"b"});
}

TEST(SendBuffer, EveryFieldOfAMessageTravels) {
  SendBuffer buffer(1000, true);
  const std::vector<Header> headers = {{"k", "v"}, {"l", ""}};
  buffer.Append(1, {"payload", "id", "text/plain", headers});
  const auto frame = Parsed(buffer.TakeFrame());
  ASSERT_EQ(frame.messages_size(), 1);
  const v1::Message& message = frame.messages(0);
  EXPECT_EQ(message.payload(), "payload");
  EXPECT_EQ(message.id(), "id");
  EXPECT_EQ(message.content_type(), "text/plain");
  ASSERT_EQ(message.headers().size(), 2u);
  EXPECT_EQ(message.headers().at("k"), "v");
  EXPECT_EQ(message.headers().at("l"), "");
}

TEST(SendBuffer, WhatIsLeftPendingIsToldInOrderAndOnce) {
  SendBuffer buffer(1000, true);
  for (std::uint64_t sequence = 1; sequence <= 10; ++sequence) buffer.Append(sequence, Text("x"));
  EXPECT_EQ(buffer.Answer(4, 3), 3u);
  EXPECT_EQ(buffer.Answer(4, 3), 0u) << "answered before";
  const auto pending = buffer.Pending();
  ASSERT_EQ(pending.size(), 2u);
  EXPECT_EQ(pending[0].first, 1u);
  EXPECT_EQ(pending[0].count, 3u);
  EXPECT_EQ(pending[1].first, 7u);
  EXPECT_EQ(pending[1].count, 4u);
  EXPECT_EQ(buffer.first_pending(), 1u);
}

// Clauses: N9
TEST(SendBuffer, WhatIsOutAndUnansweredGoesAgainInFrontOfWhatWaits) {
  SendBuffer buffer(1000, true);
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    buffer.Append(sequence, Text("first " + std::to_string(sequence)));
  }
  (void)buffer.TakeFrame();
  buffer.AppendEncoded(4, SendBuffer::Encode(Text(std::string(200, 'x'))));
  (void)buffer.TakeFrame();
  buffer.Append(5, Text("waits"));
  ASSERT_EQ(buffer.Sent().size(), 1u);
  EXPECT_EQ(buffer.Sent()[0].count, 4u);
  EXPECT_EQ(buffer.Answer(1, 2), 2u);
  EXPECT_EQ(buffer.Rewind(), 2u);
  ASSERT_EQ(buffer.Sent().size(), 1u) << "they may have arrived the first time";
  EXPECT_EQ(buffer.Sent()[0].count, 2u);
  auto frame = Parsed(buffer.TakeFrame());
  EXPECT_EQ(frame.first_sequence(), 3u);
  EXPECT_EQ(PayloadsOf(frame), std::vector<std::string>{"first 3"});
  frame = Parsed(buffer.TakeFrame());
  EXPECT_EQ(frame.first_sequence(), 4u);
  EXPECT_EQ(PayloadsOf(frame), std::vector<std::string>{std::string(200, 'x')});
  frame = Parsed(buffer.TakeFrame());
  EXPECT_EQ(frame.first_sequence(), 5u);
  EXPECT_EQ(buffer.Answer(3, 3), 3u);
  EXPECT_EQ(buffer.Rewind(), 0u) << "what is answered is not kept";
}

// Clauses: N9
TEST(SendBuffer, WhatWasOutBeforeALossIsOutUntilItIsAnswered) {
  SendBuffer buffer(10, true);
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) {
    buffer.Append(sequence, Text("a message " + std::to_string(sequence)));
  }
  for (int i = 0; i < 3; ++i) (void)buffer.TakeFrame();
  EXPECT_EQ(buffer.Rewind(), 3u);
  (void)buffer.TakeFrame();  // And the stream is lost again.
  ASSERT_EQ(buffer.Sent().size(), 1u);
  EXPECT_EQ(buffer.Sent()[0].count, 3u);
  buffer.RewindUnsent();
  EXPECT_EQ(Parsed(buffer.TakeFrame()).first_sequence(), 4u);
  EXPECT_FALSE(buffer.has_frame());
}

TEST(SendBuffer, WhatWasRefusedWasNeverOut) {
  SendBuffer buffer(1000, true);
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    buffer.Append(sequence, Text("message " + std::to_string(sequence)));
  }
  (void)buffer.TakeFrame();
  buffer.NoteRefused(3);
  buffer.Append(6, Text("comes too late"));
  (void)buffer.TakeFrame();  // Written on the stream that ends.
  buffer.Append(7, Text("waits"));
  ASSERT_EQ(buffer.Sent().size(), 1u);
  EXPECT_EQ(buffer.Sent()[0].count, 2u);
  buffer.RewindUnsent();
  const auto frame = Parsed(buffer.TakeFrame());
  EXPECT_EQ(frame.first_sequence(), 3u);
  EXPECT_EQ(PayloadsOf(frame), (std::vector<std::string>{"message 3", "message 4", "message 5"}));
  EXPECT_EQ(PayloadsOf(Parsed(buffer.TakeFrame())), std::vector<std::string>{"comes too late"});
  EXPECT_EQ(PayloadsOf(Parsed(buffer.TakeFrame())), std::vector<std::string>{"waits"});
}

TEST(SendBuffer, AFrameHasNoMoreMessagesThanTheDaemonTakes) {
  SendBuffer buffer(4 << 20, true);
  for (std::uint64_t sequence = 1; sequence <= 65'537; ++sequence)
    buffer.Append(sequence, Text(""));
  EXPECT_EQ(Parsed(buffer.TakeFrame()).messages_size(), 65'536);
  EXPECT_EQ(Parsed(buffer.TakeFrame()).first_sequence(), 65'537u);
}

// Random appends and answers against a set of sequences: the account agrees at every step, and the
// bytes are gone exactly when the messages are.
TEST(SendBuffer, TheAccountAgreesWithASet) {
  const std::uint64_t seed = testing::Seed("SendBuffer.TheAccountAgreesWithASet");
  std::mt19937_64 random(seed);
  SendBuffer buffer(200, true);
  std::set<std::uint64_t> model;
  std::uint64_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0) {
      next += random() % 3 == 0 ? random() % 5 : 0;
      buffer.Append(next, Text(std::string(random() % 50, 'x')));
      model.insert(next++);
    } else {
      const std::uint64_t first = next > 40 ? next - random() % 40 : 1;
      const auto count = static_cast<std::uint32_t>(1 + random() % 10);
      const auto begin = model.lower_bound(first);
      const auto end = model.lower_bound(first + count);
      const auto expected = static_cast<std::uint32_t>(std::distance(begin, end));
      model.erase(begin, end);
      ASSERT_EQ(buffer.Answer(first, count), expected) << "seed " << seed << " step " << step;
    }
    if (random() % 8 == 0 && buffer.has_frame()) (void)buffer.TakeFrame();
    if (random() % 64 == 0) {
      const bool has_sent = !buffer.Sent().empty();
      (void)buffer.Rewind();
      if (has_sent && buffer.has_frame()) {
        const std::uint64_t first = *model.begin();
        ASSERT_EQ(Parsed(buffer.TakeFrame()).first_sequence(), first) << "seed " << seed;
      }
    }
    ASSERT_EQ(buffer.pending_messages(), model.size()) << "seed " << seed << " step " << step;
    ASSERT_EQ(buffer.pending_bytes() == 0, model.empty()) << "seed " << seed << " step " << step;
  }
  std::set<std::uint64_t> left;
  for (const SendBuffer::Range& range : buffer.Pending()) {
    for (std::uint64_t i = 0; i < range.count; ++i) left.insert(range.first + i);
  }
  EXPECT_EQ(left, model) << "seed " << seed;
}

}  // namespace
}  // namespace sluice
