// SPDX-License-Identifier: Apache-2.0
#include "rpc/status_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/rpc/raw_client.h"

namespace sluice::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(StatusMap, OkIsBare) {
  const grpc::Status status = ToGrpc(Status());
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_message(), "");
  EXPECT_EQ(status.error_details(), "");
}

TEST(StatusMap, EveryCodeIsItself) {
  const std::pair<Code, grpc::StatusCode> codes[] = {
      {Code::kCancelled, grpc::StatusCode::CANCELLED},
      {Code::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT},
      {Code::kDeadlineExceeded, grpc::StatusCode::DEADLINE_EXCEEDED},
      {Code::kNotFound, grpc::StatusCode::NOT_FOUND},
      {Code::kPermissionDenied, grpc::StatusCode::PERMISSION_DENIED},
      {Code::kResourceExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
      {Code::kFailedPrecondition, grpc::StatusCode::FAILED_PRECONDITION},
      {Code::kAborted, grpc::StatusCode::ABORTED},
      {Code::kUnimplemented, grpc::StatusCode::UNIMPLEMENTED},
      {Code::kInternal, grpc::StatusCode::INTERNAL},
      {Code::kUnavailable, grpc::StatusCode::UNAVAILABLE},
  };
  for (const auto& [ours, theirs] : codes) {
    const Fault fault = FaultOf(ToGrpc(Status(ours, "A_REASON", "why")));
    EXPECT_EQ(fault.code, theirs);
    EXPECT_EQ(fault.message, "why");
    EXPECT_EQ(fault.domain, "sluice");
    EXPECT_EQ(fault.reason, "A_REASON");
    EXPECT_THAT(fault.details, IsEmpty());
    EXPECT_FALSE(fault.retry.has_value());
  }
}

TEST(StatusMap, DetailsTravelInErrorInfo) {
  const Fault fault = FaultOf(ToGrpc(OutOfBounds("capacity", "the most", 10, 11)));
  EXPECT_EQ(fault.reason, "OUT_OF_BOUNDS");
  EXPECT_THAT(fault.details,
              ElementsAre(Pair("field", "capacity"), Pair("limit", "10"), Pair("value", "11")));
}

TEST(StatusMap, RetryInfoSaysHowLong) {
  const auto delay = std::chrono::milliseconds(2'345);
  const Fault fault =
      FaultOf(ToGrpc(Status(Code::kUnavailable, "DRAINING", "later").RetryAfter(delay)));
  EXPECT_EQ(fault.retry, delay);
  EXPECT_EQ(fault.reason, "DRAINING");
}

TEST(StatusMap, LongTextIsCut) {
  const Fault fault = FaultOf(ToGrpc(
      Status(Code::kNotFound, "R", std::string(5'000, 'm')).With("name", std::string(5'000, 'v'))));
  EXPECT_EQ(fault.message, std::string(1'024, 'm'));
  EXPECT_EQ(fault.details.at("name"), std::string(1'024, 'v'));
}

// What does not parse on the other side takes the whole ErrorInfo with it.
TEST(StatusMap, TheCutSparesACharacter) {
  std::string euros;
  while (euros.size() < 3'000) euros += "\xe2\x82\xac";
  const Fault fault =
      FaultOf(ToGrpc(Status(Code::kNotFound, "R", euros).With("name", "a" + euros)));
  EXPECT_EQ(fault.reason, "R");
  EXPECT_EQ(fault.message, euros.substr(0, 1'023));
  EXPECT_EQ(fault.details.at("name"), "a" + euros.substr(0, 1'023));
}

TEST(StatusMap, BytesThatAreNotTextAreReplaced) {
  const Fault fault =
      FaultOf(ToGrpc(Status(Code::kNotFound, "R", "no \xff\xfe here").With("name", "\x80")));
  EXPECT_EQ(fault.reason, "R");
  EXPECT_EQ(fault.message, "no ?? here");
  EXPECT_EQ(fault.details.at("name"), "?");
}

}  // namespace
}  // namespace sluice::rpc
