// SPDX-License-Identifier: Apache-2.0
// A whole broker in the least memory that one may have, and short forms of what is done to it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {

inline constexpr std::uint64_t kLimit = kMemoryMaxLeast;

inline BrokerOptions Bounded() {
  BrokerOptions options;
  options.limits.memory_bytes_max = kLimit;
  return options;
}

inline EncodedMessage Blob(std::size_t size) {
  EncodedMessage message;
  message.bytes = {std::make_shared<const std::string>(size, 'x'), 0,
                   static_cast<std::uint32_t>(size)};
  return message;
}

inline Incoming Frame(std::size_t size) {
  const std::string frame(size, 'x');
  const RecordSpan span{0, static_cast<std::uint32_t>(size)};
  return Incoming(frame, {&span, 1}, kStoredBatchBytesMax);
}

inline SetOptions Setting(std::string key, std::size_t size) {
  SetOptions options;
  options.key = std::move(key);
  options.value = std::string(size, 'v');
  return options;
}

inline SendOptions Trying() {
  SendOptions options;
  options.mode = SendMode::kTry;
  return options;
}

class MemoryOfBroker : public ::testing::Test {
 protected:
  // Leaves less than `left` free.
  void Fill(std::uint64_t left) {
    auto queue = broker.queues().Declare("filler", {.bytes_max = 2 * kLimit})->channel;
    for (std::size_t size = 500'000; size > 0; size /= 2) {
      for (Outcome outcome = Outcome::kOk; outcome == Outcome::kOk;) {
        if (broker.memory().free() < left) return;
        outcome = TrySend(*queue, size);
      }
    }
  }
  ReceiveOptions AtOnce(std::uint32_t messages) {
    ReceiveOptions options;
    options.max_messages = messages;
    options.deadline = clock.Now();
    return options;
  }
  Outcome TrySend(Queue& queue, std::size_t size) {
    SendTicket ticket;
    EXPECT_TRUE(queue.Send(ticket, Frame(size), Trying(), nullptr).ok());
    std::vector<Ack> acks;
    EXPECT_TRUE(queue.TakeAcks(ticket, acks));
    return acks.at(0).outcome;
  }

  testing::ManualClock clock;
  Broker broker{Bounded(), clock};
};

}  // namespace sluice::broker
