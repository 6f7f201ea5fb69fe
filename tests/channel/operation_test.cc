// SPDX-License-Identifier: Apache-2.0
// What every operation promises, whatever it waits for: shown on mpsc, and on a gate of the test's
// own for operations that judge.
#include "channel/operation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "channel/mpsc.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using std::chrono::milliseconds;
using testing::InPlace;
using testing::Started;

TimePoint Soon() { return Later(SystemClock().Now(), milliseconds(5)); }

// Clauses: G1 M7
TEST(Operation, ThePlaceInLineIsTakenAtTheStart) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  ASSERT_TRUE(tx.TrySend(0).ok());
  auto made_first = tx.Send(1);
  Started started_first([&s = tx] { return s.Send(2); });
  bool is_sent = false;
  made_first.Start([&](Sent<int> sent) { is_sent = sent.ok(); });
  EXPECT_EQ(*rx.TryRecv(), 0);
  EXPECT_FALSE(started_first.pending());
  EXPECT_FALSE(is_sent);
  EXPECT_EQ(*rx.TryRecv(), 2);
  EXPECT_TRUE(is_sent);
}

// Clauses: G2
TEST(Operation, CompletesOnceAndCancelAfterwardsLoses) {
  auto [tx, rx] = mpsc::Bounded<int>(2);
  Started recv([&r = rx] { return r.Recv(); });
  ASSERT_TRUE(tx.TrySend(1).ok());
  EXPECT_FALSE(recv.Cancel());
  EXPECT_FALSE(recv.operation().Expire());
  ASSERT_TRUE(tx.TrySend(2).ok());
  EXPECT_EQ(recv.calls(), 1);
  EXPECT_EQ(*recv.outcome(), 1);
}

// Clauses: G2 D2
TEST(Operation, EndedBeforeItsStartItTellsSo) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  auto send = tx.Send(1);
  EXPECT_TRUE(send.Cancel());
  EXPECT_FALSE(send.Cancel());
  EXPECT_EQ(send.Wait().error().why, Errc::kCancelled);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(tx.Send(2).StopOn(stop.get_token()).Wait().error().value, 2);
  Started stopped([&r = rx] { return r.Recv(); });
  EXPECT_TRUE(stopped.pending());
  EXPECT_TRUE(rx.empty());
}

void StartTwice() {
  auto channel = mpsc::Bounded<int>(1);
  auto closed = channel.first.Closed();
  closed.Start([](const Waited&) {});
  closed.Start([](const Waited&) {});
}

// Clauses: G1
TEST(Operation, IsSingleShot) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(StartTwice(), "is_started_");
}

void ThrowFromACallback() {
  auto channel = mpsc::Bounded<int>(1);
  auto send = channel.first.Send(1);
  send.Start([](const Sent<int>&) { throw std::string("thrown by a callback"); });
}

// Clauses: G7
TEST(Operation, ACallbackThatThrowsTerminates) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(ThrowFromACallback(), "terminate called after throwing");
}

// Clauses: G2 G9
TEST(Operation, ACallbackMayDestroyWhatOwnsItsOperation) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  struct Session {
    std::optional<Operation<mpsc::RecvRequest<int>>> recv;
    std::optional<Operation<mpsc::ClosedRequest<int>>> closed;
    int received = 0;
  };
  auto session = std::make_shared<Session>();
  const std::weak_ptr<Session> watched = session;
  session->closed.emplace(InPlace([&s = tx] { return s.Closed(); }));
  session->closed->Start([session](const Waited&) { ADD_FAILURE(); });
  session->recv.emplace(InPlace([&r = rx] { return r.Recv(); }));
  session->recv->Start([session](Result<int, Errc> value) {
    session->received = *value;
    session->closed.reset();
  });
  session.reset();
  EXPECT_FALSE(watched.expired());
  ASSERT_TRUE(tx.TrySend(1).ok());  // the last callback to hold the session is released
  EXPECT_TRUE(watched.expired());
  rx.Close();
}

// Clauses: G2 G6
TEST(Operation, ACallbackMayDestroyAnOperationQueuedBehindIt) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  std::optional<Started<decltype(tx.Closed())>> second;
  auto first = tx.Closed();
  first.Start([&](const Waited&) { second.reset(); });
  second.emplace([&s = tx] { return s.Closed(); });
  Started third([&s = tx] { return s.Closed(); });
  rx.Close();
  EXPECT_FALSE(second.has_value());
  EXPECT_FALSE(third.pending());
}

// Two loops whose channels are always ready take turns.
// Clauses: G10
TEST(Operation, LoopsThatAreAlwaysReadyTakeTurns) {
  struct Loop {
    mpsc::Receiver<int> receiver;
    char name;
    std::string& order;
    std::optional<Operation<mpsc::RecvRequest<int>>> recv;
    void Next() {
      recv.emplace(InPlace([this] { return receiver.Recv(); }));
      recv->Start([this](Result<int, Errc> value) {
        if (!value.ok()) return;
        order += name;
        Next();
      });
    }
  };
  std::string order;
  auto [tx_a, rx_a] = mpsc::Bounded<int>(3);
  auto [tx_b, rx_b] = mpsc::Bounded<int>(3);
  ASSERT_TRUE(tx_a.TrySendMany({1, 2, 3}).ok());
  ASSERT_TRUE(tx_b.TrySendMany({1, 2, 3}).ok());
  Loop a{std::move(rx_a), 'a', order, std::nullopt};
  Loop b{std::move(rx_b), 'b', order, std::nullopt};
  auto both = tx_a.Reserve(0);
  both.Start([&](auto) {
    a.Next();
    b.Next();
  });
  EXPECT_EQ(order, "ababab");
}

// Clauses: D2 G3
TEST(Operation, AStopRequestEndsItOnAnyFace) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  std::stop_source stop;
  auto recv = rx.Recv();
  recv.StopOn(stop.get_token());
  std::optional<Errc> told;
  recv.Start([&](Result<int, Errc> value) { told = value.error(); });
  EXPECT_FALSE(told.has_value());
  stop.request_stop();
  EXPECT_EQ(told, Errc::kCancelled);
  EXPECT_FALSE(recv.Cancel());

  std::stop_source later;
  std::jthread stopper([&later] { later.request_stop(); });
  EXPECT_EQ(rx.Recv().StopOn(later.get_token()).Wait().error(), Errc::kCancelled);
  ASSERT_TRUE(tx.TrySend(1).ok());
  EXPECT_EQ(*rx.TryRecv(), 1);
}

// Clauses: G2 M13
TEST(Operation, WaitUntilTellsWhenTimeIsUp) {
  auto [tx, rx] = mpsc::Bounded<int>(1);
  EXPECT_EQ(rx.Recv().WaitUntil(Soon()).error(), Errc::kTimedOut);
  EXPECT_EQ(rx.Recv().WaitUntil(TimePoint()).error(), Errc::kTimedOut);
  EXPECT_EQ(tx.Closed().WaitUntil(Soon()).error(), Errc::kTimedOut);
  ASSERT_TRUE(tx.TrySend(1).ok());
  EXPECT_EQ(*rx.Recv().WaitUntil(TimePoint()), 1);
}

// A number with a line of those who wait for it to change.
struct Gate {
  Mutex mutex;
  int level = 0;
  IntrusiveList<OperationState> line;

  void Set(int value) {
    WaiterList ready;
    {
      MutexLock lock(mutex);
      level = value;
      while (OperationState* waiter = line.PopFront()) waiter->Decide(ready);
    }
    Complete(ready);
  }
};

// Waits until the level is one that `accepts`.
class LevelRequest : public OperationState {
 public:
  using Outcome = Result<int, Errc>;
  LevelRequest(Face face, Gate& gate, std::function<bool(int)> accepts)
      : OperationState(face), gate_(gate), accepts_(std::move(accepts)) {}

  Mutex& mutex() { return gate_.mutex; }
  void Enter(WaiterList& ready) {
    if (gate_.level != seen_) return Decide(ready);
    gate_.line.PushBack(*this);
  }
  void Leave(WaiterList&) { gate_.line.Erase(*this); }
  void Refuse(Errc why) { refused_ = why; }
  bool Judge() {
    {
      MutexLock lock(gate_.mutex);
      seen_ = gate_.level;
    }
    return accepts_(seen_);
  }
  Outcome Take() {
    if (refused_) return *refused_;
    return seen_;
  }

 protected:
  ~LevelRequest() = default;

 private:
  Gate& gate_;
  const std::function<bool(int)> accepts_;
  int seen_ = -1;
  std::optional<Errc> refused_;
};

using LevelOperation = Operation<LevelRequest>;

// Clauses: G8
TEST(Operation, AJudgingOperationWaitsOnUntilItAccepts) {
  Gate gate;
  int asked = 0;
  Started level(
      [&] { return LevelOperation(gate, [&](int value) { return ++asked > 0 && value >= 3; }); });
  EXPECT_EQ(asked, 1);
  gate.Set(1);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(level.pending());
  gate.Set(3);
  EXPECT_EQ(*level.outcome(), 3);
  gate.Set(4);
  EXPECT_EQ(asked, 3);
}

// Clauses: G2 D2
TEST(Operation, AJudgingOperationEndsLikeAnyOther) {
  Gate gate;
  std::optional<Started<LevelOperation>> level;
  const auto never = [](int) { return false; };
  level.emplace([&] { return LevelOperation(gate, never); });
  EXPECT_TRUE(level->Cancel());
  gate.Set(1);
  EXPECT_EQ(level->calls(), 0);
  level.emplace([&] { return LevelOperation(gate, never); });
  EXPECT_TRUE(level->operation().Expire());
  EXPECT_EQ(level->outcome().error(), Errc::kTimedOut);
  // Ended while it is being asked.
  level.reset();
  level.emplace([&] {
    return LevelOperation(gate,
                          [&](int value) { return value == 2 && level->operation().Expire(); });
  });
  EXPECT_TRUE(level->pending());
  gate.Set(2);
  EXPECT_EQ(level->outcome().error(), Errc::kTimedOut);
  level.reset();
  level.emplace([&] {
    return LevelOperation(gate,
                          [&](int value) { return value == 3 && level->operation().Cancel(); });
  });
  gate.Set(3);
  EXPECT_EQ(level->calls(), 0);
  level.reset();
  EXPECT_TRUE(gate.line.empty());
}

// Clauses: G2
TEST(Operation, AJudgingOperationBlocks) {
  Gate gate;
  EXPECT_EQ(*LevelOperation(gate, [](int value) { return value == 0; }).Wait(), 0);
  const auto is_two = [](int value) { return value == 2; };
  EXPECT_EQ(LevelOperation(gate, is_two).WaitUntil(Soon()).error(), Errc::kTimedOut);
  std::jthread setter([&] {
    gate.Set(1);
    gate.Set(2);
  });
  EXPECT_EQ(*LevelOperation(gate, is_two).Wait(), 2);
}

}  // namespace
}  // namespace sluice::channel
