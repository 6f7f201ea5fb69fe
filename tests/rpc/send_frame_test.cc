// SPDX-License-Identifier: Apache-2.0
#include "rpc/send_frame.h"

#include <gmock/gmock.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include "broker/queue.h"
#include "broker/timers.h"
#include "rpc/limits.h"
#include "sluice/v1/queue.pb.h"
#include "tests/support/manual_clock.h"
#include "tests/wire/encode.h"

namespace sluice::rpc {
namespace {

namespace encode = wire::encode;
using ::testing::Contains;
using ::testing::Pair;

grpc::ByteBuffer BufferOf(const std::string& bytes, std::size_t slice_bytes = 1u << 30) {
  std::vector<grpc::Slice> slices;
  for (std::size_t at = 0; at < bytes.size(); at += slice_bytes) {
    slices.emplace_back(bytes.substr(at, slice_bytes));
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

class SendFrameTest : public ::testing::Test {
 protected:
  std::shared_ptr<broker::Queue> QueueOf(std::uint32_t message_bytes_max) {
    broker::QueueSpec spec;
    spec.message_bytes_max = message_bytes_max;
    const auto effective = broker::Effective(spec, broker::Limits());
    EXPECT_TRUE(effective.ok());
    return broker::Queue::Create("q", *effective, 1, clock_, timers_, memory_);
  }
  void ExpectRefused(const std::string& bytes, std::string_view reason, const std::string& fault,
                     const std::string& field) {
    const Status status = frame_.Scan(BufferOf(bytes));
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_EQ(status.reason(), reason);
    EXPECT_THAT(status.details(), Contains(Pair("fault", fault)));
    EXPECT_THAT(status.details(), Contains(Pair("field", field)));
    EXPECT_EQ(frame_.messages(), 0u);
  }

  testing::ManualClock clock_;
  broker::Timers timers_{[] {}};
  broker::MemoryBudget memory_{broker::kNoMemoryLimit, timers_};
  std::string scratch_;
  SendFrame frame_{scratch_};
};

std::string ManyHeaders(int count, std::size_t value_bytes) {
  std::string fields;
  for (int i = 0; i < count; ++i) {
    fields +=
        encode::Header(std::string(1, static_cast<char>('0' + i)), std::string(value_bytes, 'v'));
  }
  return fields;
}

TEST_F(SendFrameTest, MessagesAreTakenAndTheRestIsLeft) {
  v1::SendRequest request;
  request.set_queue("orders");
  request.set_wait_ms(5);
  request.add_messages()->set_payload("a");
  request.add_messages()->set_payload("bc");
  ASSERT_TRUE(frame_.Scan(BufferOf(request.SerializeAsString())).ok());
  EXPECT_EQ(frame_.messages(), 2u);
  v1::SendRequest rest;
  ASSERT_TRUE(rest.ParseFromString(frame_.rest()));
  EXPECT_EQ(rest.queue(), "orders");
  EXPECT_EQ(rest.wait_ms(), 5u);
  EXPECT_EQ(rest.messages_size(), 0);
  const auto queue = QueueOf(0);
  EXPECT_TRUE(frame_.Check(*queue, 1).ok());
  EXPECT_EQ(frame_.Take().remaining(), 2u);
}

TEST_F(SendFrameTest, AFrameOfSeveralSlicesIsOneFrame) {
  v1::SendRequest request;
  for (int i = 0; i < 10; ++i) request.add_messages()->set_payload(std::string(100, 'a'));
  request.set_queue("orders");
  for (const std::size_t slice_bytes : {1u, 7u, 300u}) {
    const grpc::ByteBuffer buffer = BufferOf(request.SerializeAsString(), slice_bytes);
    ASSERT_TRUE(frame_.Scan(buffer).ok());
    EXPECT_EQ(frame_.messages(), 10u);
    EXPECT_EQ(frame_.Take().remaining(), 10u);
  }
}

TEST_F(SendFrameTest, AnEmptyFrameHasNothing) {
  EXPECT_TRUE(frame_.Scan(grpc::ByteBuffer()).ok());
  EXPECT_EQ(frame_.messages(), 0u);
  EXPECT_EQ(frame_.rest(), "");
}

TEST_F(SendFrameTest, TheFrameIsBounded) {
  const std::string message = encode::Message(encode::Payload(std::string(1'000'000, 'x')));
  std::string bytes = message + message + message + message;
  bytes += encode::Bytes(15, std::string(kRequestFrameBytesMax - bytes.size() - 4, 'x'));
  ASSERT_EQ(bytes.size(), kRequestFrameBytesMax);
  EXPECT_TRUE(frame_.Scan(BufferOf(bytes)).ok());
  EXPECT_EQ(frame_.messages(), 4u);
  bytes.push_back('x');
  const Status over = frame_.Scan(BufferOf(bytes));
  EXPECT_EQ(over.reason(), "OUT_OF_BOUNDS");
  EXPECT_THAT(over.details(), Contains(Pair("field", "frame")));
  EXPECT_THAT(over.details(), Contains(Pair("limit", "4194304")));
  EXPECT_THAT(over.details(), Contains(Pair("value", "4194305")));
  EXPECT_EQ(frame_.messages(), 0u);
}

TEST_F(SendFrameTest, TheMessagesOfAFrameAreBounded) {
  std::string bytes;
  for (std::uint32_t i = 0; i < kFrameMessagesMax; ++i) bytes += encode::Message("");
  EXPECT_TRUE(frame_.Scan(BufferOf(bytes)).ok());
  EXPECT_EQ(frame_.messages(), kFrameMessagesMax);
  bytes += encode::Message("");
  ExpectRefused(bytes, "OUT_OF_BOUNDS", "TOO_MANY", "messages");
}

TEST_F(SendFrameTest, HeadersAreBounded) {
  EXPECT_TRUE(frame_.Scan(BufferOf(encode::Message(ManyHeaders(64, 1)))).ok());
  ExpectRefused(encode::Message(ManyHeaders(65, 1)), "OUT_OF_BOUNDS", "TOO_MANY", "headers");
  // 8 KiB of keys and values: eight keys of one byte, values of 1,023.
  EXPECT_TRUE(frame_.Scan(BufferOf(encode::Message(ManyHeaders(8, 1'023)))).ok());
  ExpectRefused(encode::Message(ManyHeaders(8, 1'023) + encode::Header("", "v")), "OUT_OF_BOUNDS",
                "TOO_LARGE", "headers");
}

TEST_F(SendFrameTest, WhatAParserWouldRefuseIsRefusedAndLocated) {
  const std::string good = encode::Message(encode::Payload("p"));
  ExpectRefused(good + encode::Message(encode::Id("\xff")), "MALFORMED", "BAD_UTF8", "id");
  const Status status = frame_.Scan(BufferOf(good + encode::Message(encode::Id("\xff"))));
  EXPECT_THAT(status.details(), Contains(Pair("index", "1")));
  ExpectRefused(good + "\x0a\x05", "MALFORMED", "TRUNCATED", "messages");
  ExpectRefused(encode::Message(encode::Tag(1, 3)), "MALFORMED", "GROUP", "payload");
}

// The queue's own limit counts the encoded message, not its tag and length.
TEST_F(SendFrameTest, TheQueuesOwnLimitIsChecked) {
  const auto queue = QueueOf(2'000);
  // A payload field: tag, two bytes of length, bytes.
  const std::string at = encode::Payload(std::string(1'997, 'x'));
  const std::string over = encode::Payload(std::string(1'998, 'x'));
  ASSERT_EQ(at.size(), 2'000u);
  ASSERT_TRUE(frame_.Scan(BufferOf(encode::Message(at) + encode::Message(at))).ok());
  EXPECT_TRUE(frame_.Check(*queue, 1).ok());
  ASSERT_TRUE(frame_.Scan(BufferOf(encode::Message(at) + encode::Message(over))).ok());
  const Status refused = frame_.Check(*queue, 1);
  EXPECT_EQ(refused.reason(), "OUT_OF_BOUNDS");
  EXPECT_THAT(refused.details(), Contains(Pair("index", "1")));
  EXPECT_THAT(refused.details(), Contains(Pair("limit", "2000")));
  EXPECT_THAT(refused.details(), Contains(Pair("value", "2001")));
}

// Some encoders pad the length: that does not make the message larger.
TEST_F(SendFrameTest, APaddedLengthIsNotCounted) {
  const auto queue = QueueOf(2'000);
  const std::string at = encode::Payload(std::string(1'997, 'x'));
  for (const std::size_t length_bytes : {2u, 3u, 4u, 5u}) {
    const std::string record = encode::Tag(1, 2) + encode::Varint(at.size(), length_bytes) + at;
    ASSERT_TRUE(frame_.Scan(BufferOf(record)).ok());
    EXPECT_TRUE(frame_.Check(*queue, 1).ok()) << length_bytes;
  }
}

// Every sequence is one that JavaScript can count: the last message's is at most 2^53 - 1.
TEST_F(SendFrameTest, SequencesEndBelowTwoToThe53) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 53) - 1;
  const auto queue = QueueOf(0);
  ASSERT_TRUE(frame_.Scan(BufferOf(encode::Message("") + encode::Message(""))).ok());
  EXPECT_TRUE(frame_.Check(*queue, 0).ok());
  EXPECT_TRUE(frame_.Check(*queue, kMost - 1).ok());  // the second is kMost
  for (const std::uint64_t first : {kMost, kMost + 1, ~std::uint64_t{0}}) {
    const Status refused = frame_.Check(*queue, first);
    EXPECT_EQ(refused.reason(), "OUT_OF_BOUNDS") << first;
    EXPECT_THAT(refused.details(), Contains(Pair("field", "first_sequence")));
  }
}

TEST_F(SendFrameTest, TheNextScanForgetsTheLast) {
  ASSERT_TRUE(frame_.Scan(BufferOf(encode::Message("") + encode::Uint(9, 1))).ok());
  ASSERT_TRUE(frame_.Scan(BufferOf(encode::Uint(8, 1))).ok());
  EXPECT_EQ(frame_.messages(), 0u);
  EXPECT_EQ(frame_.rest(), encode::Uint(8, 1));
  frame_.Clear();
  EXPECT_EQ(frame_.rest(), "");
}

}  // namespace
}  // namespace sluice::rpc
