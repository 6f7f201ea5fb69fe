// SPDX-License-Identifier: Apache-2.0
// Sending, and the line for slots.
#include "channel/mpsc.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Box;
using testing::Started;

// Clauses: M3 M7
TEST(Mpsc, ExampleOfTheHeader) {
  // [mpsc]
  auto [sender, receiver] = mpsc::Bounded<std::string>(16);

  if (auto sent = sender.TrySend("first"); !sent.ok()) {
    // kFull or kClosed, and the value is back in sent.error().value.
  }
  auto permit = sender.Reserve().Wait();  // room first, the message afterwards
  if (permit.ok()) sender = (*std::move(permit)).Send("second");

  mpsc::Sender<std::string> last = std::move(sender);
  { const mpsc::Sender<std::string> dropped = std::move(last); }  // the end of the stream
  std::string received;
  while (auto value = receiver.Recv().Wait()) received += *value + " ";
  // [mpsc]
  EXPECT_EQ(received, "first second ");
}

// Clauses: M18 M12 M36
TEST(Mpsc, P01_PermitThenTryThenTheEnd) {
  auto [tx, rx] = mpsc::Bounded<int>(16);
  auto permit = tx.Reserve().Wait();
  ASSERT_TRUE(permit.ok());
  (*std::move(permit)).Send(1);
  EXPECT_TRUE(tx.TrySend(2).ok());
  { auto last = std::move(tx); }
  EXPECT_EQ(*rx.Recv().Wait(), 1);
  EXPECT_EQ(*rx.Recv().Wait(), 2);
  EXPECT_EQ(rx.Recv().Wait().error(), Errc::kClosed);
  EXPECT_EQ(rx.Recv().Wait().error(), Errc::kClosed);
}

// Clauses: M15 M14 G2
TEST(Mpsc, P04_ACancelledWaiterLeavesTheLine) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  ASSERT_TRUE(tx.TrySend(7).ok());
  std::optional<Started<decltype(tx.Reserve())>> r2;
  Started r1([&s = tx] { return s.Reserve(); });
  r2.emplace([&s = tx] { return s.Reserve(); });
  EXPECT_TRUE(r1.Cancel());
  EXPECT_FALSE(r1.Cancel());
  EXPECT_EQ(*rx.TryRecv(), 7);
  EXPECT_TRUE(r2->outcome().ok());
  EXPECT_EQ(r1.calls(), 0);
}

// Completions are queued behind the callback that runs, so a slot can be issued to an operation
// that has not yet learnt of it. Clauses: M16 D1 G3
TEST(Mpsc, P05_ASlotIssuedButNotYetToldGoesOn) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  ASSERT_TRUE(tx.TrySend(1).ok());
  using Reserve = Started<decltype(tx.Reserve())>;
  std::optional<Reserve> r1;
  r1.emplace([&s = tx] { return s.Reserve(); });
  Reserve r2([&s = tx] { return s.Reserve(); });
  auto outer = tx.Reserve(0);
  outer.Start([&, &rx = rx](auto) {
    EXPECT_EQ(*rx.TryRecv(), 1);
    EXPECT_TRUE(r1->pending());
    EXPECT_FALSE(r1->Cancel());  // too late
    EXPECT_TRUE(r2.pending());
    r1.reset();
    EXPECT_TRUE(r2.pending());
  });
  ASSERT_FALSE(r2.pending());
  EXPECT_TRUE(r2.outcome().ok());
  EXPECT_EQ(tx.capacity(), 0u);
  r2.Drop();
  EXPECT_EQ(tx.capacity(), 1u);
}

// Clauses: M12 G15 M11 M30
TEST(Mpsc, P07_FullAndClosedHandBackTheValue) {
  auto [tx, rx] = mpsc::Bounded<Box>(1);
  ASSERT_TRUE(tx.TrySend(Box(1)).ok());
  Box b(2);
  const void* identity = b.identity();
  auto full = tx.TrySend(std::move(b));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().why, Errc::kFull);
  EXPECT_EQ(full.error().value.identity(), identity);
  EXPECT_EQ(Box::live(), 2);
  rx.Close();
  auto closed = tx.TrySend(std::move(full.error().value));
  EXPECT_EQ(closed.error().why, Errc::kClosed);
  EXPECT_EQ(closed.error().value.identity(), identity);
  Started send([&, &s = tx] { return s.Send(std::move(closed.error().value)); });
  EXPECT_EQ(send.outcome().error().why, Errc::kClosed);
  EXPECT_EQ(send.outcome().error().value.identity(), identity);
  EXPECT_EQ(Box::live(), 2);
}

// Clauses: M8 M10 M25
TEST(Mpsc, NobodyBargesInWhileTheFavouredWaiterHasNotRun) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  ASSERT_TRUE(tx.TrySend(1).ok());
  Started waiting([&s = tx] { return s.Send(2); });
  auto outer = tx.Reserve(0);
  outer.Start([&, &tx = tx, &rx = rx](auto) {
    EXPECT_EQ(*rx.TryRecv(), 1);
    EXPECT_TRUE(waiting.pending());  // its completion is queued behind this callback
    EXPECT_EQ(tx.TrySend(3).error().why, Errc::kFull);
    EXPECT_EQ(tx.TryReserve().error(), Errc::kFull);
    EXPECT_EQ(tx.capacity(), 0u);
  });
  EXPECT_TRUE(waiting.outcome().ok());
  EXPECT_EQ(*rx.TryRecv(), 2);
}

// The time-out by a timer's owner, so that no real time passes: Expire() is the second.
// Clauses: M13
TEST(Mpsc, P15_SendFor) {
  auto [tx, rx] = mpsc::Bounded<int>(5);
  for (int i = 10; i <= 50; i += 10) EXPECT_TRUE(tx.SendFor(i, seconds(1)).ok());
  Started sixth([&s = tx] { return s.Send(60); });
  EXPECT_TRUE(sixth.pending());
  EXPECT_TRUE(sixth.operation().Expire());
  EXPECT_EQ(sixth.outcome().error().why, Errc::kTimedOut);
  EXPECT_EQ(sixth.outcome().error().value, 60);
  EXPECT_FALSE(sixth.operation().Expire());
  const auto blocked = tx.SendFor(61, milliseconds(5));
  EXPECT_EQ(blocked.error().why, Errc::kTimedOut);
  EXPECT_EQ(blocked.error().value, 61);
  { auto dropped = std::move(rx); }
  EXPECT_EQ(tx.SendFor(70, seconds(1000)).error().why, Errc::kClosed);
  auto [tx1, rx1] = mpsc::Bounded<int>(1);
  EXPECT_TRUE(tx1.SendFor(1, seconds(0)).ok());
  EXPECT_EQ(tx1.SendFor(2, seconds(0)).error().why, Errc::kTimedOut);
}

// Clauses: M13 G3
TEST(Mpsc, P16_ATimeOutLeavesNoTrace) {
  auto [tx, rx] = mpsc::Bounded<Box>(1);
  ASSERT_TRUE(tx.TrySend(Box(1)).ok());
  auto timed_out = tx.SendFor(Box(2), milliseconds(2));
  EXPECT_EQ(timed_out.error().why, Errc::kTimedOut);
  EXPECT_EQ(timed_out.error().value.number(), 2);
  EXPECT_EQ((*rx.TryRecv()).number(), 1);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
  EXPECT_EQ(tx.capacity(), 1u);
}

// Clauses: D1 M34
TEST(Mpsc, ACloseAfterTheSlotWasIssuedComesTooLate) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  ASSERT_TRUE(tx.TrySend(1).ok());
  Started send([&s = tx] { return s.Send(2); });
  Started reserve([&s = tx] { return s.Reserve(); });
  auto outer = tx.Reserve(0);
  outer.Start([&, &rx = rx](auto) {
    EXPECT_EQ(*rx.TryRecv(), 1);
    EXPECT_TRUE(send.pending());
    rx.Close();
  });
  EXPECT_TRUE(send.outcome().ok());
  EXPECT_EQ(reserve.outcome().error(), Errc::kClosed);
  EXPECT_EQ(*rx.TryRecv(), 2);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
}

// Clauses: D2 M14 M11
TEST(Mpsc, ACancelledSendGivesTheValueBack) {
  auto [tx, rx] = mpsc::Bounded<Box>(1);
  ASSERT_TRUE(tx.TrySend(Box(1)).ok());
  Started cancelled([&s = tx] { return s.Send(Box(2)); });
  EXPECT_TRUE(cancelled.Cancel());
  EXPECT_EQ(cancelled.operation().TakeBack().number(), 2);

  std::stop_source stop;
  auto operation = tx.Send(Box(3));
  std::optional<Sent<Box>> outcome;
  operation.StopOn(stop.get_token()).Start([&](Sent<Box> sent) {
    outcome.emplace(std::move(sent));
  });
  EXPECT_FALSE(outcome.has_value());
  stop.request_stop();
  EXPECT_EQ(outcome.value().error().why, Errc::kCancelled);
  EXPECT_EQ(outcome.value().error().value.number(), 3);
  {
    auto destroyed =
        std::make_unique<Started<decltype(tx.Send(Box(4)))>>([&s = tx] { return s.Send(Box(4)); });
  }
  outcome.reset();
  EXPECT_EQ(Box::live(), 1);
  EXPECT_EQ((*rx.TryRecv()).number(), 1);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
}

// Clauses: M50
TEST(Mpsc, SendManyEntersInOrderAsRoomComes) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  Started many([&s = tx] { return s.SendMany({1, 2, 3, 4, 5}); });
  Started after([&s = tx] { return s.Send(6); });
  EXPECT_TRUE(many.pending());
  EXPECT_EQ(rx.size(), 2u);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(*rx.TryRecv(), i);
  EXPECT_TRUE(many.outcome().ok());
  EXPECT_TRUE(after.pending());
  for (int i = 4; i <= 6; ++i) EXPECT_EQ(*rx.TryRecv(), i);
  EXPECT_TRUE(after.outcome().ok());
}

// Clauses: M50 G15
TEST(Mpsc, SendManyHandsBackTheUnsentRest) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  const auto tried = tx.TrySendMany({1, 2, 3});
  EXPECT_EQ(tried.error().why, Errc::kFull);
  EXPECT_EQ(tried.error().value, std::vector({3}));
  Started cancelled([&s = tx] { return s.SendMany({4, 5, 6}); });
  EXPECT_EQ(*rx.TryRecv(), 1);
  EXPECT_TRUE(cancelled.Cancel());
  EXPECT_EQ(cancelled.operation().TakeBack(), std::vector({5, 6}));
  Started refused([&s = tx] { return s.SendMany({7, 8}); });
  rx.Close();
  EXPECT_EQ(refused.outcome().error().why, Errc::kClosed);
  EXPECT_EQ(refused.outcome().error().value, std::vector({7, 8}));
  EXPECT_EQ(tx.TrySendMany({9}).error().value, std::vector({9}));
  EXPECT_EQ(*rx.TryRecv(), 2);
  EXPECT_EQ(*rx.TryRecv(), 4);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
}

}  // namespace
}  // namespace sluice::channel
