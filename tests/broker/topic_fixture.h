// SPDX-License-Identifier: Apache-2.0
// A topic under a clock that stands still, and short forms of what its callers do.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/topic.h"
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {

// A subscriber, and the sums of what it was given.
struct Reader {
  Subscriber subscriber;
  std::shared_ptr<CountingNotifier> told = std::make_shared<CountingNotifier>();
  Announced announced;
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;
  ClosedReason ended = ClosedReason::kUnspecified;
};

class TopicFixture : public QueueFixture {
 protected:
  std::shared_ptr<Topic> MakeTopic(TopicSpec spec = {}) {
    auto effective = Effective(spec, limits);
    EXPECT_TRUE(effective.ok());
    return Topic::Create("t", *effective, 7, clock, timers, memory);
  }
  std::shared_ptr<Topic> MakeTopic(std::uint64_t capacity,
                                   SlowPolicy policy = SlowPolicy::kUnspecified) {
    TopicSpec spec;
    spec.capacity = capacity;
    spec.policy = policy;
    return MakeTopic(spec);
  }

  // --- publishing ---
  bool Look(Topic& topic, Sending& sending) { return topic.TakeAcks(sending.ticket, sending.acks); }
  void Start(Topic& topic, Sending& sending, const Strings& payloads, SendOptions options = {}) {
    sending.status = topic.Publish(sending.ticket, Messages(payloads), options, sending.told);
    Look(topic, sending);
  }
  // Requires: nothing has to wait.
  std::vector<Ack> Publish(Topic& topic, const Strings& payloads, SendOptions options = {}) {
    Sending sending;
    Start(topic, sending, payloads, std::move(options));
    EXPECT_TRUE(sending.status.ok()) << sending.status.message();
    EXPECT_TRUE(Look(topic, sending)) << "it waits";
    topic.CancelPublish(sending.ticket);
    return sending.acks;
  }
  // Payloads "first", "first + 1", ...: each a publish of its own.
  void PublishEach(Topic& topic, int first, int count) {
    for (const std::string& payload : Numbered(first, count)) {
      EXPECT_EQ(Publish(topic, {payload}).at(0).outcome, Outcome::kOk);
    }
  }
  static SendOptions Trying() {
    SendOptions options;
    options.mode = SendMode::kTry;
    return options;
  }

  // --- subscribing ---
  void Subscribe(Topic& topic, Reader& reader, SubscriberOptions options = {}) {
    reader.announced = topic.Subscribe(reader.subscriber, std::move(options), reader.told);
    reader.missed += reader.announced.missed;
  }
  static SubscriberOptions StartingFrom(SubscribeFrom from, std::uint64_t position = 0,
                                        std::uint64_t epoch = 0) {
    SubscriberOptions options;
    options.from = from;
    options.position = position;
    options.epoch = epoch;
    return options;
  }
  Taken Take(Topic& topic, Reader& reader, std::uint64_t bytes_max = kDeliveryBytesMax) {
    Taken taken;
    topic.Take(reader.subscriber, bytes_max, taken);
    reader.delivered += taken.delivery.messages;
    reader.missed += taken.missed;
    if (taken.ended != ClosedReason::kUnspecified) reader.ended = taken.ended;
    return taken;
  }
  // Everything that is there for it now; a lag is "lagged n".
  Strings Read(Topic& topic, Reader& reader) {
    Strings all;
    for (;;) {
      const Taken taken = Take(topic, reader);
      if (taken.missed != 0) all.push_back("lagged " + std::to_string(taken.missed));
      for (std::string& payload : Payloads(taken.delivery)) all.push_back(std::move(payload));
      if (taken.missed == 0 && taken.delivery.messages == 0) return all;
    }
  }
  static Strings Join(Strings first, const Strings& then) {
    first.insert(first.end(), then.begin(), then.end());
    return first;
  }

  static void ExpectConserved(const Topic& topic) {
    const TopicStats stats = topic.Describe();
    EXPECT_EQ(stats.accepted, stats.overwritten + stats.depth);
    EXPECT_EQ(stats.depth, stats.next_position - stats.oldest_position);
    EXPECT_LE(stats.depth, stats.spec.capacity);
    EXPECT_LE(stats.retained_bytes, stats.spec.bytes_max);
  }
};

}  // namespace sluice::broker
