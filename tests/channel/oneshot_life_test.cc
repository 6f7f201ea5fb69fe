// SPDX-License-Identifier: Apache-2.0
// One thread: how long the value, the ends and what is stored in them live.
#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "channel/oneshot.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::Drop;
using testing::Started;

// Clauses: O12 O3
TEST(Oneshot, P60_DroppingTheReceiverDestroysAnUnreadValueAtOnce) {
  auto [tx, rx] = oneshot::Channel<Box>();
  Started closed([&tx = tx] { return tx.Closed(); });  // keeps what both ends share
  ASSERT_TRUE(std::move(tx).Send(Box(1)).ok());
  EXPECT_EQ(Box::live(), 1);
  Drop(rx);
  EXPECT_EQ(Box::live(), 0);
  EXPECT_FALSE(closed.pending());
}

// Sends from its destructor.
struct LastWords {
  explicit LastWords(oneshot::Sender<int> sender) : tx(std::move(sender)) {}
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;
  ~LastWords() { is_ok = std::move(tx).Send(99).ok(); }
  oneshot::Sender<int> tx;
  static inline bool is_ok = false;
};

// Clauses: O14 O15
TEST(Oneshot, P61_DroppingBothSidesReleasesBothContinuations) {
  auto for_rx = std::make_shared<int>(0);
  auto for_tx = std::make_shared<int>(0);
  {
    auto [tx, rx] = oneshot::Channel<int>();
    auto r = rx.Recv();
    auto c = tx.Closed();
    r.Start([for_rx](Result<int, Errc>) {});
    c.Start([for_tx](Waited) {});
    EXPECT_EQ(for_rx.use_count(), 2);
    EXPECT_EQ(for_tx.use_count(), 2);
    EXPECT_TRUE(r.Cancel());
    EXPECT_TRUE(c.Cancel());
    Drop(tx);
    Drop(rx);
    EXPECT_EQ(for_rx.use_count(), 1);
    EXPECT_EQ(for_tx.use_count(), 1);
  }
  auto [tx, rx] = oneshot::Channel<int>();
  { const LastWords holder(std::move(tx)); }
  EXPECT_TRUE(LastWords::is_ok);
  EXPECT_EQ(*rx.TryRecv(), 99);
}

// Clauses: O14 O12
TEST(Oneshot, DroppingTheReceiverAloneReleasesItsContinuation) {
  auto owned = std::make_shared<int>(0);
  auto [tx, rx] = oneshot::Channel<int>();
  bool is_told = false;
  auto r = rx.Recv();
  r.Start(
      [&is_told, owned](Result<int, Errc> outcome) { is_told = outcome.error() == Errc::kClosed; });
  Drop(rx);
  EXPECT_TRUE(is_told);
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_TRUE(tx.is_closed());
}

// Clauses: O15
TEST(Oneshot, MovedFromAndConsumedSendersAreInert) {
  auto [tx, rx] = oneshot::Channel<int>();
  oneshot::Sender<int> moved(std::move(tx));
  Drop(tx);  // NOLINT(bugprone-use-after-move): inert
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
  ASSERT_TRUE(std::move(moved).Send(1).ok());
  EXPECT_TRUE(moved.is_closed());  // NOLINT(bugprone-use-after-move)
  auto again = std::move(moved).Send(2);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().value, 2);
  EXPECT_EQ(*rx.TryRecv(), 1);

  auto [tx2, rx2] = oneshot::Channel<int>();
  auto [tx3, rx3] = oneshot::Channel<int>();
  tx2 = std::move(tx3);  // drops the sender of rx2
  EXPECT_EQ(rx2.TryRecv().error(), Errc::kClosed);
  EXPECT_EQ(rx3.TryRecv().error(), Errc::kEmpty);
  rx2 = std::move(rx3);
  ASSERT_TRUE(std::move(tx2).Send(4).ok());
  EXPECT_EQ(*rx2.TryRecv(), 4);
}

// The value's destructor uses the channel that destroys it.
struct Reentrant {
  Reentrant(const oneshot::Receiver<Reentrant>* end, bool* seen) : rx(end), is_done(seen) {}
  Reentrant(Reentrant&& other) noexcept
      : rx(std::exchange(other.rx, nullptr)), is_done(other.is_done) {}
  Reentrant& operator=(Reentrant&&) = delete;
  ~Reentrant() {
    if (rx != nullptr) *is_done = rx->empty();
  }
  const oneshot::Receiver<Reentrant>* rx;
  bool* is_done;
};

// Clauses: G6
TEST(Oneshot, AValueMayUseItsChannelAsItDies) {
  bool is_done = false;
  auto [tx, rx] = oneshot::Channel<Reentrant>();
  ASSERT_TRUE(std::move(tx).Send(Reentrant(&rx, &is_done)).ok());
  { auto read = rx.TryRecv(); }
  EXPECT_TRUE(is_done);
}

}  // namespace
}  // namespace sluice::channel
