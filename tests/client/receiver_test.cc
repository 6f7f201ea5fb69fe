// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/client/daemon.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

class ReceiverTest : public DaemonTest {
 protected:
  // The next messages, `count` of them, in one vector; the batches they were in go.
  static std::vector<std::string> Take(Receiver& receiver, std::size_t count) {
    std::vector<std::string> payloads;
    Batch batch;
    while (payloads.size() < count && receiver.Next(batch, kBound) == NextOutcome::kGiven) {
      for (const Delivery& delivery : batch) payloads.emplace_back(delivery.payload);
    }
    return payloads;
  }
};

ReceiverOptions From(const std::string& queue, std::uint32_t credit = 1024) {
  ReceiverOptions options;
  options.queue = queue;
  options.credit.messages = credit;
  return options;
}

TEST_F(ReceiverTest, MessagesComeWithEverythingTheSenderAndTheBrokerSaid) {
  const std::string queue = Declare();
  const std::vector<Header> headers = {{"trace", "7"}, {"empty", ""}};
  SendRequest request;
  request.queue = queue;
  request.messages.push_back({"payload", "id-1", "text/plain", headers});
  ASSERT_TRUE(client_.Send(request, kBound).ok());

  Receiver receiver = OpenReceiver(From(queue));
  ASSERT_TRUE(receiver.attachment().has_value());
  EXPECT_GT(receiver.attachment()->lease, 0u);
  EXPECT_GT(receiver.attachment()->fence, 0u);
  EXPECT_NE(receiver.attachment()->epoch, 0u);
  EXPECT_EQ(receiver.attachment()->max_in_flight, 1024u);
  Batch batch;
  ASSERT_EQ(receiver.Next(batch, kBound), NextOutcome::kGiven);
  ASSERT_EQ(batch.size(), 1u);
  const Delivery& delivery = batch[0];
  EXPECT_EQ(delivery.payload, "payload");
  EXPECT_EQ(delivery.id, "id-1");
  EXPECT_EQ(delivery.content_type, "text/plain");
  EXPECT_EQ(delivery.position, 1u);
  EXPECT_EQ(delivery.attempts, 1u);
  EXPECT_EQ(delivery.failures, 0u);
  EXPECT_GT(delivery.accepted_unix_us, 0u);
  const std::vector<Header> seen = delivery.Headers();
  ASSERT_EQ(seen.size(), 2u);
  for (const Header& header : seen) EXPECT_EQ(header.value, header.key == "trace" ? "7" : "");

  EXPECT_TRUE(receiver.Ack(batch).ok());
  EXPECT_TRUE(receiver.FlushSettlements(kBound).ok());
  EXPECT_EQ(receiver.counts().settled, 1u);
  EXPECT_EQ(Describe(queue).settled, 1u);
}

TEST_F(ReceiverTest, ABatchWhoseCallbackThrowsIsNackedAndCounted) {
  const std::string queue = Declare();
  Fill(queue, 1);
  ReceiverOptions options = From(queue);
  options.on_batch = [](Receiver& receiver, Batch& batch) {
    if (batch[0].failures == 0) throw std::runtime_error("not today");
    EXPECT_TRUE(receiver.Ack(batch).ok());
    EXPECT_TRUE(receiver.StopReceiving().ok());
  };
  Receiver receiver = OpenReceiver(std::move(options));
  Batch none;
  ASSERT_EQ(receiver.Next(none, kBound), NextOutcome::kEnded);
  EXPECT_EQ(receiver.stats().exceptions, 1u);
  EXPECT_EQ(receiver.counts().settled, 2u);  // The nack and the ack.
}

TEST_F(ReceiverTest, NextWaitsForAMessageAndForNoLongerThanItsDeadline) {
  const std::string queue = Declare();
  Receiver receiver = OpenReceiver(From(queue));
  Batch batch;
  EXPECT_EQ(receiver.Next(batch, kAWhile), NextOutcome::kTimedOut);
  Fill(queue, 1);
  EXPECT_EQ(receiver.Next(batch, kBound), NextOutcome::kGiven);
}

TEST_F(ReceiverTest, CreditBoundsWhatIsHeldAndSettlingFrees) {
  const std::string queue = Declare();
  Fill(queue, 10);
  Receiver receiver = OpenReceiver(From(queue, 3));
  EXPECT_EQ(Take(receiver, 3), (std::vector<std::string>{"1", "2", "3"}));
  Batch batch;
  EXPECT_EQ(receiver.Next(batch, kAWhile), NextOutcome::kTimedOut) << "more than the credit came";
  EXPECT_EQ(Describe(queue).in_flight, 3u);
  ASSERT_TRUE(receiver.Ack(PositionRange{1, 2}).ok());
  EXPECT_EQ(Take(receiver, 2), (std::vector<std::string>{"4", "5"}));
  ASSERT_TRUE(receiver.SetCredit({100, 0}).ok());
  EXPECT_EQ(Take(receiver, 5).size(), 5u);
}

TEST_F(ReceiverTest, ANackComesBackWithAFailureAndAReleaseWithout) {
  const std::string queue = Declare();
  Fill(queue, 2);
  Receiver receiver = OpenReceiver(From(queue));
  ASSERT_EQ(Take(receiver, 2).size(), 2u);
  ASSERT_TRUE(receiver.Nack({1, 1}).ok());
  ASSERT_TRUE(receiver.Release({2, 1}).ok());
  std::vector<Delivery> again;
  Batch batch;
  std::vector<std::uint64_t> failures(3);
  for (std::size_t seen = 0; seen < 2; seen += batch.size()) {
    ASSERT_EQ(receiver.Next(batch, kBound), NextOutcome::kGiven);
    for (const Delivery& delivery : batch) {
      ASSERT_LT(delivery.position, failures.size());
      failures[delivery.position] = delivery.failures;
      EXPECT_EQ(delivery.attempts, 2u);
    }
  }
  EXPECT_EQ(failures[1], 1u);
  EXPECT_EQ(failures[2], 0u);
}

TEST_F(ReceiverTest, ADelayedNackStaysAwayForItsDelay) {
  const std::string queue = Declare();
  Fill(queue, 1);
  Receiver receiver = OpenReceiver(From(queue));
  ASSERT_EQ(Take(receiver, 1).size(), 1u);
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(receiver.Nack({1, 1}, milliseconds(200)).ok());
  ASSERT_TRUE(receiver.FlushSettlements(kBound).ok());
  EXPECT_EQ(Take(receiver, 1), std::vector<std::string>{"1"});
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(200));
}

TEST_F(ReceiverTest, SettlingWhatIsNotHeldIsStale) {
  const std::string queue = Declare();
  Fill(queue, 1);
  std::atomic<bool> is_stale{false};
  ReceiverOptions options = From(queue);
  options.on_settled = [&is_stale](const SettleResult& result) {
    if (result.outcome == Outcome::kStale && result.not_held == 1) is_stale = true;
  };
  Receiver receiver = OpenReceiver(std::move(options));
  ASSERT_EQ(Take(receiver, 1).size(), 1u);
  ASSERT_TRUE(receiver.Ack(PositionRange{1, 1}).ok());
  ASSERT_TRUE(receiver.FlushSettlements(kBound).ok());
  EXPECT_FALSE(is_stale);
  ASSERT_TRUE(receiver.Ack(PositionRange{1, 1}).ok());
  ASSERT_TRUE(receiver.FlushSettlements(kBound).ok());
  EXPECT_TRUE(is_stale);
  EXPECT_EQ(receiver.counts().settled, 1u);
  EXPECT_EQ(receiver.counts().not_held, 1u);
}

TEST_F(ReceiverTest, AnExtendedDeliveryOutlivesItsAckTimeout) {
  const std::string queue = Declare();
  Fill(queue, 2);
  ReceiverOptions options = From(queue);
  options.ack_timeout = milliseconds(1'500);
  Receiver receiver = OpenReceiver(std::move(options));
  ASSERT_EQ(Take(receiver, 2).size(), 2u);
  ASSERT_TRUE(receiver.Extend({1, 1}, std::chrono::hours(1)).ok());
  // The one that was not extended comes back, with a failure.
  Batch batch;
  ASSERT_EQ(receiver.Next(batch, kBound), NextOutcome::kGiven);
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].position, 2u);
  EXPECT_EQ(batch[0].failures, 1u);
  ASSERT_TRUE(receiver.Ack(PositionRange{1, 1}).ok());
  ASSERT_TRUE(receiver.FlushSettlements(kBound).ok());
  EXPECT_EQ(receiver.counts().expired, 0u);
}

TEST_F(ReceiverTest, StopReceivingLetsWhatIsHeldBeSettledAndThenEnds) {
  const std::string queue = Declare();
  Fill(queue, 5);
  Receiver receiver = OpenReceiver(From(queue, 3));
  ASSERT_EQ(Take(receiver, 3).size(), 3u);
  ASSERT_TRUE(receiver.StopReceiving().ok());
  Batch batch;
  EXPECT_EQ(receiver.Next(batch, kAWhile), NextOutcome::kTimedOut);
  ASSERT_TRUE(receiver.Ack(PositionRange{1, 3}).ok());
  EXPECT_EQ(receiver.Next(batch, kBound), NextOutcome::kEnded);
  ASSERT_TRUE(receiver.end().has_value());
  EXPECT_EQ(receiver.end()->kind, StreamEnd::Kind::kClosed);
  EXPECT_EQ(receiver.end()->reason, ClosedReason::kFinished);
  EXPECT_EQ(Describe(queue).depth, 2u);
  EXPECT_FALSE(receiver.Ack(PositionRange{4, 1}).ok());
}

TEST_F(ReceiverTest, CloseHandsBackWithoutAFailure) {
  const std::string queue = Declare();
  Fill(queue, 3);
  Receiver receiver = OpenReceiver(From(queue));
  ASSERT_EQ(Take(receiver, 3).size(), 3u);
  const auto end = receiver.Close(kBound);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(end->reason, ClosedReason::kFinished);
  const QueueDescription description = Describe(queue);
  EXPECT_EQ(description.depth, 3u);
  EXPECT_EQ(description.failures, 0u);
  EXPECT_EQ(description.in_flight, 0u);
}

TEST_F(ReceiverTest, TheDestructorIsALossAndWhatWasHeldGoesBack) {
  const std::string queue = Declare();
  Fill(queue, 3);
  {
    Receiver receiver = OpenReceiver(From(queue));
    ASSERT_EQ(Take(receiver, 3).size(), 3u);
  }
  const QueueDescription description =
      Eventually(queue, [](const QueueDescription& d) { return d.in_flight == 0; });
  EXPECT_EQ(description.depth, 3u);
  EXPECT_EQ(description.failures, 3u);
}

TEST_F(ReceiverTest, ASecondConsumerIsRefusedStandsByOrTakesOver) {
  const std::string queue = Declare();
  Receiver first = OpenReceiver(From(queue));
  const auto refused = client_.OpenReceiver(From(queue), kBound);
  EXPECT_EQ(refused.status().reason(), "CONSUMER_PRESENT");
  EXPECT_EQ(refused.status().code(), Code::kFailedPrecondition);

  ReceiverOptions options = From(queue);
  options.mode = AttachMode::kStandby;
  Receiver standby = OpenReceiver(options);
  EXPECT_FALSE(standby.attachment().has_value());

  options.mode = AttachMode::kTakeOver;
  Receiver second = OpenReceiver(options);
  ASSERT_TRUE(second.attachment().has_value());
  EXPECT_GT(second.attachment()->fence, first.attachment()->fence);
  Batch batch;
  EXPECT_EQ(first.Next(batch, kBound), NextOutcome::kEnded);
  ASSERT_TRUE(first.end().has_value());
  EXPECT_EQ(first.end()->kind, StreamEnd::Kind::kSuperseded) << ToString(*first.end());
  EXPECT_EQ(first.end()->fence, second.attachment()->fence);

  ASSERT_TRUE(second.Close(kBound).ok());
  Fill(queue, 1);
  EXPECT_EQ(Take(standby, 1), std::vector<std::string>{"1"});
  EXPECT_TRUE(standby.attachment().has_value());
}

TEST_F(ReceiverTest, AutoAckSettlesWithoutAWord) {
  const std::string queue = Declare();
  Fill(queue, 5);
  ReceiverOptions options = From(queue, 1);
  options.auto_ack = true;
  Receiver receiver = OpenReceiver(std::move(options));
  EXPECT_EQ(Take(receiver, 5).size(), 5u);
  Eventually(queue, [](const QueueDescription& d) { return d.settled == 5; });
}

TEST_F(ReceiverTest, CallbacksGetEveryBatchAndMaySettle) {
  const std::string queue = Declare();
  Fill(queue, 1000);
  std::vector<std::string> payloads;  // The callback's, until the end.
  ReceiverOptions options = From(queue, 10);
  options.on_batch = [&payloads](Receiver& receiver, Batch& batch) {
    for (const Delivery& delivery : batch) payloads.emplace_back(delivery.payload);
    EXPECT_TRUE(receiver.Ack(batch).ok());
    EXPECT_EQ(receiver.FlushSettlements(kBound).reason(), "WOULD_BLOCK");
    if (payloads.size() == 1000) {
      EXPECT_TRUE(receiver.StopReceiving().ok());
    }
  };
  Receiver receiver = OpenReceiver(std::move(options));
  Batch none;
  ASSERT_EQ(receiver.Next(none, kBound), NextOutcome::kEnded);
  ASSERT_EQ(payloads.size(), 1000u);
  for (std::size_t i = 0; i < payloads.size(); ++i) ASSERT_EQ(payloads[i], std::to_string(i + 1));
  EXPECT_EQ(receiver.counts().settled, 1000u);
}

// With auto_ack there is no credit to hold the daemon: it is the reader that must not read ahead.
TEST_F(ReceiverTest, UnreadBatchesAreBounded) {
  QueueSpec spec;
  spec.capacity = 10'000;
  const std::string queue = Declare(spec);
  ReceiverOptions options = From(queue);
  options.auto_ack = true;
  options.buffered_bytes_max = 1;
  Receiver receiver = OpenReceiver(std::move(options));
  const std::string payload(100'000, 'x');
  SenderOptions to;
  to.queue = queue;
  Sender sender = OpenSender(std::move(to));
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(sender.Post({payload, {}, {}, {}}, kBound).ok());
  ASSERT_TRUE(sender.Flush(kBound).ok());
  EXPECT_LE(receiver.counts().batches, 1u) << "only the one that filled the buffer was read";
  EXPECT_EQ(Take(receiver, 300).size(), 300u);
}

TEST_F(ReceiverTest, AClosedQueueIsReceivedToItsEnd) {
  const std::string queue = Declare();
  Fill(queue, 2);
  ASSERT_TRUE(client_.CloseQueue(queue, kBound).ok());
  Receiver receiver = OpenReceiver(From(queue));
  EXPECT_EQ(Take(receiver, 2).size(), 2u);
  ASSERT_TRUE(receiver.Ack(PositionRange{1, 2}).ok());
  Batch batch;
  EXPECT_EQ(receiver.Next(batch, kBound), NextOutcome::kEnded);
  EXPECT_EQ(receiver.end()->kind, StreamEnd::Kind::kClosed);
  EXPECT_EQ(receiver.end()->reason, ClosedReason::kRequested);
}

TEST_F(ReceiverTest, ALostDaemonIsTold) {
  auto daemon = std::make_unique<Daemon>();
  Client client = Connect(*daemon);
  ASSERT_TRUE(client.DeclareQueue("jobs", {}, kBound).ok());
  ReceiverOptions options = From("jobs");
  options.reconnect.enabled = false;
  auto receiver = client.OpenReceiver(options, kBound);
  ASSERT_TRUE(receiver.ok());
  daemon->Kill();
  Batch batch;
  EXPECT_EQ(receiver->Next(batch, kBound), NextOutcome::kEnded);
  EXPECT_EQ(receiver->end()->kind, StreamEnd::Kind::kLost);
  EXPECT_EQ(receiver->end()->status.code(), Code::kUnavailable);
}

}  // namespace
}  // namespace sluice::test
