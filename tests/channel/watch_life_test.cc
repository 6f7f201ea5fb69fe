// SPDX-License-Identifier: Apache-2.0
// One thread: how long a value lives, and who keeps the channel open.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "channel/watch.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::Drop;
using testing::Started;

using Tx = watch::Sender<int>;
using Rx = watch::Receiver<int>;

// Clauses: W21 D11
TEST(Watch, P103_ClosedCompletesWhenTheLastReceiverGoes) {
  auto channel = watch::Channel<int>(0);
  const Tx tx = std::move(channel.first);
  std::optional<Rx> rx1(std::move(channel.second));
  for (int generation = 0; generation < 3; ++generation) {
    std::optional<Rx> rx2(*rx1);
    Started c([&] { return tx.Closed(); });
    rx1.reset();
    EXPECT_TRUE(c.pending());
    rx2.reset();
    EXPECT_FALSE(c.pending());
    Started at_once([&] { return tx.Closed(); });
    EXPECT_FALSE(at_once.pending());
    rx1.emplace(tx.Subscribe());  // reopens
    EXPECT_FALSE(tx.is_closed());
  }
}

// Clauses: W24 D10
TEST(Watch, ASnapshotHoldsNobodyUp) {
  auto [tx, rx] = watch::Channel<std::string>("old");
  const watch::Ref<std::string> held = rx.Borrow();
  const watch::Ref<std::string> nested = rx.Borrow();
  ASSERT_TRUE(tx.Send("new").ok());  // would wait for ever behind a lock of the reader
  EXPECT_EQ(*held, "old");
  EXPECT_EQ(held.snapshot(), nested.snapshot());
  EXPECT_EQ(*rx.Borrow(), "new");
  static_assert(std::is_same_v<watch::Snapshot<int>, std::shared_ptr<const int>>);
}

// Clauses: W25 W7
TEST(Watch, OnlyTheLastValueLives) {
  {
    auto [tx, rx] = watch::Channel<Box>(Box(0));
    for (int i = 1; i < 5; ++i) ASSERT_TRUE(tx.Send(Box(i)).ok());
    EXPECT_EQ(Box::live(), 1);
    Drop(tx);
    EXPECT_EQ(Box::live(), 1);
    EXPECT_EQ(rx.Borrow()->number(), 4);
    const watch::Snapshot<Box> outstanding = rx.Borrow().snapshot();
    Drop(rx);
    EXPECT_EQ(outstanding->number(), 4);
  }
  EXPECT_EQ(Box::live(), 0);
}

// A value that uses the channel as it dies.
struct Meddler {
  explicit Meddler(const watch::Sender<Meddler>* sender) : tx(sender) {}
  Meddler(Meddler&& other) noexcept : tx(std::exchange(other.tx, nullptr)) {}
  Meddler& operator=(Meddler&&) = delete;
  ~Meddler() {
    if (tx != nullptr) met += tx->receiver_count();
  }
  const watch::Sender<Meddler>* tx;
  static inline std::size_t met = 0;
};

// Clauses: G6
TEST(Watch, AValueMayUseItsChannelAsItDies) {
  auto [tx, rx] = watch::Channel<Meddler>(Meddler(nullptr));
  ASSERT_TRUE(tx.Send(Meddler(&tx)).ok());
  ASSERT_TRUE(tx.Send(Meddler(nullptr)).ok());
  EXPECT_EQ(Meddler::met, 1U);
}

}  // namespace
}  // namespace sluice::channel
