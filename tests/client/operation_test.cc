// SPDX-License-Identifier: Apache-2.0
#include "sluice/operation.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "sluice/operation_map.h"
#include "tests/client/coroutine.h"
#include "tests/client/daemon.h"

namespace sluice::test {
namespace {

// Answers when the test says so, or at once.
class Riddle final : public Question<Result<int>> {
 public:
  bool Solve(int answer) {
    if (!Claim()) return false;
    Answer(answer);
    return true;
  }

  bool is_asked = false;
  bool is_withdrawn = false;
  bool is_own_thread = false;
  bool is_answered_at_once = false;

 private:
  void Ask() override {
    is_asked = true;
    if (is_answered_at_once) Solve(42);
  }
  void Withdraw() override { is_withdrawn = true; }
  Result<int> Failed(Status why) override { return why; }
  bool IsAnsweringThread() const override { return is_own_thread; }
};

TEST(OperationTest, NothingHappensBeforeItIsStarted) {
  const auto riddle = std::make_shared<Riddle>();
  { const Operation<Result<int>> operation(riddle); }
  EXPECT_FALSE(riddle->is_asked);
  EXPECT_FALSE(riddle->Solve(1));
}

TEST(OperationTest, WaitTakesWhatIsThereAtOnceAndGivesUpAtItsDeadline) {
  auto riddle = std::make_shared<Riddle>();
  riddle->is_answered_at_once = true;
  EXPECT_EQ(*Operation<Result<int>>(riddle).Wait(std::chrono::seconds(0)), 42);
  riddle = std::make_shared<Riddle>();
  EXPECT_EQ(Operation<Result<int>>(riddle).Wait(kAWhile).status().reason(), "DEADLINE");
  EXPECT_TRUE(riddle->is_withdrawn);
  EXPECT_FALSE(riddle->Solve(1)) << "nobody waits for it";
}

TEST(OperationTest, WaitingOnTheAnsweringThreadIsToldInsteadOfDone) {
  const auto riddle = std::make_shared<Riddle>();
  riddle->is_own_thread = true;
  EXPECT_EQ(Operation<Result<int>>(riddle).Wait().status().reason(), "WOULD_BLOCK");
}

TEST(OperationTest, AnotherThreadsAnswerEndsTheWait) {
  const auto riddle = std::make_shared<Riddle>();
  std::thread solver([&riddle] {
    while (!riddle->Solve(7)) std::this_thread::yield();
  });
  EXPECT_EQ(*Operation<Result<int>>(riddle).Wait(kBound), 7);
  solver.join();
}

TEST(OperationDeathTest, StartingTwiceEndsTheProgram) {
  Operation<Result<int>> operation(std::make_shared<Riddle>());
  operation.Start([](const Result<int>&) {});
  EXPECT_DEATH(operation.Start([](const Result<int>&) {}), "an operation was started twice");
}

TEST(OperationTest, DestroyingItReleasesTheCallbackUncalled) {
  const auto riddle = std::make_shared<Riddle>();
  const auto held = std::make_shared<int>(0);
  {
    Operation<Result<int>> operation(riddle);
    operation.Start([held](Result<int>) { ADD_FAILURE(); });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_TRUE(riddle->is_withdrawn);
  EXPECT_FALSE(riddle->Solve(1));
}

TEST(OperationTest, ACallbackMayDestroyItsOperation) {
  const auto riddle = std::make_shared<Riddle>();
  auto operation = std::make_unique<Operation<Result<int>>>(riddle);
  operation->Start([&operation](Result<int> answer) {
    EXPECT_EQ(*answer, 3);
    operation.reset();
  });
  EXPECT_TRUE(riddle->Solve(3));
  EXPECT_EQ(operation, nullptr);
}

Detached Sum(int count, int& sum) {
  for (int i = 0; i < count; ++i) {
    auto riddle = std::make_shared<Riddle>();
    riddle->is_answered_at_once = true;
    const Result<int> answer = co_await Operation<Result<int>>(riddle);
    sum += *answer;
  }
}

TEST(OperationTest, AwaitingWhatIsThereAtOnceDoesNotGrowTheStack) {
  int sum = 0;
  Sum(100'000, sum);
  EXPECT_EQ(sum, 4'200'000);
}

Detached Store(std::shared_ptr<Riddle> riddle, int& to) {
  const Result<int> answer = co_await Operation<Result<int>>(riddle);
  to = *answer;
}

TEST(OperationTest, AwaitingResumesWithTheAnswer) {
  const auto riddle = std::make_shared<Riddle>();
  int answer = 0;
  Store(riddle, answer);
  EXPECT_EQ(answer, 0);
  EXPECT_TRUE(riddle->Solve(9));
  EXPECT_EQ(answer, 9);
}

struct Doubled {
  Result<int> operator()(Result<int> answer) { return answer.ok() ? *answer * 2 : answer; }
  std::optional<Result<int>> Before() { return std::exchange(*left_over, std::nullopt); }
  void Unwanted(Result<int> answer) { *left_over = answer; }
  std::shared_ptr<std::optional<Result<int>>> left_over;
};

TEST(OperationTest, AMappedOneKeepsWhatCameTooLateForTheNext) {
  const auto left_over = std::make_shared<std::optional<Result<int>>>();
  const auto riddle = std::make_shared<Riddle>();
  const auto late = Map(Operation<Result<int>>(riddle), Doubled{left_over}).Wait(kAWhile);
  EXPECT_EQ(late.status().reason(), "DEADLINE");
  EXPECT_TRUE(riddle->is_withdrawn);
  left_over->emplace(4);
  const auto next = std::make_shared<Riddle>();
  const auto eight = Map(Operation<Result<int>>(next), Doubled{left_over}).Wait(kBound);
  ASSERT_TRUE(eight.ok());
  EXPECT_EQ(*eight, 8);
  EXPECT_FALSE(next->is_asked);
}

}  // namespace
}  // namespace sluice::test
