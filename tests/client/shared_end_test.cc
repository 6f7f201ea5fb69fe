// SPDX-License-Identifier: Apache-2.0
// An end that several threads share: what one of them does wrong costs the others nothing, and
// nobody waits for what somebody else leaves lying.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/client/daemon.h"
#include "tests/client/short_forms.h"

namespace sluice::test {
namespace {

class SharedEndTest : public DaemonTest {
 protected:
  static SenderOptions To(const std::string& queue) {
    SenderOptions options;
    options.queue = queue;
    return options;
  }
  static ReceiverOptions From(const std::string& queue) {
    ReceiverOptions options;
    options.queue = queue;
    return options;
  }
};

TEST_F(SharedEndTest, AMessageThatNoQueueTakesIsRefusedAloneAndTheSenderLivesOn) {
  QueueSpec spec;
  spec.message_bytes_max = 1'000;
  const std::string queue = Declare(spec);
  Sender sender = OpenSender(To(queue));
  EXPECT_EQ(sender.opened().message_bytes_max, 1'000u);
  const std::string large(998, 'x');  // With its tag and its length 1,001 bytes.
  const Status refused = sender.Post(Text(large)).status();
  EXPECT_EQ(refused.reason(), "BAD_OPTION");
  EXPECT_EQ(refused.details().at("field"), "payload");
  EXPECT_EQ(refused.details().at("limit"), "1000");
  EXPECT_EQ(refused.details().at("value"), "1001");
  EXPECT_EQ(sender.Send(Text(large)).Wait(kBound).status.reason(), "BAD_OPTION");
  const std::vector<Header> many(65, Header{"k", "v"});
  EXPECT_EQ(sender.Post({"x", {}, {}, many}).status().details().at("limit"), "64");
  const std::string wide(9'000, 'v');
  const std::vector<Header> heavy = {{"k", wide}};
  EXPECT_EQ(sender.Post({"x", {}, {}, heavy}).status().details().at("limit"), "8192");
  ASSERT_TRUE(sender.Post(Text(large.substr(1))).ok()) << "it fits to the byte";
  ASSERT_TRUE(sender.Flush(kBound).ok());
  EXPECT_EQ(sender.counts().ok, 1u);
  EXPECT_FALSE(sender.end().has_value());
}

TEST_F(SharedEndTest, WhatACallbackThrowsIsCountedAndGoesNoFurther) {
  SenderOptions options = To(Declare());
  options.on_outcome = [](const SendOutcome&) { throw std::runtime_error("a bad day"); };
  Sender sender = OpenSender(std::move(options));
  ASSERT_TRUE(sender.Post(Text("x")).ok());
  ASSERT_TRUE(sender.Flush(kBound).ok());
  EXPECT_EQ(sender.counts().ok, 1u);
  EXPECT_EQ(sender.stats().exceptions, 1u);
}

// Results come behind batches that nobody has taken.
TEST_F(SharedEndTest, ASettlementIsAnsweredHoweverMuchIsUntaken) {
  QueueSpec spec;
  spec.capacity = 1'000;
  const std::string queue = Declare(spec);
  const std::string payload(50'000, 'x');
  SenderOptions to;
  to.queue = queue;
  Sender sender = OpenSender(std::move(to));
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(sender.Post({payload, {}, {}, {}}, kBound).ok());
  ASSERT_TRUE(sender.Flush(kBound).ok());
  Receiver receiver = OpenReceiver(From(queue));
  Batch batch;
  ASSERT_EQ(receiver.Next(batch, kBound), NextOutcome::kGiven);
  ASSERT_TRUE(receiver.Ack(batch).ok());
  EXPECT_TRUE(receiver.FlushSettlements(kBound).ok());
}

TEST_F(SharedEndTest, ASettlementThatCannotBeIsRefusedAlone) {
  const std::string queue = Declare();
  Fill(queue, 1);
  Receiver receiver = OpenReceiver(From(queue));
  Batch batch;
  ASSERT_EQ(receiver.Next(batch, kBound), NextOutcome::kGiven);
  EXPECT_EQ(receiver.Ack(PositionRange{0, 1}).details().at("field"), "first");
  EXPECT_EQ(receiver.Ack(PositionRange{1, 0}).details().at("field"), "count");
  const Status late = receiver.Nack(PositionRange{1}, std::chrono::hours(13));
  EXPECT_EQ(late.reason(), "BAD_OPTION");
  EXPECT_EQ(late.details().at("field"), "delay");
  ASSERT_TRUE(receiver.Ack(PositionRange{1}).ok()) << "one is what a position without a count is";
  EXPECT_TRUE(receiver.FlushSettlements(kBound).ok());
  EXPECT_EQ(receiver.counts().settled, 1u);
}

TEST_F(SharedEndTest, AtTheEndEverySettlementIsToldAndNothingIsHeld) {
  auto daemon = std::make_unique<Daemon>();
  Client client = Connect(*daemon);
  ASSERT_TRUE(client.DeclareQueue("jobs", {}, kBound).ok());
  SendRequest request;
  request.queue = "jobs";
  request.messages = {Text("1")};
  ASSERT_TRUE(client.Send(request, kBound).ok());
  ReceiverOptions options = From("jobs");
  options.reconnect.enabled = false;
  std::atomic<int> unknown = 0;
  options.on_settled = [&unknown](const SettleResult& result) {
    if (result.outcome == Outcome::kUnknown) ++unknown;
  };
  auto receiver = client.OpenReceiver(options, kBound);
  ASSERT_TRUE(receiver.ok());
  Batch batch;
  ASSERT_EQ(receiver->Next(batch, kBound), NextOutcome::kGiven);
  daemon->Freeze();
  ASSERT_TRUE(receiver->Ack(batch).ok());
  daemon->Kill();
  Batch none;
  ASSERT_EQ(receiver->Next(none, kBound), NextOutcome::kEnded);
  EXPECT_EQ(unknown, 1);
  EXPECT_TRUE(receiver->is_stale(batch[0]));
  EXPECT_FALSE(receiver->attachment().has_value());
}

}  // namespace
}  // namespace sluice::test
