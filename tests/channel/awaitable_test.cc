// SPDX-License-Identifier: Apache-2.0
// co_await over every kind of outcome. Run under AddressSanitizer too: the compiler is known to
// destroy some temporaries of a co_await expression twice.
#include "channel/awaitable.h"

#include <gtest/gtest.h>

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "channel/mpsc.h"
#include "tests/channel/support.h"

namespace sluice::channel {
namespace {

using testing::Box;

// A coroutine that starts at once, and is destroyed with this handle if it has not ended.
class Task {
 public:
  struct promise_type {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }
  bool has_ended() const { return coroutine_.done(); }

 private:
  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

Task Produce(mpsc::Sender<Box> sender, int count) {
  for (int i = 1; i <= count; ++i) {
    auto slot = co_await sender.Reserve();
    if (!slot.ok()) co_return;
    (*std::move(slot)).Send(Box(i));
    auto sent = co_await sender.Send(Box(-i));
    if (!sent.ok()) co_return;
  }
}

Task Consume(mpsc::Receiver<Box> receiver, std::vector<int>& received) {
  while (auto box = co_await receiver.Recv()) received.push_back((*box).number());
}

// Clauses: G2 G11 D1
TEST(Awaitable, ProducerAndConsumer) {
  std::vector<int> received;
  {
    auto [tx, rx] = mpsc::Bounded<Box>(1);
    const Task producer = Produce(std::move(tx), 3);
    EXPECT_FALSE(producer.has_ended());
    const Task consumer = Consume(std::move(rx), received);
    EXPECT_TRUE(producer.has_ended());
    // The finished coroutine still holds its sender.
    EXPECT_FALSE(consumer.has_ended());
  }
  EXPECT_EQ(received, std::vector({1, -1, 2, -2, 3, -3}));
  EXPECT_EQ(Box::live(), 0);
}

Task CountAll(mpsc::Receiver<int> receiver, int& count) {
  while (auto value = co_await receiver.Recv()) ++count;
}

// Clauses: G10
TEST(Awaitable, TheStackStaysFlat) {
  auto [tx, rx] = mpsc::Unbounded<int>();
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(tx.Send(i).ok());
  int count = 0;
  const Task task = CountAll(std::move(rx), count);
  EXPECT_EQ(count, 100'000);
  EXPECT_FALSE(task.has_ended());
  { auto last = std::move(tx); }
  EXPECT_TRUE(task.has_ended());
}

Task Name(mpsc::Receiver<int> receiver, char name, std::string& order) {
  while (auto value = co_await receiver.Recv()) order += name;
}

Task Gather(mpsc::Receiver<int> go, std::vector<Task>& tasks, mpsc::Receiver<int> a,
            mpsc::Receiver<int> b, std::string& order) {
  (void)co_await go.Recv();
  tasks.push_back(Name(std::move(a), 'a', order));
  tasks.push_back(Name(std::move(b), 'b', order));
}

// Clauses: G10
TEST(Awaitable, CoroutinesThatAreAlwaysReadyTakeTurns) {
  auto [tx_a, rx_a] = mpsc::Unbounded<int>();
  auto [tx_b, rx_b] = mpsc::Unbounded<int>();
  auto [tx_go, rx_go] = mpsc::Unbounded<int>();
  ASSERT_TRUE(tx_a.SendMany({1, 2, 3}).ok());
  ASSERT_TRUE(tx_b.SendMany({1, 2, 3}).ok());
  std::string order;
  std::vector<Task> tasks;
  const Task gather = Gather(std::move(rx_go), tasks, std::move(rx_a), std::move(rx_b), order);
  ASSERT_TRUE(tx_go.Send(1).ok());
  EXPECT_EQ(order, "ababab");
}

Task SendOne(mpsc::Sender<Box> sender, std::stop_token token, std::optional<Errc>& why) {
  auto sent = co_await sender.Send(Box(2)).StopOn(token);
  if (!sent.ok()) why = sent.error().why;
}

// Clauses: D2 M14
TEST(Awaitable, CancelledByAStopTokenOrByDestruction) {
  auto [tx, rx] = mpsc::Bounded<Box>(1);
  ASSERT_TRUE(tx.TrySend(Box(1)).ok());
  std::stop_source stop;
  std::optional<Errc> why;
  const Task stopped = SendOne(tx, stop.get_token(), why);
  { const Task destroyed = SendOne(tx, {}, why); }
  EXPECT_EQ(Box::live(), 2);
  stop.request_stop();
  EXPECT_TRUE(stopped.has_ended());
  EXPECT_EQ(why, Errc::kCancelled);
  EXPECT_EQ(Box::live(), 1);
  EXPECT_TRUE(rx.TryRecv().ok());
  EXPECT_EQ(rx.TryRecv().error(), Errc::kEmpty);
}

Task AwaitNamed(mpsc::Sender<Box> sender, int& steps) {
  auto operation = sender.Closed();
  auto closed = co_await operation;
  steps += closed.ok() ? 1 : 0;
  std::vector<Box> boxes;
  boxes.emplace_back(1);
  auto refused = co_await sender.SendMany(std::move(boxes));
  steps += refused.error().value.size() == 1 ? 1 : 0;
  if (auto many = co_await sender.Reserve(3); many.error() == Errc::kClosed) ++steps;
}

// Clauses: M40 G15
TEST(Awaitable, ANamedOperationAndRefusedValues) {
  auto [tx, rx] = mpsc::Bounded<Box>(4);
  int steps = 0;
  const Task task = AwaitNamed(tx, steps);
  EXPECT_EQ(steps, 0);
  { auto dropped = std::move(rx); }
  EXPECT_TRUE(task.has_ended());
  EXPECT_EQ(steps, 3);
}

}  // namespace
}  // namespace sluice::channel
