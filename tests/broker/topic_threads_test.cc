// SPDX-License-Identifier: Apache-2.0
// Topics under several threads at once: publishers, subscribers at different speeds, patterns, and
// topics that come and go.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "broker/broker.h"
#include "tests/broker/topic_fixture.h"

namespace sluice::broker {
namespace {

// Clauses: B10 N30 B3
TEST(TopicThreads, EachSubscriberGetsEverythingOrIsToldHowMuchNot) {
  constexpr int kPublishers = 2, kSubscribers = 3, kEach = 20'000;
  SystemClock clock;
  Broker broker({}, clock);
  const auto topic = broker.topics().Declare("t", {.capacity = 64})->channel;
  std::vector<std::thread> threads;
  std::atomic<int> subscribed = 0;
  for (int s = 0; s < kSubscribers; ++s) {
    threads.emplace_back([&topic, &subscribed, s] {
      Reader reader;
      topic->Subscribe(reader.subscriber, {}, reader.told);
      ++subscribed;
      Taken taken;
      std::uint64_t next = 1, sum = 0;
      while (taken.ended == ClosedReason::kUnspecified) {
        topic->Take(reader.subscriber, s == 0 ? 10 : 1'000, taken);
        EXPECT_TRUE(taken.missed == 0 || taken.next_position == next + taken.missed);
        next += taken.missed;
        for (const std::uint64_t position : Positions(taken.delivery)) EXPECT_EQ(position, next++);
        sum += taken.missed + taken.delivery.messages;
        if (taken.delivery.messages == 0) std::this_thread::yield();
      }
      EXPECT_EQ(sum, std::uint64_t{kPublishers} * kEach);
      EXPECT_EQ(taken.ended, ClosedReason::kRequested);
    });
  }
  while (subscribed < kSubscribers) std::this_thread::yield();
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&topic] {
      std::vector<Ack> acks;
      for (int i = 0; i < kEach; i += 10) {
        SendTicket ticket;
        ASSERT_TRUE(
            topic->Publish(ticket, Messages(std::vector<std::string>(10, "m")), {}, nullptr).ok());
        EXPECT_TRUE(topic->TakeAcks(ticket, acks));
      }
      for (const Ack& ack : acks) EXPECT_EQ(ack.outcome, Outcome::kOk);
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  topic->Close(ClosedReason::kRequested);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(topic->Describe().accepted, std::uint64_t{kPublishers} * kEach);
  EXPECT_TRUE(topic->has_ended());
}

// Clauses: N28
TEST(TopicThreads, APatternMissesNoTopicThatIsMadeMeanwhile) {
  constexpr int kTopics = 300;
  SystemClock clock;
  Broker broker({}, clock);
  std::thread maker([&broker] {
    for (int i = 0; i < kTopics; ++i) {
      const std::string name = "t." + std::to_string(i);
      const auto topic = broker.topics().Declare(name, {})->channel;
      SendTicket ticket;
      ASSERT_TRUE(topic->Publish(ticket, Messages({name}), {}, nullptr).ok());
      if (i % 3 == 0) {
        ASSERT_TRUE(broker.topics().Delete(name).ok());
      }
    }
    EXPECT_TRUE(broker.topics().Declare("t.last", {}).ok());
  });
  bool has_seen_last = false;
  while (!has_seen_last) {
    SubscriptionOptions options;
    options.pattern = "t.*";
    auto made = Subscription::Make(options, std::make_shared<CountingNotifier>());
    ASSERT_TRUE(made.ok());
    broker.topics().Subscribe(*made, nullptr);
    SubscriptionFrame frame;
    std::uint32_t refs = 0;
    for (int looks = 0; looks < 200 && !has_seen_last; ++looks) {
      while ((*made)->Next(kDeliveryBytesMax, frame)) {
        if (frame.event != SubscriptionFrame::Event::kSubscribed) continue;
        EXPECT_EQ(frame.topic_ref, ++refs);
        has_seen_last |= frame.topic == "t.last";
      }
      std::this_thread::yield();
    }
    broker.topics().Unsubscribe(**made);
  }
  maker.join();
  EXPECT_EQ(broker.totals().subscribers, 0u);
  EXPECT_EQ(broker.topics().patterns(), 0u);
}

}  // namespace
}  // namespace sluice::broker
