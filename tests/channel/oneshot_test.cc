// SPDX-License-Identifier: Apache-2.0
// One thread: every state of the two ends, and what is told in each.
#include "channel/oneshot.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;
using testing::Drop;
using testing::Started;

template <class T>
using Recv = Started<Operation<oneshot::RecvRequest<T>>>;

// Clauses: O1 O2 G4
TEST(Oneshot, ExampleOfTheHeader) {
  // [oneshot]
  auto [answer, question] = oneshot::Channel<std::string>();

  auto sent = std::move(answer).Send("42");
  if (!sent.ok()) {
    // Nobody wants it any more, and it is back in sent.error().value.
  }
  auto received = question.Recv().Wait();  // or kClosed: the sender went without an answer
  // [oneshot]
  ASSERT_TRUE(received.ok());
  EXPECT_EQ(*received, "42");
}

// Clauses: O1 G11
TEST(Oneshot, EndsAreMoveOnlyAndAskNothingOfTheValue) {
  static_assert(!std::is_copy_constructible_v<oneshot::Sender<int>>);
  static_assert(!std::is_copy_constructible_v<oneshot::Receiver<int>>);
  static_assert(std::is_nothrow_move_constructible_v<oneshot::Sender<Box>>);
  auto [tx, rx] = oneshot::Channel<Box>();
  auto moved_tx = std::move(tx);
  auto moved_rx = std::move(rx);
  ASSERT_TRUE(std::move(moved_tx).Send(Box(1)).ok());
  EXPECT_EQ((*moved_rx.TryRecv()).number(), 1);
}

// Clauses: O5 D1
TEST(Oneshot, P50_AwaitIsWokenByTheValueAndByTheDrop) {
  {
    auto [tx, rx] = oneshot::Channel<int>();
    Started r([&rx = rx] { return rx.Recv(); });
    EXPECT_TRUE(r.pending());
    ASSERT_TRUE(std::move(tx).Send(1).ok());
    ASSERT_FALSE(r.pending());
    EXPECT_EQ(*r.outcome(), 1);
  }
  auto [tx, rx] = oneshot::Channel<int>();
  Started r([&rx = rx] { return rx.Recv(); });
  EXPECT_TRUE(r.pending());
  Drop(tx);
  ASSERT_FALSE(r.pending());
  EXPECT_EQ(r.outcome().error(), Errc::kClosed);
}

// Clauses: O2 O11 G15
TEST(Oneshot, P51_AGoneReceiverRefusesAndHandsBack) {
  auto [tx, rx] = oneshot::Channel<Box>();
  EXPECT_FALSE(tx.is_closed());
  Started c([&tx = tx] { return tx.Closed(); });
  EXPECT_TRUE(c.pending());
  Drop(rx);
  EXPECT_FALSE(c.pending());
  EXPECT_TRUE(tx.is_closed());
  Started at_once([&tx = tx] { return tx.Closed(); });
  EXPECT_FALSE(at_once.pending());

  Box value(7);
  const void* const identity = value.identity();
  auto sent = std::move(tx).Send(std::move(value));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().why, Errc::kClosed);
  EXPECT_EQ(sent.error().value.identity(), identity);
  EXPECT_EQ(Box::live(), 1);
}

// Clauses: O6 O7
TEST(Oneshot, P53_TryRecvThroughTheWholeLife) {
  auto [tx, rx] = oneshot::Channel<int>();
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
  ASSERT_TRUE(std::move(tx).Send(17).ok());
  EXPECT_EQ(*rx.TryRecv(), 17);
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
  rx.Close();
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);

  auto [tx2, rx2] = oneshot::Channel<int>();
  ASSERT_TRUE(std::move(tx2).Send(17).ok());
  EXPECT_EQ(*rx2.Recv().Wait(), 17);
  EXPECT_EQ(rx2.TryRecv().error(), Errc::kClosed);
}

// Clauses: O10 D8
TEST(Oneshot, P54_AwaitingATerminatedReceiverThrows) {
  auto [tx, rx] = oneshot::Channel<int>();
  auto made_before = rx.Recv();
  rx.Close();
  EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
  EXPECT_THROW(static_cast<void>(rx.Recv()), std::logic_error);
  EXPECT_THROW(static_cast<void>(made_before.Wait()), std::logic_error);

  auto [tx2, rx2] = oneshot::Channel<int>();
  ASSERT_TRUE(std::move(tx2).Send(1).ok());
  EXPECT_EQ(*rx2.Recv().Wait(), 1);
  EXPECT_THROW(static_cast<void>(rx2.Recv()), std::logic_error);
}

struct StateRow {
  const char* name;
  void (*reach)(oneshot::Sender<int>&, oneshot::Receiver<int>&);
  bool is_terminated;
  bool is_empty;
};

// Clauses: O8 O9
TEST(Oneshot, P55_TerminatedAndEmptyInEveryState) {
  using Tx = oneshot::Sender<int>;
  using Rx = oneshot::Receiver<int>;
  const std::array<StateRow, 7> rows{{
      {"new", [](Tx&, Rx&) {}, false, true},
      {"sent", [](Tx& tx, Rx&) { EXPECT_TRUE(std::move(tx).Send(1).ok()); }, false, false},
      {"read",
       [](Tx& tx, Rx& rx) {
         EXPECT_TRUE(std::move(tx).Send(1).ok());
         EXPECT_TRUE(rx.TryRecv().ok());
       },
       true, true},
      {"sender dropped", [](Tx& tx, Rx&) { Drop(tx); }, false, true},
      {"sender dropped, observed",
       [](Tx& tx, Rx& rx) {
         Drop(tx);
         EXPECT_EQ(rx.Recv().Wait().error(), Errc::kClosed);
       },
       true, true},
      {"closed", [](Tx&, Rx& rx) { rx.Close(); }, false, true},
      {"closed, observed",
       [](Tx&, Rx& rx) {
         rx.Close();
         EXPECT_EQ(rx.TryRecv().error(), Errc::kClosed);
       },
       true, true},
  }};
  for (const StateRow& row : rows) {
    SCOPED_TRACE(row.name);
    auto [tx, rx] = oneshot::Channel<int>();
    row.reach(tx, rx);
    EXPECT_EQ(rx.is_terminated(), row.is_terminated);
    EXPECT_EQ(rx.empty(), row.is_empty);
  }
}

// Clauses: O8
TEST(Oneshot, AwaitingIsNotTerminated) {
  auto [tx, rx] = oneshot::Channel<int>();
  Started r([&rx = rx] { return rx.Recv(); });
  EXPECT_FALSE(rx.is_terminated());
  ASSERT_TRUE(std::move(tx).Send(1).ok());
  EXPECT_TRUE(rx.is_terminated());
}

// Clauses: G9 G2
TEST(Oneshot, P56_OnlyTheLatestContinuationIsNotified) {
  auto [tx, rx] = oneshot::Channel<int>();
  auto owned = std::make_shared<int>(0);
  int first = 0;
  int second = 0;
  auto r1 = rx.Recv();
  r1.Start([&first, owned](Result<int, Errc>) { ++first; });
  EXPECT_EQ(owned.use_count(), 2);
  EXPECT_TRUE(r1.Cancel());
  EXPECT_EQ(owned.use_count(), 1);
  auto r2 = rx.Recv();
  r2.Start([&second](Result<int, Errc> value) { second = *value; });
  ASSERT_TRUE(std::move(tx).Send(5).ok());
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 5);
}

// Clauses: O13 G3 G1
TEST(Oneshot, P59_ACancelledAwaitConsumesNothing) {
  auto [tx, rx] = oneshot::Channel<int>();
  auto never_started = rx.Recv();
  {
    Recv<int> r([&rx = rx] { return rx.Recv(); });
    EXPECT_TRUE(r.pending());
    EXPECT_TRUE(r.Cancel());
    EXPECT_TRUE(r.pending());
  }
  {
    const Recv<int> destroyed([&rx = rx] { return rx.Recv(); });
  }
  EXPECT_EQ(rx.Recv().WaitUntil(TimePoint()).error(), Errc::kTimedOut);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(rx.Recv().StopOn(stop.get_token()).Wait().error(), Errc::kCancelled);
  ASSERT_TRUE(std::move(tx).Send(3).ok());
  EXPECT_EQ(*rx.Recv().Wait(), 3);
}

// A completion that is queued behind the callback that runs now, and destroyed by it, has not yet
// taken the value.
// Clauses: O13 G6
TEST(Oneshot, AnAwaitDestroyedBeforeItWasToldConsumesNothing) {
  auto [tx, rx] = oneshot::Channel<int>();
  auto [outer_tx, outer_rx] = oneshot::Channel<int>();
  std::optional<Recv<int>> waiting;
  waiting.emplace([&rx = rx] { return rx.Recv(); });
  auto outer = outer_rx.Recv();
  outer.Start([&, &tx = tx](Result<int, Errc>) {
    EXPECT_TRUE(std::move(tx).Send(9).ok());
    waiting.reset();
  });
  ASSERT_TRUE(std::move(outer_tx).Send(0).ok());
  EXPECT_EQ(*rx.TryRecv(), 9);
}

// Clauses: O7 O11
TEST(Oneshot, CloseKeepsWhatWasSentAndEndsAWaitWithoutTheSender) {
  {
    auto [tx, rx] = oneshot::Channel<int>();
    ASSERT_TRUE(std::move(tx).Send(1).ok());
    rx.Close();
    rx.Close();
    EXPECT_EQ(*rx.Recv().Wait(), 1);
  }
  {
    auto [tx, rx] = oneshot::Channel<int>();
    ASSERT_TRUE(std::move(tx).Send(2).ok());
    rx.Close();
    EXPECT_EQ(*rx.TryRecv(), 2);
  }
  auto [tx, rx] = oneshot::Channel<int>();
  Started r([&rx = rx] { return rx.Recv(); });
  Started c([&tx = tx] { return tx.Closed(); });
  rx.Close();
  ASSERT_FALSE(r.pending());
  EXPECT_EQ(r.outcome().error(), Errc::kClosed);
  EXPECT_FALSE(c.pending());
  auto sent = std::move(tx).Send(3);
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().value, 3);
}

}  // namespace
}  // namespace sluice::channel
