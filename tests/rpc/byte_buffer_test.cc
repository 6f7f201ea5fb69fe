// SPDX-License-Identifier: Apache-2.0
#include "rpc/byte_buffer.h"

#include <gmock/gmock.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <vector>

#include "rpc/limits.h"
#include "sluice/v1/queue.pb.h"

namespace sluice::rpc {
namespace {

using ::testing::Contains;
using ::testing::Pair;

grpc::ByteBuffer BufferOf(const std::vector<std::string>& parts) {
  std::vector<grpc::Slice> slices;
  for (const std::string& part : parts) slices.emplace_back(part);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

std::string Flattened(const grpc::ByteBuffer& buffer) {
  std::string scratch;
  return std::string(FlatFrame(buffer, scratch).bytes());
}

TEST(FlatFrame, OnePieceIsNotCopied) {
  const std::string bytes(1'000, 'x');
  const grpc::Slice slice(bytes.data(), bytes.size(), grpc::Slice::STATIC_SLICE);
  const grpc::ByteBuffer buffer(&slice, 1);
  std::string scratch = "untouched";
  const FlatFrame frame(buffer, scratch);
  EXPECT_EQ(frame.bytes().data(), bytes.data());
  EXPECT_EQ(frame.bytes().size(), bytes.size());
  EXPECT_EQ(scratch, "untouched");
}

TEST(FlatFrame, AFewBytesStandInTheSliceItself) {
  const grpc::ByteBuffer buffer = BufferOf({"abc"});
  std::string scratch;
  const FlatFrame frame(buffer, scratch);
  EXPECT_EQ(frame.bytes(), "abc");
}

TEST(FlatFrame, PiecesAreJoinedInOrder) {
  std::string scratch = "left from before";
  const grpc::ByteBuffer buffer = BufferOf({"ab", std::string(300, 'c'), "", "d"});
  const FlatFrame frame(buffer, scratch);
  EXPECT_EQ(frame.bytes(), "ab" + std::string(300, 'c') + "d");
}

TEST(FlatFrame, AnEmptyFrameIsEmpty) {
  EXPECT_EQ(Flattened(grpc::ByteBuffer()), "");
  EXPECT_EQ(Flattened(BufferOf({})), "");
  EXPECT_EQ(Flattened(BufferOf({""})), "");
  EXPECT_EQ(Flattened(BufferOf({"", ""})), "");
}

TEST(ByteBuffer, WhatIsSerializedParses) {
  v1::DescribeQueueRequest request;
  request.set_queue("orders");
  v1::DescribeQueueRequest parsed;
  EXPECT_TRUE(Parse(Serialize(request), parsed).ok());
  EXPECT_EQ(parsed.queue(), "orders");
  EXPECT_TRUE(Parse(Serialize(v1::DescribeQueueRequest()), parsed).ok());
  EXPECT_EQ(parsed.queue(), "");
}

TEST(ByteBuffer, AnEmptyFrameIsAMessageOfDefaults) {
  v1::DescribeQueueRequest parsed;
  EXPECT_TRUE(Parse(grpc::ByteBuffer(), parsed).ok());
  EXPECT_EQ(parsed.queue(), "");
}

TEST(ByteBuffer, WhatDoesNotParseIsMalformed) {
  v1::DescribeQueueRequest parsed;
  const Status status = Parse(BufferOf({"\x0a\x05", "ab"}), parsed);
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(status.reason(), "MALFORMED");
  EXPECT_THAT(status.message(), ::testing::HasSubstr("sluice.v1.DescribeQueueRequest"));
  EXPECT_THAT(status.details(), Contains(Pair("field", "frame")));
}

TEST(ByteBuffer, TheSizeOfAFrameIsBounded) {
  // One field of exactly the limit: tag, four bytes of length, the rest.
  v1::DescribeQueueRequest request;
  request.set_queue(std::string(kRequestFrameBytesMax - 5, 'x'));
  ASSERT_EQ(request.ByteSizeLong(), kRequestFrameBytesMax);
  v1::DescribeQueueRequest parsed;
  EXPECT_TRUE(Parse(Serialize(request), parsed).ok());
  request.mutable_queue()->push_back('x');
  const Status over = Parse(Serialize(request), parsed);
  EXPECT_EQ(over.reason(), "OUT_OF_BOUNDS");
  EXPECT_THAT(over.details(), Contains(Pair("field", "frame")));
  EXPECT_THAT(over.details(), Contains(Pair("limit", "4194304")));
  EXPECT_THAT(over.details(), Contains(Pair("value", "4194305")));
}

TEST(MakeFrame, StoredBytesGoOutByReferenceThenTheRest) {
  const auto stored = std::make_shared<const std::string>("0123456789");
  broker::Delivery delivery;
  delivery.slices = {{stored, 2, 3}, {stored, 7, 1}};
  const grpc::ByteBuffer frame = MakeFrame(delivery, "rest");
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(frame.Dump(&slices).ok());
  ASSERT_EQ(slices.size(), 3u);
  EXPECT_EQ(reinterpret_cast<const char*>(slices[0].begin()), stored->data() + 2);
  EXPECT_EQ(reinterpret_cast<const char*>(slices[1].begin()), stored->data() + 7);
  EXPECT_EQ(Flattened(frame), "2347rest");
}

TEST(MakeFrame, TheStoredBytesLiveAsLongAsTheFrame) {
  auto stored = std::make_shared<const std::string>(1'000, 's');
  const std::weak_ptr<const std::string> watch = stored;
  auto frame = std::make_unique<grpc::ByteBuffer>();
  {
    broker::Delivery delivery;
    delivery.slices = {{stored, 0, 1'000}};
    *frame = MakeFrame(delivery, "");
  }
  stored.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(Flattened(*frame), std::string(1'000, 's'));
  grpc::ByteBuffer copy = *frame;
  frame.reset();
  EXPECT_FALSE(watch.expired());
  copy.Clear();
  EXPECT_TRUE(watch.expired());
}

TEST(MakeFrame, WithNothingToTellAFrameIsStillAFrame) {
  const grpc::ByteBuffer frame = MakeFrame({}, "");
  EXPECT_TRUE(frame.Valid());
  EXPECT_EQ(frame.Length(), 0u);
  EXPECT_EQ(Flattened(MakeFrame({}, "rest")), "rest");
}

}  // namespace
}  // namespace sluice::rpc
