// SPDX-License-Identifier: Apache-2.0
// One thread: versions, what is seen, updates that fail, and the end.
#include "channel/watch.h"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::Drop;
using testing::Started;

using Tx = watch::Sender<int>;
using Rx = watch::Receiver<int>;

// What Changed() tells if it is started now: "ok", "closed", or "pending", and then it is
// cancelled.
template <class T>
std::string Changed(watch::Receiver<T>& rx) {
  Started c([&rx] { return rx.Changed(); });
  if (c.pending()) return c.Cancel() ? "pending" : "neither";
  if (c.outcome().ok()) return "ok";
  return c.outcome().error() == Errc::kClosed ? "closed" : "another";
}

// Clauses: W1 W3
TEST(Watch, ExampleOfTheHeader) {
  // [watch]
  auto [sender, receiver] = watch::Channel<std::string>("red");

  static_cast<void>(sender.Send("amber"));
  static_cast<void>(sender.Send("green"));
  { const auto last = std::move(sender); }  // the end

  std::string seen = *receiver.BorrowAndUpdate();
  while (receiver.Changed().Wait().ok()) seen += *receiver.BorrowAndUpdate();
  // [watch]
  EXPECT_EQ(seen, "green");
}

// Clauses: W1 W6 W9 W25
TEST(Watch, P90_TheFinalValueIsAnnouncedOnceThenTheEnd) {
  auto [tx, rx] = watch::Channel<std::string>("one");
  EXPECT_EQ(Changed(rx), "pending");
  EXPECT_EQ(*rx.Borrow(), "one");
  ASSERT_TRUE(tx.Send("two").ok());
  EXPECT_EQ(Changed(rx), "ok");
  EXPECT_EQ(*rx.Borrow(), "two");
  Started waiting([&rx = rx] { return rx.Changed(); });
  EXPECT_TRUE(waiting.pending());
  Drop(tx);
  ASSERT_FALSE(waiting.pending());
  EXPECT_EQ(waiting.outcome().error(), Errc::kClosed);
  EXPECT_EQ(Changed(rx), "closed");
  EXPECT_EQ(Changed(rx), "closed");
  EXPECT_EQ(*rx.Borrow(), "two");
  EXPECT_EQ(*rx.BorrowAndUpdate(), "two");
}

// Clauses: W6 W5 W9 W3
TEST(Watch, UnseenBeatsClosedButNotInHasChanged) {
  auto [tx, rx] = watch::Channel<int>(0);
  EXPECT_FALSE(*rx.HasChanged());
  ASSERT_TRUE(tx.Send(1).ok());
  EXPECT_TRUE(*rx.HasChanged());
  Drop(tx);
  EXPECT_EQ(rx.HasChanged().error(), Errc::kClosed);
  EXPECT_EQ(Changed(rx), "ok");
  EXPECT_EQ(Changed(rx), "closed");
  EXPECT_EQ(rx.HasChanged().error(), Errc::kClosed);
}

// Clauses: W7 W2
TEST(Watch, P91_ManyUpdatesAreOne) {
  auto [tx, rx] = watch::Channel<int>(0);
  for (const int value : {1, 2, 3}) ASSERT_TRUE(tx.Send(value).ok());
  EXPECT_EQ(*rx.Changed().Wait(), 3U);
  EXPECT_EQ(*rx.Borrow(), 3);
  EXPECT_EQ(Changed(rx), "pending");
}

// Clauses: W3 W4 W8
TEST(Watch, P93_BorrowAndBorrowAndUpdate) {
  auto [tx, rx] = watch::Channel<int>(0);
  EXPECT_FALSE(rx.Borrow().has_changed());
  ASSERT_TRUE(tx.Send(1).ok());
  EXPECT_TRUE(*rx.HasChanged());
  EXPECT_TRUE(rx.Borrow().has_changed());
  EXPECT_TRUE(rx.Borrow().has_changed());
  EXPECT_TRUE(*rx.HasChanged());
  EXPECT_FALSE(tx.Borrow().has_changed());
  EXPECT_EQ(tx.Borrow().version(), 1U);
  EXPECT_TRUE(rx.BorrowAndUpdate().has_changed());
  EXPECT_FALSE(rx.BorrowAndUpdate().has_changed());
  EXPECT_FALSE(*rx.HasChanged());
  EXPECT_EQ(Changed(rx), "pending");

  ASSERT_TRUE(tx.Send(2).ok());
  EXPECT_EQ(Changed(rx), "ok");
  ASSERT_TRUE(tx.Send(3).ok());
  EXPECT_EQ(*rx.Borrow(), 3);
  EXPECT_EQ(Changed(rx), "ok");

  ASSERT_TRUE(tx.Send(4).ok());
  EXPECT_EQ(Changed(rx), "ok");
  ASSERT_TRUE(tx.Send(5).ok());
  EXPECT_EQ(*rx.BorrowAndUpdate(), 5);
  EXPECT_EQ(Changed(rx), "pending");

  ASSERT_TRUE(tx.Send(6).ok());
  Drop(tx);
  EXPECT_TRUE(rx.Borrow().has_changed());  // no error after the end
}

// Clauses: W15
TEST(Watch, P94_ACopyHasSeenWhatItsOriginalHas) {
  auto [tx, rx] = watch::Channel<std::string>("one");
  ASSERT_TRUE(tx.Send("two").ok());
  watch::Receiver<std::string> c(rx);
  EXPECT_TRUE(*c.HasChanged());
  EXPECT_EQ(Changed(c), "ok");
  EXPECT_FALSE(*c.HasChanged());
  EXPECT_TRUE(*rx.HasChanged());
  auto s = tx.Subscribe();
  EXPECT_FALSE(*s.HasChanged());
  EXPECT_EQ(Changed(s), "pending");
  EXPECT_EQ(tx.receiver_count(), 3U);
  s = rx;
  EXPECT_TRUE(*s.HasChanged());
  EXPECT_EQ(tx.receiver_count(), 3U);
}

// Clauses: W16
TEST(Watch, P95_MarkChangedAndUnchanged) {
  auto [tx, rx] = watch::Channel<int>(0);
  rx.MarkChanged();
  rx.MarkChanged();
  EXPECT_TRUE(*rx.HasChanged());
  EXPECT_EQ(Changed(rx), "ok");
  EXPECT_EQ(Changed(rx), "pending");
  rx.MarkChanged();
  rx.MarkUnchanged();
  EXPECT_EQ(Changed(rx), "pending");
  ASSERT_TRUE(tx.Send(1).ok());
  rx.MarkUnchanged();
  EXPECT_FALSE(*rx.HasChanged());
  EXPECT_EQ(*rx.BorrowAndUpdate(), 1);
  Drop(tx);
  rx.MarkChanged();
  EXPECT_EQ(Changed(rx), "ok");
  EXPECT_EQ(Changed(rx), "closed");
}

// Clauses: W11 W12 W1 W21 G15
TEST(Watch, P96_WithoutReceivers) {
  const Tx tx(0);
  EXPECT_TRUE(tx.is_closed());
  auto refused = tx.Send(3);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().why, Errc::kClosed);
  EXPECT_EQ(refused.error().value, 3);
  EXPECT_EQ(*tx.Borrow(), 0);
  EXPECT_EQ(tx.Borrow().version(), 0U);
  EXPECT_EQ(*tx.SendReplace(4), 0);
  EXPECT_EQ(*tx.Borrow(), 4);
  EXPECT_EQ(tx.Borrow().version(), 1U);
  {
    Rx rx = tx.Subscribe();
    EXPECT_EQ(*rx.Borrow(), 4);
    EXPECT_EQ(Changed(rx), "pending");
    EXPECT_FALSE(tx.is_closed());
  }
  EXPECT_TRUE(tx.is_closed());
  EXPECT_FALSE(tx.Send(5).ok());
  EXPECT_EQ(*tx.Borrow(), 4);

  const watch::Sender<Box> boxes(Box(1));
  Box value(2);
  const void* const identity = value.identity();
  const auto back = boxes.Send(std::move(value));
  EXPECT_EQ(back.error().value.identity(), identity);
}

// Clauses: W14 W2
TEST(Watch, P97_ModifyIfTellsOnlyWhenTrue) {
  auto [tx, rx] = watch::Channel<int>(1);
  Started waiting([&rx = rx] { return rx.Changed(); });
  EXPECT_FALSE(tx.ModifyIf([](int& value) {
    value = 100;
    return false;
  }));
  EXPECT_TRUE(waiting.pending());
  EXPECT_EQ(*tx.Borrow(), 1);  // what a refused change did is discarded (D5)
  EXPECT_FALSE(*rx.HasChanged());
  EXPECT_TRUE(tx.ModifyIf([](int& value) {
    value = 2;
    return true;
  }));
  EXPECT_FALSE(waiting.pending());
  EXPECT_EQ(*rx.Borrow(), 2);
  EXPECT_EQ(Changed(rx), "pending");
  ASSERT_TRUE(tx.Send(2).ok());  // equal, and an update all the same
  EXPECT_EQ(Changed(rx), "ok");
}

// Clauses: W13 D5
TEST(Watch, P98_AChangeThatThrowsDidNothing) {
  auto [tx, rx] = watch::Channel<std::string>("old");
  Started waiting([&rx = rx] { return rx.Changed(); });
  EXPECT_THROW(tx.Modify([](std::string& value) {
    value = "partial";
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_TRUE(waiting.pending());
  EXPECT_EQ(*rx.Borrow(), "old");
  EXPECT_EQ(rx.Borrow().version(), 0U);
  tx.Modify([](std::string& value) { value += "er"; });
  EXPECT_FALSE(waiting.pending());
  EXPECT_EQ(*rx.Borrow(), "older");

  const Tx alone(1);
  alone.Modify([](int& value) { ++value; });  // stores without receivers
  EXPECT_EQ(*alone.Borrow(), 2);
  EXPECT_EQ(alone.Borrow().version(), 1U);
}

// Clauses: W13 W14 D5
TEST(Watch, AChangeIsMadeAgainWhenAnotherUpdateCameBetween) {
  auto [tx, rx] = watch::Channel<int>(0);
  int runs = 0;
  tx.Modify([&runs, &other = tx](int& value) {
    if (++runs == 1) {
      ASSERT_TRUE(other.Send(10).ok());
    }
    ++value;
  });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(*rx.Borrow(), 11);
  EXPECT_EQ(rx.Borrow().version(), 2U);
}

// Clauses: W2 W23
TEST(Watch, EveryUpdateIsTheNextVersion) {
  auto [tx1, rx] = watch::Channel<int>(0);
  const Tx tx2(tx1);
  ASSERT_TRUE(tx1.Send(1).ok());
  static_cast<void>(tx2.SendReplace(2));
  tx1.Modify([](int&) {});
  EXPECT_TRUE(tx2.ModifyIf([](int&) { return true; }));
  EXPECT_EQ(rx.BorrowAndUpdate().version(), 4U);
  EXPECT_EQ(tx1.sender_count(), 2U);
  EXPECT_TRUE(tx1.SameChannel(tx2));
  EXPECT_TRUE(rx.SameChannel(tx2.Subscribe()));
  EXPECT_FALSE(tx1.SameChannel(Tx(0)));
}

// Clauses: W10
TEST(Watch, OnlyTheLastSendersDropEnds) {
  auto [tx, rx] = watch::Channel<int>(0);
  std::optional<Tx> other(tx);
  Started waiting([&rx = rx] { return rx.Changed(); });
  other.reset();
  EXPECT_TRUE(waiting.pending());
  EXPECT_FALSE(*rx.HasChanged());
  Drop(tx);
  EXPECT_FALSE(waiting.pending());
}

// Clauses: W26 W20 G2
TEST(Watch, P104_ACancelledChangedMarksNothing) {
  {
    auto [tx, rx] = watch::Channel<int>(0);
    Started c([&rx = rx] { return rx.Changed(); });
    EXPECT_TRUE(c.Cancel());
    {
      const Started<decltype(rx.Changed())> destroyed([&rx = rx] { return rx.Changed(); });
    }
    ASSERT_TRUE(tx.Send(1).ok());
    EXPECT_TRUE(c.pending());
    EXPECT_TRUE(*rx.HasChanged());
    EXPECT_EQ(Changed(rx), "ok");
  }
  auto [tx, rx] = watch::Channel<int>(0);
  const auto throws = [](const int& value) -> bool {
    if (value == 1) throw std::runtime_error("one");
    return value == 2;
  };
  ASSERT_TRUE(tx.Send(1).ok());
  const auto at_once = rx.WaitFor(throws).Wait();
  EXPECT_THROW(static_cast<void>(at_once.ok()), std::runtime_error);
  EXPECT_THROW(static_cast<void>(*at_once), std::runtime_error);
  EXPECT_FALSE(*rx.HasChanged());
  ASSERT_TRUE(tx.Send(0).ok());
  Started later([&, &rx = rx] { return rx.WaitFor(throws); });
  EXPECT_TRUE(later.pending());
  ASSERT_TRUE(tx.Send(1).ok());
  ASSERT_FALSE(later.pending());
  EXPECT_THROW(static_cast<void>(later.outcome().error()), std::runtime_error);
  EXPECT_FALSE(*rx.HasChanged());
  ASSERT_TRUE(tx.Send(2).ok());
  EXPECT_EQ(**rx.WaitFor(throws).Wait(), 2);
}

// A completion that is queued behind the callback that runs now, and destroyed by it, has not yet
// marked anything.
// Clauses: W26 G3
TEST(Watch, AChangedDestroyedBeforeItWasToldMarksNothing) {
  auto [tx, rx1] = watch::Channel<int>(0);
  Rx rx2(rx1);
  auto first = rx1.Changed();
  std::optional<Started<decltype(rx2.Changed())>> second;
  first.Start([&second](Result<watch::Version, Errc>) { second.reset(); });
  second.emplace([&] { return rx2.Changed(); });
  ASSERT_TRUE(tx.Send(1).ok());
  EXPECT_FALSE(second.has_value());
  EXPECT_TRUE(*rx2.HasChanged());
}

}  // namespace
}  // namespace sluice::channel
