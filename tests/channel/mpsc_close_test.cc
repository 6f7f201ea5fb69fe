// SPDX-License-Identifier: Apache-2.0
// Closing, ending, and dropping either side.
#include "channel/mpsc.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::Started;

// Clauses: M30 M31
TEST(Mpsc, P17_CloseEndsAnIdleChannel) {
  auto [tx, rx] = mpsc::Bounded<int>(10);
  rx.Close();
  EXPECT_EQ(rx.Recv().Wait().error(), Errc::kClosed);
  const auto sent = tx.Send(1).Wait();
  EXPECT_EQ(sent.error().why, Errc::kClosed);
  EXPECT_EQ(sent.error().value, 1);
  rx.Close();
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
  EXPECT_TRUE(tx.is_closed());
}

// Clauses: M32 M33
TEST(Mpsc, P19_AFailedReserveDoesNotHoldUpTheEnd) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  std::optional permit(*tx.TryReserve());
  Started waiting([&s = tx] { return s.Reserve(2); });
  EXPECT_TRUE(waiting.pending());
  rx.Close();
  EXPECT_EQ(waiting.outcome().error(), Errc::kClosed);
  EXPECT_EQ(tx.capacity(), 1u);
  Started recv([&r = rx] { return r.Recv(); });
  EXPECT_TRUE(recv.pending());
  permit.reset();
  ASSERT_FALSE(recv.pending());
  EXPECT_EQ(recv.outcome().error(), Errc::kClosed);
}

enum class Last { kDrop, kSend, kRelease };

void ExpectWoken(bool is_sequence, Last last) {
  SCOPED_TRACE(static_cast<int>(last));
  auto [tx, rx] = mpsc::Bounded<int>(1);
  std::optional<mpsc::Permit<int>> permit;
  std::optional<mpsc::Permits<int>> permits;
  if (is_sequence) {
    permits.emplace(*tx.TryReserve(1));
  } else {
    permit.emplace(*tx.TryReserve());
  }
  rx.Close();
  Started recv([&r = rx] { return r.Recv(); });
  ASSERT_TRUE(recv.pending());
  if (is_sequence && last != Last::kDrop) permit = permits->Next();
  if (last == Last::kSend) std::move(*permit).Send(7);
  if (last == Last::kRelease) std::move(*permit).Release();
  permit.reset();
  permits.reset();
  ASSERT_FALSE(recv.pending());
  if (last == Last::kSend) {
    EXPECT_EQ(*recv.outcome(), 7);
    EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
  } else {
    EXPECT_EQ(recv.outcome().error(), Errc::kClosed);
  }
}

// Clauses: M32 M18
TEST(Mpsc, P21_TheLastSlotBackWakesTheClosedReceiver) {
  for (const bool is_sequence : {false, true}) {
    for (const Last last : {Last::kDrop, Last::kSend, Last::kRelease}) {
      ExpectWoken(is_sequence, last);
    }
  }
}

// A slot issued to a reserve whose operation is destroyed before it is told is the last one back.
// Clauses: M32 M16
TEST(Mpsc, ADestroyedReserveWakesTheClosedReceiver) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  ASSERT_TRUE(tx.TrySend(1).ok());
  std::optional<Started<decltype(tx.Reserve())>> reserve;
  reserve.emplace([&s = tx] { return s.Reserve(); });
  std::optional<Started<decltype(rx.Recv())>> recv;
  auto outer = tx.Reserve(0);
  outer.Start([&, &rx = rx](auto) {
    EXPECT_EQ(*rx.TryRecv(), 1);  // the slot is the reserve's now
    rx.Close();
    recv.emplace([&rx] { return rx.Recv(); });
    reserve.reset();
  });
  ASSERT_FALSE(recv->pending());
  EXPECT_EQ(recv->outcome().error(), Errc::kClosed);
}

// Clauses: M35 M24
TEST(Mpsc, P24_IsClosed) {
  {
    auto [tx, rx] = mpsc::Bounded<int>(1);
    EXPECT_FALSE(rx.is_closed());
    ASSERT_TRUE(tx.TrySend(1).ok());
    EXPECT_FALSE(rx.is_closed());
    EXPECT_FALSE(tx.is_closed());
    rx.Close();
    EXPECT_TRUE(rx.is_closed());
    EXPECT_TRUE(tx.is_closed());
    EXPECT_EQ(rx.size(), 1u);
  }
  {
    auto [tx, rx] = mpsc::Bounded<int>(20);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(tx.TrySend(i).ok());
    auto weak = tx.Downgrade();
    auto permit = tx.TryReserve();
    { auto last = std::move(tx); }
    EXPECT_FALSE(rx.is_closed());
    { auto dropped = *std::move(permit); }
    EXPECT_TRUE(rx.is_closed());
    EXPECT_EQ(rx.size(), 10u);
    EXPECT_FALSE(weak.Upgrade().has_value());
  }
}

// Clauses: M26
TEST(Mpsc, P25_SizeCountsValuesAndNothingElse) {
  for (int order = 0; order < 4; ++order) {
    auto [tx, rx] = mpsc::Bounded<int>(100);
    std::optional sender(std::move(tx));
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(sender->TrySend(i).ok());
    if (order == 0 || order == 2) sender.reset();
    EXPECT_EQ(rx.size(), 100u);
    if (order >= 1) rx.Close();
    EXPECT_EQ(rx.size(), 100u);
    if (order == 3) sender.reset();
    for (std::size_t left = 100; left-- > 0;) {
      EXPECT_TRUE(rx.TryRecv().ok());
      EXPECT_EQ(rx.size(), left);
    }
    EXPECT_TRUE(rx.empty());
  }
  auto [tx, rx] = mpsc::Bounded<int>(1);
  EXPECT_EQ(rx.size(), 0u);
  auto permit = tx.TryReserve();
  EXPECT_EQ(rx.size(), 0u);
  { auto dropped = *std::move(permit); }
  { auto last = std::move(tx); }
  EXPECT_EQ(rx.size(), 0u);
  EXPECT_TRUE(rx.empty());
}

// Clauses: M36 M37
TEST(Mpsc, OnlyTheLastSenderWakesTheReceiver) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  std::optional first(std::move(tx));
  std::optional second(*first);
  Started recv([&r = rx] { return r.Recv(); });
  first.reset();
  EXPECT_TRUE(recv.pending());
  second.reset();
  EXPECT_EQ(recv.outcome().error(), Errc::kClosed);
  EXPECT_EQ(recv.calls(), 1);
}

// Clauses: M38 M40
TEST(Mpsc, P27_DroppingTheReceiverDestroysWhatIsQueued) {
  auto [tx, rx] = mpsc::Bounded<Box>(100);
  const auto tx2 = tx;
  ASSERT_TRUE(tx.TrySend(Box(1)).ok());
  Started waiting([&s = tx] { return s.Closed(); });
  EXPECT_TRUE(waiting.pending());
  { auto dropped = std::move(rx); }
  EXPECT_EQ(Box::live(), 0);
  EXPECT_FALSE(waiting.pending());
  EXPECT_EQ(tx.TrySend(Box(2)).error().why, Errc::kClosed);
  EXPECT_EQ(tx.TryReserve().error(), Errc::kClosed);
  EXPECT_EQ(tx.Reserve().Wait().error(), Errc::kClosed);
  EXPECT_EQ(tx.Reserve(10).Wait().error(), Errc::kClosed);
  EXPECT_TRUE(tx.Closed().Wait().ok());
  EXPECT_TRUE(tx2.Closed().Wait().ok());
}

// Clauses: M40
TEST(Mpsc, ClosedDoesNotWaitForQueuedValuesAndMayBeCancelled) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  const auto tx2 = tx;
  ASSERT_TRUE(tx.TrySend(1).ok());
  Started a([&s = tx] { return s.Closed(); });
  Started b([&] { return tx2.Closed(); });
  Started c([&] { return tx2.Closed(); });
  EXPECT_TRUE(b.Cancel());
  rx.Close();
  EXPECT_FALSE(a.pending());
  EXPECT_EQ(b.calls(), 0);
  EXPECT_FALSE(c.pending());
  EXPECT_EQ(rx.size(), 1u);
}

// Clauses: M38 M7 G15
TEST(Mpsc, P28_EachWaiterGetsItsOwnValueBack) {
  auto [tx, rx] = mpsc::Bounded<Box>(1);
  ASSERT_TRUE(tx.TrySend(Box(0)).ok());
  Started s1([&s = tx] { return s.Send(Box(1)); });
  Started s2([&s = tx] { return s.Send(Box(2)); });
  Started s3([&s = tx] { return s.Send(Box(3)); });
  { auto dropped = std::move(rx); }
  EXPECT_EQ(s1.outcome().error().value.number(), 1);
  EXPECT_EQ(s2.outcome().error().value.number(), 2);
  EXPECT_EQ(s3.outcome().error().value.number(), 3);
  EXPECT_EQ(s3.outcome().error().why, Errc::kClosed);
  EXPECT_EQ(Box::live(), 3);
}

// A value that carries a sender of another channel: its destruction is a signal.
// Clauses: M39 D3
TEST(Mpsc, P29_APermitSendToNobodyDestroysTheValue) {
  using Reply = mpsc::Sender<int>;
  auto [tx, rx] = mpsc::Bounded<std::pair<Box, Reply>>(1);
  auto [reply_tx, reply_rx] = mpsc::Bounded<int>(1);
  const auto weak = tx.Downgrade();
  auto permit = tx.TryReserve();
  { auto dropped = std::move(rx); }
  std::pair<Box, Reply> value(Box(1), std::move(reply_tx));
  (*std::move(permit)).Send(std::move(value));
  EXPECT_EQ(Box::live(), 0);
  EXPECT_EQ(reply_rx.TryRecv().error(), Errc::kClosed);
  EXPECT_EQ(weak.strong_count(), 1u);
  EXPECT_EQ(tx.capacity(), 1u);
}

// Clauses: G1 M38 G4
TEST(Mpsc, P30_AnOperationThatIsNotStartedDoesNothing) {
  auto [tx, rx] = mpsc::Bounded<Box>(3);
  for (int i = 1; i <= 2; ++i) ASSERT_TRUE(tx.TrySend(Box(i)).ok());
  {
    auto third = tx.Send(Box(3));
    EXPECT_EQ(tx.capacity(), 1u);
    EXPECT_EQ(rx.size(), 2u);
    for (int i = 1; i <= 2; ++i) EXPECT_EQ((*rx.TryRecv()).number(), i);
    EXPECT_EQ(Box::live(), 1);
    EXPECT_TRUE(third.Wait().ok());
  }
  EXPECT_EQ(Box::live(), 1);
  { auto dropped = std::move(rx); }
  EXPECT_EQ(Box::live(), 0);  // accepted, and never received
  {
    const auto fourth = tx.Send(Box(4)).Wait();
    EXPECT_EQ(fourth.error().why, Errc::kClosed);
    EXPECT_EQ(Box::live(), 1);
  }
  EXPECT_EQ(Box::live(), 0);
}

// When it is destroyed it sends into the channel it was queued in.
class Resender {
 public:
  Resender(std::shared_ptr<mpsc::Sender<Resender>> sender, int* refused)
      : sender_(std::move(sender)), refused_(refused) {}
  Resender(Resender&&) noexcept = default;
  Resender& operator=(Resender&&) = delete;
  ~Resender() {
    if (sender_ == nullptr) return;
    auto sent = sender_->TrySend(Resender(nullptr, refused_));
    if (!sent.ok() && sent.error().why == Errc::kClosed) ++*refused_;
  }

 private:
  std::shared_ptr<mpsc::Sender<Resender>> sender_;
  int* refused_;
};

// Clauses: G6
TEST(Mpsc, P38_ADestructorMaySendIntoTheSameChannel) {
  auto [tx, rx] = mpsc::Bounded<Resender>(3);
  auto sender = std::make_shared<mpsc::Sender<Resender>>(std::move(tx));
  int refused = 0;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(sender->TrySend(Resender(sender, &refused)).ok());
  { auto dropped = std::move(rx); }
  EXPECT_EQ(refused, 3);
}

// Clauses: G6 G2
TEST(Mpsc, P38_ACallbackMayReceiveAgainAndTheStackStaysFlat) {
  constexpr int kValues = 100'000;
  auto [tx, rx] = mpsc::Unbounded<int>();
  for (int i = 0; i < kValues; ++i) ASSERT_TRUE(tx.Send(i).ok());
  struct Loop {
    mpsc::Receiver<int>& receiver;
    int received = 0;
    std::unique_ptr<Operation<mpsc::RecvRequest<int>>> operation;
    void Next() {
      operation.reset(new Operation<mpsc::RecvRequest<int>>(receiver.Recv()));
      operation->Start([this](Result<int, Errc> value) {
        if (!value.ok()) return;
        EXPECT_EQ(*value, received++);
        Next();  // destroys the operation whose callback this is
      });
    }
  };
  Loop loop{rx, 0, nullptr};
  loop.Next();
  EXPECT_EQ(loop.received, kValues);
}

// Clauses: G6
TEST(Mpsc, P38_ACallbackMayDropTheReceiver) {
  auto [tx, rx] = mpsc::Bounded<Box>(1);
  std::optional receiver(std::move(rx));
  ASSERT_TRUE(tx.TrySend(Box(1)).ok());
  auto send = tx.Send(Box(2));
  bool is_sent = false;
  send.Start([&](Sent<Box> sent) {
    is_sent = sent.ok();
    receiver.reset();
  });
  Started behind([&s = tx] { return s.Send(Box(3)); });
  { auto taken = receiver->TryRecv(); }
  EXPECT_TRUE(is_sent);
  EXPECT_FALSE(receiver.has_value());
  EXPECT_EQ(behind.outcome().error().value.number(), 3);
  behind.Drop();
  EXPECT_EQ(Box::live(), 0);
}

}  // namespace
}  // namespace sluice::channel
