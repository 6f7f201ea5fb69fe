// SPDX-License-Identifier: Apache-2.0
// What channels counted stays counted when they go: every channel that ever was is in a census
// once.
#include <atomic>
#include <thread>

#include "broker/broker.h"
#include "tests/broker/topic_fixture.h"

namespace sluice::broker {
namespace {

class CensusTest : public TopicFixture {
 protected:
  std::shared_ptr<Queue> Declare(const std::string& name) {
    return broker.queues().Declare(name, {.capacity = 8})->channel;
  }
  QueueCounts Sum() {
    const Census<Queue> census = broker.queues().TakeCensus();
    QueueCounts sum = census.gone;
    for (const auto& queue : census.named) sum += queue->Describe();
    for (const auto& queue : census.leaving) sum += queue->Describe();
    return sum;
  }

  Broker broker{{}, clock};
};

// Clauses: N4
TEST_F(CensusTest, ADeletedChannelGoesWhenItsLastUserDoes) {
  auto queue = Declare("q");
  TryEach(*queue, {"1", "2"});
  std::weak_ptr<Queue> weak = queue;
  EXPECT_EQ(*broker.queues().Delete("q"), 2u);
  Census<Queue> census = broker.queues().TakeCensus();
  EXPECT_TRUE(census.named.empty());
  ASSERT_EQ(census.leaving.size(), 1u) << "somebody uses it";
  EXPECT_EQ(census.gone.accepted, 0u);
  census = {};
  EXPECT_EQ(Sum().deleted, 2u);
  EXPECT_EQ(TryEach(*queue, {"3"}), Outcomes{Outcome::kClosed});
  queue.reset();
  census = broker.queues().TakeCensus();
  EXPECT_TRUE(census.leaving.empty());
  EXPECT_EQ(census.gone.accepted, 2u);
  EXPECT_EQ(census.gone.refused_closed, 1u);
  EXPECT_TRUE(weak.expired());
}

TEST_F(CensusTest, WhatNobodyUsesIsFreedAtOnce) {
  std::weak_ptr<Queue> deleted = Declare("deleted");
  EXPECT_TRUE(broker.queues().Delete("deleted").ok());
  EXPECT_TRUE(deleted.expired());
  std::weak_ptr<Queue> ended = Declare("ended");
  ended.lock()->Close(ClosedReason::kRequested);
  broker.queues().ForgetEnded();
  EXPECT_TRUE(ended.expired());
  std::weak_ptr<Queue> replaced = Declare("replaced");
  replaced.lock()->Close(ClosedReason::kRequested);
  Declare("replaced");
  EXPECT_TRUE(replaced.expired());
}

// Nobody takes a census, and nothing is kept for it.
TEST_F(CensusTest, WhatIsLetGoLaterIsFreedAsOthersGo) {
  std::vector<std::shared_ptr<Queue>> held;
  std::vector<std::weak_ptr<Queue>> weak;
  for (int i = 0; i < 100; ++i) {
    held.push_back(Declare("q" + std::to_string(i)));
    weak.push_back(held.back());
    EXPECT_TRUE(broker.queues().Delete("q" + std::to_string(i)).ok());
  }
  held.clear();
  for (int i = 0; i < 25; ++i) {
    Declare("other");
    EXPECT_TRUE(broker.queues().Delete("other").ok());
  }
  for (const auto& queue : weak) EXPECT_TRUE(queue.expired());
}

TEST_F(CensusTest, WhatATopicRetainedGoesWithIt) {
  auto topic = broker.topics().Declare("t", {.capacity = 8})->channel;
  Reader reader;
  Subscribe(*topic, reader);
  PublishEach(*topic, 1, 3);
  topic->Close(ClosedReason::kRequested);
  Read(*topic, reader);
  topic.reset();
  broker.topics().ForgetEnded();
  const Census<Topic> census = broker.topics().TakeCensus();
  EXPECT_TRUE(census.named.empty() && census.leaving.empty());
  EXPECT_EQ(census.gone.accepted, 3u);
  EXPECT_EQ(census.gone.overwritten, 3u);
  EXPECT_EQ(census.gone.deleted, 3u);
  EXPECT_EQ(census.gone.delivered, 3u);
}

TEST_F(CensusTest, SumsNeverGoBackWhileChannelsGo) {
  constexpr std::uint64_t kRounds = 20'000;
  std::atomic<int> running = 2;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([this, &running] {
      for (std::uint64_t round = 0; round < kRounds; ++round) {
        const auto queue = Declare(round % 2 == 0 ? "a" : "b");
        TryEach(*queue, {"m"});
        if (round % 3 == 0) queue->Close(ClosedReason::kRequested);
        static_cast<void>(broker.queues().Delete(queue->name()));
        TryEach(*queue, {"late"});
      }
      --running;
    });
  }
  QueueCounts before;
  for (bool is_last = false; !is_last;) {
    is_last = running == 0;
    const QueueCounts now = Sum();
    ASSERT_GE(now.accepted, before.accepted);
    ASSERT_GE(now.deleted, before.deleted);
    ASSERT_GE(now.refused_closed, before.refused_closed);
    before = now;
  }
  for (std::thread& thread : threads) thread.join();
  const QueueCounts after = Sum();
  EXPECT_EQ(after.accepted + after.refused_closed + after.refused_full, 2 * 2 * kRounds);
  EXPECT_EQ(after.accepted, after.deleted);
}

}  // namespace
}  // namespace sluice::broker
