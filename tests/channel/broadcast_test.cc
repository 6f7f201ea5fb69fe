// SPDX-License-Identifier: Apache-2.0
// One thread: the order of values, the arithmetic of lag, subscribing and the end.
#include "channel/broadcast.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

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
using testing::Tx;

// Clauses: B3 B7
TEST(Broadcast, ExampleOfTheHeader) {
  std::string shown;
  // [broadcast]
  auto [sender, receiver] = broadcast::Channel<std::string>(2);
  auto second = sender.Subscribe();

  auto sent = sender.Send("one");
  if (sent.ok()) {
    // *sent receivers will be offered it; else it is back in sent.error().value.
  }
  for (const char* word : {"two", "three"}) static_cast<void>(sender.Send(word));
  { const auto last = std::move(sender); }  // the end

  for (;;) {
    auto item = receiver.Recv().Wait();
    if (item.ok()) {
      shown += **item + " ";
    } else if (const auto* gap = std::get_if<Lagged>(&item.error())) {
      shown += "missed " + std::to_string(gap->missed) + " ";
    } else {
      break;  // closed
    }
  }
  // [broadcast]
  EXPECT_EQ(shown, "missed 1 two three ");
}

// Clauses: B4 B6 B7 B3
TEST(Broadcast, P70_EmptyThenTheValueForEveryReceiver) {
  auto [tx, rx1] = broadcast::Channel<int>(16);
  EXPECT_EQ(Show(rx1.TryRecv()), "empty");
  EXPECT_EQ(Send(tx, 1), 1U);
  EXPECT_EQ(Read(rx1, 2), "1, empty");
  Rx rx2 = tx.Subscribe();
  EXPECT_EQ(Send(tx, 2), 2U);
  EXPECT_EQ(Read(rx1, 2), "2, empty");
  EXPECT_EQ(Read(rx2, 2), "2, empty");
}

// Clauses: B4 B2 G15
TEST(Broadcast, P71_WithoutReceiversItIsHandedBack) {
  const broadcast::Sender<Box> tx(16);
  Box value(7);
  const void* const identity = value.identity();
  auto sent = tx.Send(std::move(value));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().why, Errc::kClosed);
  EXPECT_EQ(sent.error().value.identity(), identity);
  EXPECT_EQ(tx.next_position(), 0U);
  auto rx = tx.Subscribe();
  EXPECT_FALSE(rx.TryRecv().ok());
  EXPECT_EQ(*tx.Send(Box(8)), 1U);
  EXPECT_EQ((*rx.TryRecv())->number(), 8);
}

// Clauses: B5 B8 B9 B11
TEST(Broadcast, P72_LaggingReceiver) {
  auto [tx, rx1] = broadcast::Channel<int>(2);
  Rx rx2 = tx.Subscribe();
  SendAll(tx, 1, 2);
  EXPECT_EQ(Read(rx1, 1), "1");
  SendAll(tx, 3, 3);
  EXPECT_EQ(Read(rx2, 2), "lagged 1, 2");
  EXPECT_EQ(Read(rx1, 2), "2, 3");
  SendAll(tx, 4, 5);
  EXPECT_EQ(Read(rx2, 1), "lagged 1");
  SendAll(tx, 6, 6);
  EXPECT_EQ(Read(rx2, 4), "lagged 1, 5, 6, empty");
  EXPECT_EQ(Read(rx1, 4), "lagged 1, 5, 6, empty");
}

// Clauses: B8
TEST(Broadcast, P74_LaggedByTheNumberOfOverwrittenValues) {
  auto [tx, rx] = broadcast::Channel<int>(4);
  SendAll(tx, 1, 4);
  EXPECT_EQ(Read(rx, 1), "1");
  SendAll(tx, 5, 8);
  EXPECT_EQ(Read(rx, 6), "lagged 3, 5, 6, 7, 8, empty");
}

// Clauses: B9
TEST(Broadcast, P75_LaggedAgainBeforeReading) {
  auto [tx, rx] = broadcast::Channel<int>(2);
  SendAll(tx, 1, 3);
  EXPECT_EQ(Read(rx, 1), "lagged 1");
  SendAll(tx, 4, 6);
  EXPECT_EQ(Read(rx, 4), "lagged 3, 5, 6, empty");
}

// Clauses: B16
TEST(Broadcast, P76_TheEndComesAfterWhatIsOwedAndTakesNoPlace) {
  {
    auto [tx, rx] = broadcast::Channel<int>(2);
    SendAll(tx, 1, 4);
    Drop(tx);
    EXPECT_EQ(Read(rx, 5), "lagged 2, 3, 4, closed, closed");
  }
  auto [tx, rx] = broadcast::Channel<int>(2);
  SendAll(tx, 1, 2);
  Drop(tx);
  EXPECT_EQ(Read(rx, 4), "1, 2, closed, closed");
}

// Clauses: B13
TEST(Broadcast, P77_SizeThroughALag) {
  auto [tx, rx] = broadcast::Channel<int>(2);
  SendAll(tx, 1, 4);
  EXPECT_EQ(rx.size(), 4U);
  EXPECT_EQ(Show(rx.TryRecv()), "lagged 2");
  EXPECT_EQ(rx.size(), 2U);
  EXPECT_EQ(Show(rx.TryRecv()), "3");
  EXPECT_EQ(rx.size(), 1U);
  EXPECT_EQ(Show(rx.TryRecv()), "4");
  EXPECT_EQ(rx.size(), 0U);
  EXPECT_TRUE(rx.empty());
}

// Clauses: B14 B15
TEST(Broadcast, P79_ResubscribeSeesOnlyWhatComes) {
  {
    auto [tx, rx] = broadcast::Channel<int>(3);
    SendAll(tx, 1, 1);
    Rx rx2 = rx.Resubscribe();
    EXPECT_EQ(Read(rx2, 1), "empty");
    EXPECT_EQ(Read(rx, 1), "1");
    SendAll(tx, 2, 2);
    EXPECT_EQ(Read(rx2, 1), "2");
    SendAll(tx, 3, 3);
    EXPECT_EQ(Read(rx, 2), "2, 3");
    EXPECT_EQ(Read(rx2, 1), "3");
  }
  auto [tx, rx] = broadcast::Channel<int>(1);
  SendAll(tx, 1, 2);
  Rx rx2 = rx.Resubscribe();
  EXPECT_EQ(Read(rx, 2), "lagged 1, 2");
  EXPECT_EQ(Read(rx2, 1), "empty");
  Drop(tx);
  Rx rx3 = rx.Resubscribe();
  EXPECT_EQ(Read(rx3, 1), "closed");
}

// Clauses: B1 D7
TEST(Broadcast, P88_CapacityIsBoundedAndRounded) {
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
  EXPECT_THROW(Tx(0), std::invalid_argument);
  EXPECT_THROW(Tx(kMax / 2 + 1), std::invalid_argument);
  EXPECT_THROW(Tx{kMax}, std::invalid_argument);
  EXPECT_THROW(Tx(4, 0, [](const int&) { return std::size_t{1}; }), std::invalid_argument);
  EXPECT_THROW(Tx(4, 100, nullptr), std::invalid_argument);
  EXPECT_EQ(Tx(kMax / 2).capacity(), kMax / 2 + 1);  // nothing is allocated for it
  EXPECT_EQ(Tx(1).capacity(), 1U);
  EXPECT_EQ(Tx(3).capacity(), 4U);
  EXPECT_EQ(Tx(4).capacity(), 4U);
  EXPECT_EQ(Tx(10).capacity(), 16U);
}

struct LagRow {
  std::size_t asked;
  std::size_t capacity;
  int sends;
  int reads;
  const char* next;
  const char* then;

  friend void PrintTo(const LagRow& row, std::ostream* out) {
    *out << "capacity " << row.asked << ", " << row.sends << " sends, " << row.reads << " reads";
  }
};

class BroadcastTable : public ::testing::TestWithParam<LagRow> {};

// Sends 0, 1, 2, …; the first `reads` of them are read as soon as they are sent.
// Clauses: B1 B6 B7 B8 B9 B13
TEST_P(BroadcastTable, TheNextReceiveIsExact) {
  const LagRow row = GetParam();
  auto [tx, rx] = broadcast::Channel<int>(row.asked);
  EXPECT_EQ(tx.capacity(), row.capacity);
  for (int i = 0; i < row.sends; ++i) {
    SendAll(tx, i, i);
    if (i < row.reads) {
      EXPECT_EQ(Show(rx.TryRecv()), std::to_string(i));
    }
  }
  EXPECT_EQ(rx.size(), static_cast<std::size_t>(row.sends - row.reads));
  const bool is_behind = rx.size() > row.capacity;
  EXPECT_EQ(Show(rx.TryRecv()), row.next);
  EXPECT_EQ(is_behind, std::string(row.next).starts_with("lagged"));
  if (is_behind) {
    EXPECT_EQ(rx.size(), row.capacity);
  }
  EXPECT_EQ(Show(rx.Recv().Wait()), row.then);
}

INSTANTIATE_TEST_SUITE_P(
    Contract, BroadcastTable,
    ::testing::Values(LagRow{3, 4, 4, 0, "0", "1"}, LagRow{3, 4, 6, 1, "lagged 1", "2"},
                      LagRow{4, 4, 8, 1, "lagged 3", "4"}, LagRow{2, 2, 4, 0, "lagged 2", "2"},
                      LagRow{1, 1, 2, 0, "lagged 1", "1"}, LagRow{2, 2, 2, 0, "0", "1"}));

// Clauses: B10
TEST(Broadcast, ValuesAndMissedAddUp) {
  for (const int stride : {1, 2, 3, 5, 9}) {
    auto [tx, rx] = broadcast::Channel<int>(4);
    std::size_t accounted = 0;
    const auto account = [&](const broadcast::Item<int>& item) {
      if (item.ok()) ++accounted;
      if (!item.ok() && std::holds_alternative<Lagged>(item.error())) {
        accounted += std::get<Lagged>(item.error()).missed;
      }
    };
    for (int i = 0; i < 100; ++i) {
      SendAll(tx, i, i);
      if (i % stride == 0) account(rx.TryRecv());
    }
    Drop(tx);
    for (int i = 0; i < 6; ++i) account(rx.TryRecv());
    EXPECT_EQ(accounted, 100U);
    EXPECT_EQ(rx.position(), 100U);
  }
}

}  // namespace
}  // namespace sluice::channel
