// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/client/daemon.h"
#include "tests/client/short_forms.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

class SenderTest : public DaemonTest {};

SenderOptions To(const std::string& queue) {
  SenderOptions options;
  options.queue = queue;
  return options;
}

TEST_F(SenderTest, EveryMessageGetsOneOutcomeInOrderWithItsPosition) {
  constexpr std::uint32_t kCount = 20'000;
  const std::string queue = Declare(Room(kCount));
  std::vector<SendOutcome> outcomes;  // The callback's, until Close has returned.
  SenderOptions options = To(queue);
  options.on_outcome = [&outcomes](const SendOutcome& outcome) { outcomes.push_back(outcome); };
  Sender sender = OpenSender(std::move(options));
  EXPECT_EQ(sender.opened().capacity, kCount);
  EXPECT_NE(sender.opened().epoch, 0u);
  for (std::uint32_t i = 1; i <= kCount; ++i) {
    const auto sequence = sender.Post(Text("payload"));
    ASSERT_TRUE(sequence.ok()) << sequence.status().ToString();
    ASSERT_EQ(*sequence, i);
  }
  const auto end = sender.Close(kBound);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(end->kind, StreamEnd::Kind::kClosed);
  EXPECT_EQ(end->reason, ClosedReason::kFinished);
  std::uint64_t next = 1;
  for (const SendOutcome& outcome : outcomes) {
    EXPECT_EQ(outcome.outcome, Outcome::kOk);
    EXPECT_EQ(outcome.durability, Durability::kMemory);
    ASSERT_EQ(outcome.first_sequence, next);
    ASSERT_EQ(outcome.first_position, next);
    next += outcome.count;
  }
  EXPECT_EQ(next, kCount + 1);
  EXPECT_EQ(sender.counts().ok, kCount);
  EXPECT_EQ(sender.counts().pending, 0u);
  EXPECT_EQ(Describe(queue).depth, kCount);
}

TEST_F(SenderTest, TryTellsFullForExactlyWhatDoesNotFit) {
  const std::string queue = Declare(Room(3));
  SenderOptions options = To(queue);
  options.mode = SendMode::kTry;
  Sender sender = OpenSender(std::move(options));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(sender.Post(Text("x")).ok());
  EXPECT_TRUE(sender.Flush(kBound).ok());
  EXPECT_EQ(sender.counts().ok, 3u);
  EXPECT_EQ(sender.counts().full, 2u);
  EXPECT_EQ(sender.counts().taken, 5u);
}

TEST_F(SenderTest, WaitingRunsOutAfterTheTimeThatWasGiven) {
  const std::string queue = Declare(Room(1));
  SenderOptions options = To(queue);
  options.wait = milliseconds(20);
  Sender sender = OpenSender(std::move(options));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender.Post(Text("x")).ok());
  EXPECT_TRUE(sender.Flush(kBound).ok());
  EXPECT_EQ(sender.counts().ok, 1u);
  EXPECT_EQ(sender.counts().timed_out, 2u);
}

TEST_F(SenderTest, AFullQueueHoldsTheSenderUntilThereIsRoom) {
  const std::string queue = Declare(Room(1));
  Sender sender = OpenSender(To(queue));
  ASSERT_TRUE(sender.Post(Text("1")).ok());
  ASSERT_TRUE(sender.Flush(kBound).ok());
  ASSERT_TRUE(sender.Post(Text("2")).ok());
  EXPECT_EQ(sender.Flush(kAWhile).reason(), "DEADLINE");
  EXPECT_EQ(sender.counts().pending, 1u);
  const auto purged = client_.PurgeQueue(queue, kBound);
  ASSERT_TRUE(purged.ok());
  EXPECT_TRUE(sender.Flush(kBound).ok());
  EXPECT_EQ(sender.counts().ok, 2u);
}

TEST_F(SenderTest, PendingMessagesAreBoundedByRefusing) {
  const std::string queue = Declare(Room(1));
  SenderOptions options = To(queue);
  options.pending_messages_max = 3;
  options.when_pending = WhenPending::kRefuse;
  Sender sender = OpenSender(std::move(options));
  ASSERT_TRUE(sender.Post(Text("enters")).ok());
  ASSERT_TRUE(sender.Flush(kBound).ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender.Post(Text("waits")).ok());
  const Status refused = sender.Post(Text("too many")).status();
  EXPECT_EQ(refused.reason(), "PENDING_FULL");
  EXPECT_EQ(refused.code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.details().at("messages"), "3");
}

TEST_F(SenderTest, PendingBytesAreBoundedByWaiting) {
  const std::string queue = Declare(Room(1));
  SenderOptions options = To(queue);
  options.pending_bytes_max = 1000;
  Sender sender = OpenSender(std::move(options));
  ASSERT_TRUE(sender.Post(Text("enters")).ok());
  ASSERT_TRUE(sender.Flush(kBound).ok());
  ASSERT_TRUE(sender.Post(Text(std::string(2000, 'x'))).ok());
  EXPECT_EQ(sender.Post(Text("y"), kAWhile).status().reason(), "DEADLINE");
  std::thread waiting([&sender] { EXPECT_TRUE(sender.Post(Text("y"), kBound).ok()); });
  EXPECT_TRUE(client_.PurgeQueue(queue, kBound).ok());
  waiting.join();
}

TEST_F(SenderTest, ResendingUnderTheSameSequenceMakesNoDuplicate) {
  const std::string queue = Declare();
  const std::string producer_id(16, 'p');
  SenderOptions options = To(queue);
  options.producer_id = producer_id;
  {
    Sender sender = OpenSender(options);
    EXPECT_EQ(sender.opened().last_sequence, 0u);
    ASSERT_TRUE(sender.PostAs(5, Text("a")).ok());
    ASSERT_TRUE(sender.PostAs(9, Text("b")).ok());
    EXPECT_EQ(sender.PostAs(9, Text("b")).status().reason(), "BAD_OPTION");
    ASSERT_TRUE(sender.Close(kBound).ok());
    EXPECT_EQ(sender.counts().ok, 2u);
  }
  Sender again = OpenSender(options);
  EXPECT_EQ(again.opened().last_sequence, 9u);
  const auto next = again.Post(Text("c"));
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(*next, 10u);
  ASSERT_TRUE(again.Close(kBound).ok());
  EXPECT_EQ(Describe(queue).accepted, 3u);

  // The unary send goes by the same book.
  SendRequest request;
  request.queue = queue;
  request.producer_id = producer_id;
  request.first_sequence = 9;
  request.messages.push_back(Text("b"));
  const auto reply = client_.Send(request, kBound);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  ASSERT_EQ(reply->outcomes.size(), 1u);
  EXPECT_TRUE(reply->outcomes[0].duplicate);
  EXPECT_EQ(reply->outcomes[0].outcome, Outcome::kOk);
  EXPECT_EQ(Describe(queue).accepted, 3u);
}

TEST_F(SenderTest, ASecondStreamOfAProducerSupersedesTheFirst) {
  const std::string queue = Declare(Room(1));
  std::atomic<std::uint64_t> unknown{0};
  SenderOptions options = To(queue);
  options.producer_id = std::string(16, 'p');
  options.on_outcome = [&unknown](const SendOutcome& outcome) {
    if (outcome.outcome == Outcome::kUnknown) unknown += outcome.count;
  };
  Sender first = OpenSender(options);
  ASSERT_TRUE(first.Post(Text("enters")).ok());
  ASSERT_TRUE(first.Flush(kBound).ok());
  ASSERT_TRUE(first.Post(Text("waits")).ok());
  Sender second = OpenSender(options);
  EXPECT_FALSE(first.Flush(kBound).ok());
  ASSERT_TRUE(first.end().has_value());
  EXPECT_EQ(first.end()->kind, StreamEnd::Kind::kSuperseded) << ToString(*first.end());
  EXPECT_EQ(unknown, 1u);
  EXPECT_EQ(first.counts().unknown, 1u);
  EXPECT_EQ(first.Post(Text("x")).status().reason(), "SUPERSEDED");
  EXPECT_EQ(second.opened().last_sequence, 1u);
}

TEST_F(SenderTest, AClosedQueueAnswersEachMessage) {
  const std::string queue = Declare();
  Sender sender = OpenSender(To(queue));
  ASSERT_TRUE(client_.CloseQueue(queue, kBound).ok());
  ASSERT_TRUE(sender.Post(Text("late")).ok());
  EXPECT_TRUE(sender.Flush(kBound).ok());
  EXPECT_EQ(sender.counts().closed, 1u);
}

TEST_F(SenderTest, ALostDaemonMakesTheRestUnknownAndSaysSo) {
  auto daemon = std::make_unique<Daemon>();
  Client client = Connect(*daemon);
  ASSERT_TRUE(client.DeclareQueue("jobs", Room(1), kBound).ok());
  std::atomic<std::uint64_t> unknown{0};
  SenderOptions options = To("jobs");
  options.reconnect.enabled = false;
  options.on_outcome = [&unknown](const SendOutcome& outcome) {
    if (outcome.outcome == Outcome::kUnknown) unknown += outcome.count;
  };
  auto sender = client.OpenSender(std::move(options), kBound);
  ASSERT_TRUE(sender.ok());
  ASSERT_TRUE(sender->Post(Text("enters")).ok());
  ASSERT_TRUE(sender->Flush(kBound).ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(sender->Post(Text("waits")).ok());
  daemon->Kill();
  const auto end = sender->Close(kBound);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(end->kind, StreamEnd::Kind::kLost);
  EXPECT_EQ(end->status.code(), Code::kUnavailable);
  EXPECT_EQ(unknown, 10u);
  const SendCounts counts = sender->counts();
  EXPECT_EQ(counts.pending, 0u);
  EXPECT_EQ(counts.taken, counts.ok + counts.unknown);
}

TEST_F(SenderTest, TheDestructorDoesNotWaitForRoom) {
  const std::string queue = Declare(Room(1));
  const auto began = std::chrono::steady_clock::now();
  {
    Sender sender = OpenSender(To(queue));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(sender.Post(Text("x")).ok());
    Eventually(queue, [](const QueueDescription& d) { return d.waiting_sends == 1; });
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, kBound);
  // What waited is cancelled, and never appears (N3).
  Eventually(queue,
             [](const QueueDescription& d) { return d.waiting_sends == 0 && d.producers == 0; });
  EXPECT_EQ(Describe(queue).accepted, 1u);
}

TEST_F(SenderTest, CloseGivesUpAtItsDeadline) {
  const std::string queue = Declare(Room(1));
  Sender sender = OpenSender(To(queue));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(sender.Post(Text("x")).ok());
  EXPECT_EQ(sender.Close(kAWhile).status().reason(), "DEADLINE");
  Eventually(queue, [](const QueueDescription& d) { return d.producers == 0; });
}

TEST_F(SenderTest, CallbacksMayNotWaitForThemselves) {
  const std::string queue = Declare();
  std::mutex mutex;
  std::vector<std::string> reasons;
  Sender* self = nullptr;
  SenderOptions options = To(queue);
  options.on_outcome = [&](const SendOutcome&) {
    std::lock_guard lock(mutex);
    if (self != nullptr) reasons.push_back(self->Close(kBound).status().reason());
  };
  Sender sender = OpenSender(std::move(options));
  {
    std::lock_guard lock(mutex);
    self = &sender;
  }
  ASSERT_TRUE(sender.Post(Text("x")).ok());
  ASSERT_TRUE(sender.Flush(kBound).ok());
  std::lock_guard lock(mutex);
  EXPECT_EQ(reasons, std::vector<std::string>{"WOULD_BLOCK"});
}

TEST_F(SenderTest, TextThatIsNotUtf8IsRefusedHereAndTheStreamGoesOn) {
  const std::string queue = Declare();
  Sender sender = OpenSender(To(queue));
  const Status refused = sender.Post({"payload", "\xff", {}, {}}).status();
  EXPECT_EQ(refused.reason(), "BAD_OPTION");
  EXPECT_EQ(refused.details().at("field"), "id");
  ASSERT_TRUE(sender.Post(Text("\xff is fine in a payload")).ok());
  EXPECT_TRUE(sender.Flush(kBound).ok());
  EXPECT_EQ(sender.counts().ok, 1u);
}

TEST_F(SenderTest, ARefusedFrameEndsTheStreamWithFieldAndLimit) {
  Sender sender = OpenSender(To(Declare()));
  constexpr std::uint64_t kDrawnMax = (std::uint64_t{1} << 53) - 1;
  ASSERT_TRUE(sender.PostAs(kDrawnMax + 1, Text("x")).ok());
  const auto end = sender.Close(kBound);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(end->kind, StreamEnd::Kind::kLost);
  EXPECT_EQ(end->status.code(), Code::kInvalidArgument);
  EXPECT_EQ(end->status.reason(), "OUT_OF_BOUNDS");
  EXPECT_EQ(end->status.details().at("limit"), std::to_string(kDrawnMax));
  EXPECT_EQ(sender.counts().unknown, 1u);
}

TEST_F(SenderTest, AnUnknownQueueIsNotFoundUnlessTheSpecComesAlong) {
  const auto missing = client_.OpenSender(To("never.declared"), kBound);
  EXPECT_EQ(missing.status().code(), Code::kNotFound);
  EXPECT_EQ(missing.status().reason(), "QUEUE_NOT_FOUND");
  SenderOptions options = To("declared.by.its.sender");
  options.spec = Room(7);
  EXPECT_EQ(OpenSender(std::move(options)).opened().capacity, 7u);
}

TEST_F(SenderTest, OptionsAreCheckedBeforeAnythingIsSent) {
  SenderOptions options = To("x");
  options.producer_id = "short";
  EXPECT_EQ(client_.OpenSender(options, kBound).status().details().at("field"), "producer_id");
  options = To("x");
  options.reconnect.cap = milliseconds(1);
  EXPECT_EQ(client_.OpenSender(options, kBound).status().details().at("field"), "reconnect.cap");
  options = To("x");
  options.frame_bytes_max = 64 << 20;
  EXPECT_EQ(client_.OpenSender(options, kBound).status().details().at("field"), "frame_bytes_max");
}

TEST_F(SenderTest, ManyThreadsMaySendThroughOneSender) {
  const std::string queue = Declare(Room(100'000));
  Sender sender = OpenSender(To(queue));
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&sender] {
      for (int k = 0; k < kEach; ++k) ASSERT_TRUE(sender.Post(Text("x")).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(sender.Close(kBound).ok());
  EXPECT_EQ(sender.counts().ok, static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_EQ(Describe(queue).accepted, static_cast<std::uint64_t>(kThreads * kEach));
}

}  // namespace
}  // namespace sluice::test
