// SPDX-License-Identifier: Apache-2.0
// Channels of all kinds in a memory for sixteen small messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "broker/broker.h"
#include "tests/broker/topic_fixture.h"

namespace sluice::broker {

inline constexpr std::uint64_t kCharge = 100;  // of Small()
// The least that a waiter may need and be passed is more than one message.
inline constexpr std::uint64_t kSixteen = 16 * kCharge;

class MemoryFixture : public TopicFixture {
 protected:
  using QueueFixture::Look;
  using QueueFixture::Start;
  using QueueFixture::Take;
  using TopicFixture::Look;
  using TopicFixture::Start;
  using TopicFixture::Take;

  static std::string Small() { return std::string(kCharge - kMessageOverheadBytes - 2, 'x'); }
  static Strings Many(std::size_t count) { return Strings(count, Small()); }

  std::shared_ptr<Queue> MakeQueue(std::string name, QueueSpec spec = {}) {
    auto effective = Effective(spec, limits);
    EXPECT_TRUE(effective.ok());
    return Queue::Create(std::move(name), *effective, 7, clock, timers, sixteen);
  }
  std::shared_ptr<Topic> MakeSmallTopic(SlowPolicy policy = SlowPolicy::kUnspecified) {
    TopicSpec spec;
    spec.policy = policy;
    auto effective = Effective(spec, limits);
    EXPECT_TRUE(effective.ok());
    return Topic::Create("t", *effective, 7, clock, timers, sixteen);
  }
  void Fill(Queue& queue, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(Try(queue, {Small()}).at(0).outcome, Outcome::kOk);
    }
  }
  static SendOptions Until(TimePoint deadline) {
    SendOptions options;
    options.deadline = deadline;
    return options;
  }
  // Waits, or is done.
  void SendSmall(Queue& queue, Sending& sending, std::size_t count = 1, SendOptions options = {}) {
    Start(queue, sending, Many(count), std::move(options));
    EXPECT_TRUE(sending.status.ok());
  }
  // What was freed goes to who waits.
  void Serve() { timers.RunDue(clock.Now()); }

  MemoryBudget sixteen{kSixteen, timers};
};

}  // namespace sluice::broker
