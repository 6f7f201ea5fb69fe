// SPDX-License-Identifier: Apache-2.0
// Pages made while channels come and go under load: no counter goes back, and each page adds up.
#include <atomic>
#include <thread>

#include "tests/admin/metrics_fixture.h"
#include "tests/broker/responder_fixture.h"
#include "tests/support/seed.h"

namespace sluice::admin {
namespace {

using broker::Outcome;

class MetricsThreads : public MetricsFixture {
 protected:
  static constexpr int kRounds = 3'000;

  void UseQueue(std::mt19937_64& random) {
    const auto declared = broker.queues().Declare(Name(random), {.capacity = 8});
    if (!declared.ok()) return;
    broker::Queue& queue = *declared->channel;
    for (int i = 0; i < 4; ++i) Ignore(Send(queue));
    const broker::Received received = Receive(queue, 2);
    if (received.outcome == Outcome::kOk) {
      Settle(queue, received.lease, 1, 4, broker::SettleAction::kAck);
    }
    End(broker.queues(), queue, random);
    Ignore(Send(queue));
    queue.ReturnLease(received.lease);
  }
  void UseTopic(std::mt19937_64& random) {
    const auto declared = broker.topics().Declare(Name(random), {.capacity = 4});
    if (!declared.ok()) return;
    broker::Topic& topic = *declared->channel;
    broker::Reader reader;
    topic.Subscribe(reader.subscriber, {}, reader.told);
    for (int i = 0; i < 6; ++i) Ignore(Publish(topic));
    broker::Taken taken;
    topic.Take(reader.subscriber, broker::kDeliveryBytesMax, taken);
    End(broker.topics(), topic, random);
    topic.Unsubscribe(reader.subscriber);
    Ignore(Publish(topic));
  }
  void UseResponder(std::mt19937_64& random) {
    const auto declared = broker.responders().Declare(Name(random), {.capacity = 8});
    if (!declared.ok()) return;
    broker::Responder& responder = *declared->channel;
    broker::Asking asking(responder);
    broker::Serving worker(responder);
    asking.Ask(1);
    asking.Ask(2);
    worker.Take();
    worker.Reply(1);
    End(broker.responders(), responder, random);
    asking.Ask(3);
  }

  static void Ignore(Outcome) {}
  static std::string Name(std::mt19937_64& random) { return "c" + std::to_string(random() % 5); }
  // Deleted, closed (and so replaced or forgotten later), or left as it is.
  template <class Channel>
  static void End(broker::Registry<Channel>& registry, Channel& channel, std::mt19937_64& random) {
    switch (random() % 4) {
      case 0:
      case 1:
        static_cast<void>(registry.Delete(channel.name()));
        break;
      case 2:
        channel.Close(broker::ClosedReason::kRequested);
        break;
      default:
        registry.ForgetEnded();
    }
  }
};

bool IsCounterOfAll(const std::string& series) {
  return series.starts_with("sluice_") && series.find("channel=") == std::string::npos &&
         series.find("_total") != std::string::npos;
}

TEST_F(MetricsThreads, NothingGoesBackAndEverythingAddsUp) {
  const std::uint64_t seed = testing::Seed("MetricsThreads");
  std::atomic<int> running = 3;
  std::vector<std::thread> threads;
  for (int kind = 0; kind < 3; ++kind) {
    threads.emplace_back([this, kind, seed, &running] {
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(kind));
      for (int i = 0; i < kRounds; ++i) {
        if (kind != 1) UseQueue(random);
        if (kind != 2) UseTopic(random);
        if (kind != 0) UseResponder(random);
      }
      --running;
    });
  }
  Series before;
  int pages = 0;
  for (bool is_last = false; !is_last; ++pages) {
    is_last = running == 0;
    const Series now = ParsePage(Page());
    for (const auto& [name, value] : before) {
      if (!IsCounterOfAll(name)) continue;
      ASSERT_TRUE(now.contains(name)) << name;
      EXPECT_GE(now.at(name), value) << name << " went back";
    }
    for (const char* kind : {"queue", "topic", "request"}) {
      const std::string name = "sluice_conservation_imbalance{kind=\"" + std::string(kind) + "\"}";
      EXPECT_EQ(now.at(name), 0) << name;
    }
    // The same from the page itself, as a reader of it would.
    EXPECT_EQ(now.at("sluice_queue_accepted_total"),
              now.at("sluice_queue_settled_total") + now.at("sluice_queue_purged_total") +
                  now.at("sluice_queue_deleted_total") + now.at("sluice_queue_depth") +
                  now.at("sluice_queue_in_flight"));
    EXPECT_EQ(now.at("sluice_topic_published_total"), now.at("sluice_topic_overwritten_total") +
                                                          now.at("sluice_topic_deleted_total") +
                                                          now.at("sluice_topic_retained_messages"));
    before = now;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(before.at("sluice_queue_accepted_total"), kRounds);
  EXPECT_GT(before.at("sluice_topic_published_total"), kRounds);
  EXPECT_GT(before.at("sluice_request_accepted_total"), kRounds);
  EXPECT_GT(pages, 1);
}

}  // namespace
}  // namespace sluice::admin
