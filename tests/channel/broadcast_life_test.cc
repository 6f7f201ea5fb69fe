// SPDX-License-Identifier: Apache-2.0
// One thread: how long a value lives, who is woken, and who keeps the channel open.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "channel/broadcast.h"
#include "tests/channel/broadcast_support.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::Drop;
using testing::Read;
using testing::Rx;
using testing::Send;
using testing::SendAll;
using testing::Show;
using testing::Started;
using testing::Tx;

// Clauses: B20 B21
TEST(Broadcast, P80_AValueLivesAsLongAsSomebodyIsOwedIt) {
  {
    auto [tx, rx] = broadcast::Channel<Box>(4);
    ASSERT_TRUE(tx.Send(Box(1)).ok());
    EXPECT_EQ(Box::live(), 1);
    Drop(rx);
    EXPECT_EQ(Box::live(), 0);
  }
  for (const bool is_read : {true, false}) {
    auto [tx, rx1] = broadcast::Channel<Box>(4);
    auto rx2 = tx.Subscribe();
    ASSERT_TRUE(tx.Send(Box(1)).ok());
    EXPECT_TRUE(rx1.TryRecv().ok());
    EXPECT_EQ(Box::live(), 1);
    if (is_read) {
      EXPECT_TRUE(rx2.TryRecv().ok());
    } else {
      Drop(rx2);
    }
    EXPECT_EQ(Box::live(), 0);
  }
  // Overwritten, and dropped by one that had lagged behind.
  auto [tx, rx] = broadcast::Channel<Box>(2);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(tx.Send(Box(i)).ok());
  EXPECT_EQ(Box::live(), 2);
  Drop(rx);
  EXPECT_EQ(Box::live(), 0);
  EXPECT_TRUE(tx.empty());
}

// Clauses: B20
TEST(Broadcast, DroppingOneReceiverFreesWhatNobodyElseIsOwed) {
  auto [tx, rx1] = broadcast::Channel<Box>(8);
  auto rx2 = tx.Subscribe();
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(tx.Send(Box(i)).ok());
  for (int i = 0; i < 4; ++i) EXPECT_EQ((*rx2.TryRecv())->number(), i);
  auto rx3 = tx.Subscribe();  // owed none of them
  EXPECT_EQ(Box::live(), 6);
  Drop(rx1);
  EXPECT_EQ(Box::live(), 2);
  Drop(rx2);
  EXPECT_EQ(Box::live(), 0);
  ASSERT_TRUE(tx.Send(Box(9)).ok());
  EXPECT_EQ((*rx3.TryRecv())->number(), 9);
}

// Clauses: B2 B18 B19 D11
TEST(Broadcast, P81_ClosedCompletesWhenTheLastReceiverGoes) {
  const Tx tx(1);
  Started at_once([&] { return tx.Closed(); });
  EXPECT_FALSE(at_once.pending());

  std::optional<Rx> rx1(tx.Subscribe());
  std::optional<Rx> rx2(tx.Subscribe());
  Started c([&] { return tx.Closed(); });
  EXPECT_TRUE(c.pending());
  rx1.reset();
  EXPECT_TRUE(c.pending());
  rx2.reset();
  EXPECT_FALSE(c.pending());

  EXPECT_EQ(Send(tx, 1), 0U);
  rx1.emplace(tx.Subscribe());
  Started again([&] { return tx.Closed(); });
  EXPECT_TRUE(again.pending());
  EXPECT_EQ(Send(tx, 2), 1U);
  EXPECT_EQ(Read(*rx1, 2), "2, empty");
  rx1.reset();
  EXPECT_FALSE(again.pending());
}

// The instant of reaching 0 is the completion, though somebody subscribes before its callback runs.
// Clauses: D11
TEST(Broadcast, AReopeningDoesNotUndoClosed) {
  auto [tx, rx] = broadcast::Channel<int>(1);
  auto [other_tx, other_rx] = broadcast::Channel<int>(1);
  Started c([&tx = tx] { return tx.Closed(); });
  std::optional<Rx> reopened;
  auto outer = other_rx.Recv();
  outer.Start([&, &tx = tx, &rx = rx](const broadcast::Item<int>&) {
    Drop(rx);
    reopened.emplace(tx.Subscribe());
    EXPECT_TRUE(c.pending());
  });
  SendAll(other_tx, 0, 0);
  EXPECT_FALSE(c.pending());
  EXPECT_EQ(tx.receiver_count(), 1U);
}

// Clauses: B16 D1
TEST(Broadcast, P82_OnlyTheLastSendersDropWakes) {
  auto [tx1, rx1] = broadcast::Channel<int>(2);
  std::optional<Tx> tx2(tx1);
  Rx rx2 = tx1.Subscribe();
  Started r1([&rx1 = rx1] { return rx1.Recv(); });
  Started r2([&] { return rx2.Recv(); });
  tx2.reset();
  EXPECT_TRUE(r1.pending());
  EXPECT_TRUE(r2.pending());
  Drop(tx1);
  ASSERT_FALSE(r1.pending());
  ASSERT_FALSE(r2.pending());
  EXPECT_EQ(Show(r1.outcome()), "closed");
  EXPECT_EQ(Show(r2.outcome()), "closed");
}

// Clauses: B24 G1
TEST(Broadcast, P83_ASendWakesTheStartedOnes) {
  auto [tx, rx1] = broadcast::Channel<int>(16);
  Rx rx2 = tx.Subscribe();
  Started r1([&rx1 = rx1] { return rx1.Recv(); });
  auto r2 = rx2.Recv();
  SendAll(tx, 5, 5);
  ASSERT_FALSE(r1.pending());
  EXPECT_EQ(Show(r1.outcome()), "5");
  std::string told;
  r2.Start([&told](const broadcast::Item<int>& item) { told = Show(item); });
  EXPECT_EQ(told, "5");
}

// Sends on a channel as it dies.
struct SendsAtDeath {
  explicit SendsAtDeath(Tx sender) : tx(std::move(sender)) {}
  SendsAtDeath(const SendsAtDeath&) = delete;
  SendsAtDeath& operator=(const SendsAtDeath&) = delete;
  ~SendsAtDeath() { static_cast<void>(tx.Send(77)); }
  Tx tx;
};

// Clauses: G6 G9
TEST(Broadcast, P84_CallbacksUseTheirOwnChannel) {
  {
    auto [tx, rx] = broadcast::Channel<int>(4);
    auto r = rx.Recv();
    r.Start([&tx = tx](const broadcast::Item<int>& item) {
      if (**item == 1) {
        SendAll(tx, 2, 2);
      }
    });
    SendAll(tx, 1, 1);
    EXPECT_EQ(Read(rx, 2), "2, empty");
  }
  {
    auto [tx, rx] = broadcast::Channel<int>(4);
    std::optional<Started<decltype(rx.Recv())>> replacing;
    {
      auto owned = std::make_shared<SendsAtDeath>(tx);
      auto r = rx.Recv();
      r.Start([owned](const broadcast::Item<int>&) {});
      owned.reset();
    }
    EXPECT_EQ(Read(rx, 2), "77, empty");
    replacing.emplace([&rx = rx] { return rx.Recv(); });
    EXPECT_TRUE(replacing->pending());
  }
  auto channel = broadcast::Channel<int>(4);
  Rx rx1 = std::move(channel.second);
  Rx rx2 = channel.first.Subscribe();
  std::optional<Tx> last(std::move(channel.first));
  auto r = rx1.Recv();
  r.Start([&last](const broadcast::Item<int>&) { last.reset(); });
  Started waiting([&] { return rx2.Recv(); });
  SendAll(*last, 1, 1);
  EXPECT_FALSE(last.has_value());
  EXPECT_EQ(Show(waiting.outcome()), "1");
  EXPECT_EQ(Read(rx1, 1), "closed");
  EXPECT_EQ(Read(rx2, 1), "closed");
}

// A value that uses the channel as it is overwritten, read or left behind.
struct Meddler {
  explicit Meddler(const broadcast::Sender<Meddler>* sender) : tx(sender) {}
  Meddler(Meddler&& other) noexcept : tx(std::exchange(other.tx, nullptr)) {}
  Meddler& operator=(Meddler&&) = delete;
  ~Meddler() {
    if (tx != nullptr) met += tx->receiver_count() + 1;
  }
  const broadcast::Sender<Meddler>* tx;
  static inline std::size_t met = 0;
};

// Clauses: G6
TEST(Broadcast, AValueMayUseItsChannelAsItDies) {
  auto [tx, rx] = broadcast::Channel<Meddler>(1);
  ASSERT_TRUE(tx.Send(Meddler(&tx)).ok());
  ASSERT_TRUE(tx.Send(Meddler(&tx)).ok());  // overwrites the first
  EXPECT_EQ(Meddler::met, 2U);
  Drop(rx);
  EXPECT_EQ(Meddler::met, 3U);
}

// Clauses: B22 B17 G14
TEST(Broadcast, P87_CountsAndWeakSenders) {
  using Weak = broadcast::WeakSender<int>;
  auto [first, rx] = broadcast::Channel<int>(4);
  std::optional<Tx> tx1(std::move(first));
  std::optional<Tx> tx2(*tx1);
  std::optional<Weak> weak1(tx1->Downgrade());
  std::optional<Weak> weak2(*weak1);
  EXPECT_EQ(tx1->strong_count(), 2U);
  EXPECT_EQ(tx1->weak_count(), 2U);
  EXPECT_EQ(weak1->strong_count(), 2U);
  EXPECT_EQ(weak1->weak_count(), 2U);
  EXPECT_EQ(rx.strong_count(), 2U);
  EXPECT_EQ(rx.weak_count(), 2U);
  EXPECT_TRUE(tx1->SameChannel(*tx2));
  EXPECT_TRUE(weak1->SameChannel(*weak2));
  EXPECT_TRUE(rx.SameChannel(tx1->Subscribe()));
  EXPECT_FALSE(tx1->SameChannel(Tx(4)));
  tx2.reset();
  weak2.reset();
  EXPECT_EQ(rx.strong_count(), 1U);
  EXPECT_EQ(rx.weak_count(), 1U);
  {
    auto upgraded = weak1->Upgrade();
    ASSERT_TRUE(upgraded.has_value());
    EXPECT_EQ(rx.strong_count(), 2U);
  }
  EXPECT_EQ(rx.strong_count(), 1U);

  EXPECT_EQ(tx1->receiver_count(), 1U);
  {
    const Rx other = rx.Resubscribe();
    EXPECT_EQ(tx1->receiver_count(), 2U);
  }
  EXPECT_EQ(tx1->receiver_count(), 1U);

  SendAll(*tx1, 1, 1);
  EXPECT_FALSE(rx.is_closed());
  tx1.reset();
  EXPECT_TRUE(rx.is_closed());
  EXPECT_FALSE(weak1->Upgrade().has_value());
  EXPECT_EQ(Read(rx, 2), "1, closed");
}

// Clauses: B25 G2
TEST(Broadcast, P89_ACancelledReceiveReadNothing) {
  auto [tx, rx] = broadcast::Channel<int>(4);
  Started r([&rx = rx] { return rx.Recv(); });
  EXPECT_TRUE(r.Cancel());
  {
    const Started<decltype(rx.Recv())> destroyed([&rx = rx] { return rx.Recv(); });
  }
  EXPECT_EQ(Show(rx.Recv().WaitUntil(TimePoint())), "timed out");
  SendAll(tx, 1, 1);
  EXPECT_TRUE(r.pending());
  EXPECT_EQ(Read(rx, 2), "1, empty");
}

// Clauses: B21
TEST(Broadcast, SenderSizeIsWhatSomebodyWants) {
  auto [tx, rx1] = broadcast::Channel<int>(4);
  EXPECT_EQ(tx.size(), 0U);
  SendAll(tx, 0, 1);
  Rx rx2 = tx.Subscribe();
  EXPECT_EQ(tx.size(), 2U);
  SendAll(tx, 2, 2);
  EXPECT_EQ(tx.size(), 3U);
  EXPECT_EQ(Read(rx1, 2), "0, 1");
  EXPECT_EQ(tx.size(), 1U);
  SendAll(tx, 3, 9);
  EXPECT_EQ(tx.size(), 4U);
  Drop(rx1);
  EXPECT_EQ(tx.size(), 4U);
  EXPECT_EQ(Show(rx2.TryRecv()), "lagged 4");
  EXPECT_EQ(tx.size(), 4U);
  Drop(rx2);
  EXPECT_EQ(tx.size(), 0U);
  EXPECT_TRUE(tx.empty());
}

// Neither copied nor moved once it was accepted: the receivers look at the one value.
// Clauses: B23 D9
TEST(Broadcast, ReceiversShareOneImmutableValue) {
  auto [tx, rx1] = broadcast::Channel<Box>(4);
  static_assert(std::is_same_v<decltype(rx1.TryRecv()), broadcast::Item<Box>>);
  auto rx2 = tx.Subscribe();
  Box value(1);
  const void* const identity = value.identity();
  ASSERT_TRUE(tx.Send(std::move(value)).ok());
  const broadcast::Value<Box> one = *rx1.TryRecv();
  const broadcast::Value<Box> two = *rx2.TryRecv();
  EXPECT_EQ(one.get(), two.get());
  EXPECT_EQ(one->identity(), identity);
}

// Clauses: B2
TEST(Broadcast, AChannelHasOneReceiverAndASenderNone) {
  auto [tx, rx] = broadcast::Channel<int>(1);
  EXPECT_EQ(tx.receiver_count(), 1U);
  EXPECT_EQ(Tx(1).receiver_count(), 0U);
  Rx moved(std::move(rx));
  EXPECT_EQ(tx.receiver_count(), 1U);
  moved = tx.Subscribe();
  EXPECT_EQ(tx.receiver_count(), 1U);
}

// Clauses: B25 B12
TEST(Broadcast, AReceiveDestroyedBeforeItWasToldReadNothing) {
  auto [tx, rx1] = broadcast::Channel<int>(4);
  Rx rx2 = tx.Subscribe();
  auto first = rx1.Recv();
  std::optional<Started<decltype(rx2.Recv())>> second;
  first.Start([&second](const broadcast::Item<int>&) { second.reset(); });
  second.emplace([&] { return rx2.Recv(); });
  SendAll(tx, 1, 1);
  EXPECT_FALSE(second.has_value());
  EXPECT_EQ(Read(rx2, 2), "1, empty");
}

}  // namespace
}  // namespace sluice::channel
