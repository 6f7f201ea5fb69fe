// SPDX-License-Identifier: Apache-2.0
#include "sluice/reply_parts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "tests/client/request_case.h"

namespace sluice::test {
namespace {

class ReplyPartsTest : public RequestCase {
 protected:
  ReplyParts CallParts(std::uint32_t window = 16) {
    auto parts = caller_.CallParts(Message{"x", {}, {}, {}}, {}, window);
    if (!parts.ok()) throw std::runtime_error(parts.status().ToString());
    return *std::move(parts);
  }
  static CallPart Take(ReplyParts& parts) {
    auto part = parts.Next(kBound);
    if (!part.ok()) throw std::runtime_error(part.status().ToString());
    return *std::move(part);
  }

  Caller caller_ = Ask();
};

TEST_F(ReplyPartsTest, PartsComeInOrderAndTheLastIsMarked) {
  constexpr int kParts = 100;
  Responder responder = Serve([](Request& request, Reply reply) {
    EXPECT_TRUE(request.wants_parts());
    for (int i = 1; i < kParts; ++i) ASSERT_TRUE(reply.SendPart(std::to_string(i), kBound).ok());
    EXPECT_TRUE(reply.Send(std::to_string(kParts)).ok());
  });
  ReplyParts parts = CallParts(4);
  for (int i = 1; i <= kParts; ++i) {
    const CallPart part = Take(parts);
    ASSERT_EQ(part.message.payload, std::to_string(i));
    ASSERT_EQ(part.last, i == kParts);
    ASSERT_EQ(part.outcome, Outcome::kOk);
  }
  EXPECT_EQ(parts.Next(kBound).status().reason(), "STREAM_ENDED");
}

TEST_F(ReplyPartsTest, WhoDoesNotTakePartsHoldsTheWorkerBack) {
  std::atomic<int> sent{0};
  Responder responder = Serve([&sent](Request&, Reply reply) {
    for (int i = 0; i < 20; ++i) {
      if (!reply.SendPart("x", kBound).ok()) return;
      ++sent;
    }
    (void)reply.Finish();
  });
  ReplyParts parts = CallParts(2);
  const Deadline deadline(kBound);
  while (sent < 2) ASSERT_FALSE(deadline.has_passed());
  std::this_thread::yield();
  EXPECT_EQ(sent, 2) << "the window is used up";
  int taken = 0;
  for (CallPart part = Take(parts); !part.last; part = Take(parts)) ++taken;
  EXPECT_EQ(taken, 20);
}

TEST_F(ReplyPartsTest, AWorkerThatMayNotSendMoreGivesUpAtItsDeadline) {
  Responder responder = Pull();
  ReplyParts parts = CallParts(1);
  ReceivedRequest held = Next(responder);
  EXPECT_TRUE(held.reply.SendPart("1", kBound).ok());
  EXPECT_EQ(held.reply.SendPart("2", kAWhile).reason(), "DEADLINE");
  // A last message behind parts waits for its credit by itself.
  EXPECT_TRUE(held.reply.Send("last").ok());
  EXPECT_EQ(Take(parts).message.payload, "1");
  const CallPart last = Take(parts);
  EXPECT_EQ(last.message.payload, "last");
  EXPECT_TRUE(last.last);
}

TEST_F(ReplyPartsTest, AFailureBehindPartsEndsTheReply) {
  Responder responder = Serve([](Request&, Reply reply) {
    ASSERT_TRUE(reply.SendPart("1", kBound).ok());
    (void)reply.Fail("BROKEN", "halfway");
  });
  ReplyParts parts = CallParts();
  EXPECT_EQ(Take(parts).message.payload, "1");
  const CallPart end = Take(parts);
  EXPECT_TRUE(end.last);
  EXPECT_EQ(end.outcome, Outcome::kFailed);
  EXPECT_EQ(end.failure.code, "BROKEN");
}

TEST_F(ReplyPartsTest, LeavingTellsTheWorker) {
  Responder responder = Pull();
  auto parts = std::make_unique<ReplyParts>(CallParts(1));
  ReceivedRequest held = Next(responder);
  ASSERT_TRUE(held.reply.SendPart("1", kBound).ok());
  EXPECT_EQ(Take(*parts).message.payload, "1");
  std::thread waits([&held] {
    Status status;
    do status = held.reply.SendPart("more", kBound);
    while (status.ok());
    EXPECT_EQ(status.code(), Code::kCancelled) << status.ToString();
  });
  parts.reset();
  waits.join();
  const Deadline deadline(kBound);
  while (!held.request.is_cancelled()) ASSERT_FALSE(deadline.has_passed());
}

TEST_F(ReplyPartsTest, WhoWantsItInOneGetsThePartsJoined) {
  Responder responder = Serve([](Request& request, Reply reply) {
    EXPECT_FALSE(request.wants_parts());
    for (const char* part : {"a", "b", "c"}) ASSERT_TRUE(reply.SendPart(part, kBound).ok());
    (void)reply.Finish();
  });
  const auto reply = caller_.Call("x").Wait(kBound);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->message.payload, "abc");
}

TEST_F(ReplyPartsTest, AReplyThatGrowsTooLargeIsTold) {
  Responder responder = Serve([](Request&, Reply reply) {
    const std::string part(600 << 10, 'x');
    while (reply.SendPart(part, kBound).ok()) {
    }
  });
  const auto reply = caller_.Call("x").Wait(kBound);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->outcome, Outcome::kReplyTooLarge);
  const Deadline deadline(kBound);
  while (responder.stats().refused == 0) ASSERT_FALSE(deadline.has_passed());
}

TEST_F(ReplyPartsTest, ManyRepliesInPartsDoNotHoldEachOther) {
  ResponderOptions options = ServeOptions([](Request&, Reply reply) {
    for (int i = 0; i < 10; ++i) {
      if (!reply.SendPart("x", kBound).ok()) return;
    }
    (void)reply.Finish();
  });
  options.threads = 2;
  Responder responder = Serve(client_, std::move(options));
  ReplyParts stalled = CallParts(1);
  ReplyParts flows = CallParts(1);
  int taken = 0;
  for (CallPart part = Take(flows); !part.last; part = Take(flows)) ++taken;
  EXPECT_EQ(taken, 10);
}

}  // namespace
}  // namespace sluice::test
