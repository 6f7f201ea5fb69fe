// SPDX-License-Identifier: Apache-2.0
// One message at a time: waiting, by callback, in a coroutine; and values of a type.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sluice/typed.h"
#include "sluice/v1/message.pb.h"
#include "tests/client/coroutine.h"
#include "tests/client/daemon.h"
#include "tests/client/short_forms.h"

namespace sluice::test {
namespace {

class FacesTest : public DaemonTest {
 protected:
  SenderOptions To(const std::string& queue) {
    SenderOptions options;
    options.queue = queue;
    return options;
  }
  ReceiverOptions From(const std::string& queue) {
    ReceiverOptions options;
    options.queue = queue;
    return options;
  }
};

TEST_F(FacesTest, WaitingForOneMessageGivesItsOutcome) {
  const std::string queue = Declare(Room(1));
  SenderOptions options = To(queue);
  options.mode = SendMode::kTry;
  const Sender sender = OpenSender(std::move(options));
  const SendOutcome accepted = sender.Send(Text("1")).Wait(kBound);
  EXPECT_TRUE(accepted.ok());
  EXPECT_EQ(accepted.first_position, 1u);
  EXPECT_EQ(accepted.first_sequence, 1u);
  const SendOutcome full = sender.Send(Text("2")).Wait(kBound);
  EXPECT_FALSE(full);
  EXPECT_EQ(full.outcome, Outcome::kFull);
  EXPECT_TRUE(full.status.ok()) << "the daemon's own answer";
  const SendOutcome bad = sender.Send({"x", "\xff", {}, {}}).Wait(kBound);
  EXPECT_EQ(bad.status.reason(), "BAD_OPTION");
  EXPECT_EQ(sender.counts().taken, 2u) << "what was refused here was not taken";
}

TEST_F(FacesTest, NothingIsSentBeforeTheOperationIsStarted) {
  const std::string queue = Declare();
  Sender sender = OpenSender(To(queue));
  { const auto unstarted = sender.Send(Text("never")); }
  ASSERT_TRUE(sender.Close(kBound).ok());
  EXPECT_EQ(Describe(queue).accepted, 0u);
}

TEST_F(FacesTest, OperationsWaitForRoomInOrderAndLeaveTheLineWhenGivenUp) {
  const std::string queue = Declare(Room(1));
  SenderOptions options = To(queue);
  options.pending_messages_max = 1;
  Sender sender = OpenSender(std::move(options));
  ASSERT_TRUE(sender.Send(Text("enters")).Wait(kBound).ok());
  ASSERT_TRUE(sender.Post(Text("pending")).ok());
  std::promise<SendOutcome> told;
  auto second = sender.Send(Text("second"));
  second.Start([&told](SendOutcome outcome) { told.set_value(outcome); });
  EXPECT_EQ(sender.Send(Text("given up")).Wait(kAWhile).outcome, Outcome::kTimedOut);
  Receiver receiver = OpenReceiver(From(queue));
  for (const char* expected : {"enters", "pending", "second"}) {
    const auto received = receiver.Recv().Wait(kBound);
    ASSERT_TRUE(received.ok());
    EXPECT_EQ(received->payload, expected);
    ASSERT_TRUE(receiver.Ack(received->range()).ok());
  }
  EXPECT_TRUE(told.get_future().get().ok());
  ASSERT_TRUE(sender.Close(kBound).ok());
  EXPECT_EQ(Describe(queue).accepted, 3u);
}

// Both are answered by one frame.
TEST_F(FacesTest, ACallbackMayDestroyAnotherSend) {
  const std::string queue = Declare(Room(1));
  Fill(queue, 1);
  Sender sender = OpenSender(To(queue));
  auto second = std::make_unique<Operation<SendOutcome>>(sender.Send(Text("second")));
  std::promise<void> told;
  auto first = sender.Send(Text("first"));
  first.Start([&](const SendOutcome& outcome) {
    EXPECT_EQ(outcome.outcome, Outcome::kClosed);
    second.reset();
    told.set_value();
  });
  second->Start([](const SendOutcome&) { ADD_FAILURE() << "its operation is gone"; });
  ASSERT_TRUE(client_.CloseQueue(queue, kBound).ok());
  told.get_future().get();
  ASSERT_TRUE(sender.Close(kBound).ok());
}

TEST_F(FacesTest, ACallbackMayDestroyAnotherRecv) {
  const std::string queue = Declare();
  Receiver receiver = OpenReceiver(From(queue));
  auto second = std::make_unique<Operation<Result<Received>>>(receiver.Recv());
  std::promise<void> told;
  auto first = receiver.Recv();
  first.Start([&](const Result<Received>& end) {
    EXPECT_EQ(end.status().reason(), "STREAM_ENDED");
    second.reset();
    told.set_value();
  });
  second->Start([](const Result<Received>&) { ADD_FAILURE() << "its operation is gone"; });
  ASSERT_TRUE(client_.CloseQueue(queue, kBound).ok());
  told.get_future().get();
}

TEST_F(FacesTest, AnEndThatIsDestroyedInACallbackCallsBackNoMore) {
  const std::string queue = Declare(Room(1));
  std::atomic<bool> is_gone = false;
  {
    Client client = Connect(*daemon_);
    std::optional<Sender> sender;
    SenderOptions options = To(queue);
    options.mode = SendMode::kTry;
    options.frame_bytes_max = 1;  // An outcome for each.
    options.on_outcome = [&](const SendOutcome&) {
      EXPECT_FALSE(is_gone);
      sender.reset();
      is_gone = true;
    };
    options.on_state = [&](const StreamState&) { EXPECT_FALSE(is_gone); };
    auto opened = client.OpenSender(std::move(options), kBound);
    ASSERT_TRUE(opened.ok());
    sender.emplace(*std::move(opened));
    ASSERT_TRUE(sender->Post(Text("1")).ok());
    const Deadline deadline(kBound);
    while (!is_gone || client.stats().streams > 0) ASSERT_FALSE(deadline.has_passed());
  }  // With the client its thread has ended.
  EXPECT_TRUE(is_gone);
}

TEST_F(FacesTest, WaitingInACallbackDoesNothing) {
  const std::string queue = Declare();
  const Sender sender = OpenSender(To(queue));
  std::promise<std::string> told;
  auto first = sender.Send(Text("1"));
  first.Start(
      [&](const SendOutcome&) { told.set_value(sender.Send(Text("2")).Wait().status.reason()); });
  EXPECT_EQ(told.get_future().get(), "WOULD_BLOCK");
  EXPECT_EQ(sender.counts().taken, 1u);
}

TEST_F(FacesTest, ClosingAnswersWhatStillWaitsForRoom) {
  const std::string queue = Declare(Room(1));
  SenderOptions options = To(queue);
  options.pending_messages_max = 1;
  Sender sender = OpenSender(std::move(options));
  ASSERT_TRUE(sender.Send(Text("enters")).Wait(kBound).ok());
  ASSERT_TRUE(sender.Post(Text("pending")).ok());
  std::promise<SendOutcome> told;
  auto waits = sender.Send(Text("waits"));
  waits.Start([&told](SendOutcome outcome) { told.set_value(outcome); });
  EXPECT_EQ(sender.Close(kAWhile).status().reason(), "DEADLINE");
  const SendOutcome outcome = told.get_future().get();
  EXPECT_EQ(outcome.outcome, Outcome::kClosed);
  EXPECT_EQ(outcome.status.reason(), "STREAM_ENDED");
}

TEST_F(FacesTest, RecvWaitsForAMessageItsDeadlineOrTheEnd) {
  const std::string queue = Declare();
  Receiver receiver = OpenReceiver(From(queue));
  EXPECT_EQ(receiver.Recv().Wait(kAWhile).status().reason(), "DEADLINE");
  std::promise<std::string> told;
  auto next = receiver.Recv();
  next.Start([&told](Result<Received> received) {
    told.set_value(received.ok() ? std::string(received->payload) : "nothing");
  });
  Fill(queue, 2);
  EXPECT_EQ(told.get_future().get(), "1");
  const auto second = receiver.Recv().Wait(kBound);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->payload, "2");
  ASSERT_TRUE(receiver.Ack(PositionRange{1, 2}).ok());
  ASSERT_TRUE(client_.CloseQueue(queue, kBound).ok());
  EXPECT_EQ(receiver.Recv().Wait(kBound).status().reason(), "STREAM_ENDED");
  EXPECT_EQ(receiver.Recv().Wait(kBound).status().reason(), "STREAM_ENDED");
}

Detached Produce(TypedSender<std::string>& sender, int count, std::promise<int>& sent) {
  int accepted = 0;
  for (int i = 1; i <= count; ++i) {
    const SendOutcome outcome = co_await sender.Send(std::to_string(i));
    if (outcome.ok()) ++accepted;
  }
  sent.set_value(accepted);
}

Detached Consume(TypedReceiver<std::string>& receiver, std::vector<std::string>& values,
                 std::promise<void>& done) {
  while (auto value = co_await receiver.Recv()) values.push_back(*value);
  done.set_value();
}

TEST_F(FacesTest, CoroutinesSendAndReceiveValuesAtLeastOnce) {
  constexpr int kCount = 2000;
  const std::string queue = Declare(Room(10));
  auto sender = TypedSender<std::string>::Open(client_, To(queue), kBound);
  auto receiver = TypedReceiver<std::string>::Open(client_, From(queue), kBound);
  ASSERT_TRUE(sender.ok() && receiver.ok());
  std::vector<std::string> values;
  std::promise<int> sent;
  std::promise<void> done;
  Consume(*receiver, values, done);
  Produce(*sender, kCount, sent);
  EXPECT_EQ(sent.get_future().get(), kCount);
  ASSERT_TRUE(sender->Close(kBound).ok());
  ASSERT_TRUE(client_.CloseQueue(queue, kBound).ok());
  done.get_future().get();
  ASSERT_EQ(values.size(), std::size_t{kCount});
  for (int i = 0; i < kCount; ++i)
    ASSERT_EQ(values[static_cast<std::size_t>(i)], std::to_string(i + 1));
}

TEST_F(FacesTest, AValueIsAcknowledgedWhenTheNextIsAskedFor) {
  const std::string queue = Declare();
  Fill(queue, 2);
  {
    auto receiver = TypedReceiver<std::string>::Open(client_, From(queue), kBound);
    ASSERT_TRUE(receiver.ok());
    EXPECT_EQ(*receiver->Recv().Wait(kBound), "1");
    EXPECT_EQ(*receiver->Recv().Wait(kBound), "2");
    Eventually(queue, [](const QueueDescription& d) { return d.settled == 1; });
    ASSERT_TRUE(receiver->Close(kBound).ok());
  }
  EXPECT_EQ(Describe(queue).depth, 1u) << "the second was being worked on";
}

TEST_F(FacesTest, ProtobufMessagesTravelAsThemselves) {
  const std::string queue = Declare();
  auto sender = TypedSender<v1::Run>::Open(client_, To(queue), kBound);
  auto receiver = TypedReceiver<v1::Run>::Open(client_, From(queue), kBound);
  ASSERT_TRUE(sender.ok() && receiver.ok());
  v1::Run run;
  run.set_first_position(7);
  ASSERT_TRUE(sender->Send(run).Wait(kBound).ok());
  const auto received = receiver->Recv().Wait(kBound);
  ASSERT_TRUE(received.ok()) << received.status().ToString();
  EXPECT_EQ(received->first_position(), 7u);
  ASSERT_TRUE(sender->untyped().Send(Text("no such message")).Wait(kBound).ok());
  const auto bad = receiver->Recv().Wait(kBound);
  EXPECT_EQ(bad.status().reason(), "BAD_PAYLOAD");
  EXPECT_EQ(bad.status().details().at("position"), "2");
}

}  // namespace
}  // namespace sluice::test
