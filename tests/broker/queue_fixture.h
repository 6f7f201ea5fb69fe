// SPDX-License-Identifier: Apache-2.0
// A queue under a clock that stands still, and short forms of what its callers do.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/queue.h"
#include "broker/timers.h"
#include "tests/support/manual_clock.h"

namespace sluice::broker {

// A record as the wire has it: `0A len payload`. Requires: fewer than 128 bytes.
inline std::string Record(std::string_view payload) {
  std::string record = "\x0A";
  record += static_cast<char>(payload.size());
  record.append(payload);
  return record;
}

inline Incoming Messages(const std::vector<std::string>& payloads,
                         std::uint32_t batch_bytes_max = kStoredBatchBytesMax) {
  std::string frame;
  std::vector<RecordSpan> spans;
  for (const std::string& payload : payloads) {
    const std::string record = Record(payload);
    spans.push_back(
        {static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(record.size())});
    frame += record;
  }
  return Incoming(frame, spans, batch_bytes_max);
}

// The payloads of a delivery, read back from its slices.
inline std::vector<std::string> Payloads(const Delivery& delivery) {
  std::string text;
  for (const BytesSlice& slice : delivery.slices) {
    text.append(*slice.bytes, slice.offset, slice.size);
  }
  std::vector<std::string> payloads;
  for (std::size_t i = 0; i < text.size();) {
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(text[i + 1]));
    payloads.push_back(text.substr(i + 2, size));
    i += 2 + size;
  }
  EXPECT_EQ(payloads.size(), delivery.messages);
  EXPECT_EQ(text.size(), delivery.bytes);
  return payloads;
}

inline std::vector<std::uint64_t> Positions(const Delivery& delivery) {
  std::vector<std::uint64_t> positions;
  for (const Run& run : delivery.runs) {
    for (std::uint32_t i = 0; i < run.count; ++i) positions.push_back(run.first_position + i);
  }
  EXPECT_EQ(positions.size(), delivery.messages);
  return positions;
}

class CountingNotifier final : public Notifier {
 public:
  void Notify() noexcept override { ++count; }
  std::atomic<int> count = 0;
};

// One frame and everything that became of it.
struct Sending {
  SendTicket ticket;
  std::shared_ptr<CountingNotifier> told = std::make_shared<CountingNotifier>();
  std::vector<Ack> acks;
  Status status;

  // Outcomes message by message, in order.
  std::vector<Outcome> outcomes() const {
    std::vector<Outcome> list;
    for (const Ack& ack : acks) list.insert(list.end(), ack.count, ack.outcome);
    return list;
  }
};

// A receive that may wait.
struct Receiving {
  ReceiveTicket ticket;
  std::shared_ptr<CountingNotifier> told = std::make_shared<CountingNotifier>();
  Received received;
  Status status;
};

// A stream that receives.
struct Receiver {
  Consumer consumer;
  std::shared_ptr<CountingNotifier> told = std::make_shared<CountingNotifier>();
  std::uint64_t lease = 0;
};

class QueueFixture : public ::testing::Test {
 protected:
  using Strings = std::vector<std::string>;
  using Numbers = std::vector<std::uint64_t>;
  using Outcomes = std::vector<Outcome>;

  std::shared_ptr<Queue> Make(QueueSpec spec) {
    auto effective = Effective(spec, limits);
    EXPECT_TRUE(effective.ok());
    return Queue::Create("q", *effective, 7, clock, timers, memory);
  }
  std::shared_ptr<Queue> Make(std::uint64_t capacity) {
    QueueSpec spec;
    spec.capacity = capacity;
    return Make(spec);
  }

  // --- sending ---
  void Start(Queue& queue, Sending& sending, const Strings& payloads, SendOptions options) {
    sending.status = queue.Send(sending.ticket, Messages(payloads), options, sending.told);
    Look(queue, sending);
  }
  static SendOptions Atomic() {
    SendOptions options;
    options.is_atomic = true;
    return options;
  }
  static SendOptions From(std::uint64_t first_sequence, std::string producer_id = "") {
    SendOptions options;
    options.first_sequence = first_sequence;
    options.producer_id = std::move(producer_id);
    return options;
  }
  static SendOptions InSession(std::string session_id) {
    SendOptions options;
    options.session_id = std::move(session_id);
    return options;
  }
  // True: done.
  bool Look(Queue& queue, Sending& sending) { return queue.TakeAcks(sending.ticket, sending.acks); }
  std::vector<Ack> Try(Queue& queue, const Strings& payloads, SendOptions options = {}) {
    Sending sending;
    options.mode = SendMode::kTry;
    Start(queue, sending, payloads, options);
    EXPECT_TRUE(sending.status.ok()) << sending.status.message();
    EXPECT_TRUE(Look(queue, sending));
    return sending.acks;
  }
  Outcomes TryEach(Queue& queue, const Strings& payloads) {
    Outcomes list;
    for (const Ack& ack : Try(queue, payloads)) list.insert(list.end(), ack.count, ack.outcome);
    return list;
  }
  // Payloads "first", "first + 1", ... as numbers.
  static Strings Numbered(int first, int count) {
    Strings list;
    for (int i = 0; i < count; ++i) list.push_back(std::to_string(first + i));
    return list;
  }

  // --- receiving ---
  Status Attach(Queue& queue, Receiver& receiver, ConsumerOptions options = {}) {
    Status status = queue.Attach(receiver.consumer, std::move(options), receiver.told);
    if (auto news = queue.Poll(receiver.consumer); news.attached) {
      receiver.lease = news.attached->lease;
    }
    return status;
  }
  Delivery Take(Queue& queue, Receiver& receiver, std::uint64_t bytes_max = kDeliveryBytesMax) {
    Delivery delivery;
    queue.Take(receiver.consumer, bytes_max, delivery);
    return delivery;
  }
  SettleResult Settle(Queue& queue, Settlement settlement) {
    std::vector<SettleResult> results;
    queue.Settle({&settlement, 1}, 0, results);
    return results.at(0);
  }
  SettleResult Settle(Queue& queue, std::uint64_t lease, std::uint64_t first, std::uint32_t count,
                      SettleAction action = SettleAction::kAck) {
    Settlement settlement;
    settlement.lease = lease;
    settlement.first_position = first;
    settlement.count = count;
    settlement.action = action;
    return Settle(queue, settlement);
  }
  SettleResult Nack(Queue& queue, std::uint64_t lease, std::uint64_t first, std::uint32_t count,
                    Duration delay) {
    Settlement settlement;
    settlement.lease = lease;
    settlement.first_position = first;
    settlement.count = count;
    settlement.action = SettleAction::kNack;
    settlement.delay = delay;
    return Settle(queue, settlement);
  }
  SettleResult Extend(Queue& queue, std::uint64_t lease, std::uint64_t first, std::uint32_t count,
                      Duration lease_for) {
    Settlement settlement;
    settlement.lease = lease;
    settlement.first_position = first;
    settlement.count = count;
    settlement.action = SettleAction::kExtend;
    settlement.lease_for = lease_for;
    return Settle(queue, settlement);
  }
  // A unary receive that does not wait.
  Received ReceiveNow(Queue& queue, ReceiveOptions options = {}) {
    Receiving receiving;
    options.deadline = clock.Now();
    receiving.status = queue.Receive(receiving.ticket, std::move(options), receiving.told);
    EXPECT_TRUE(receiving.status.ok()) << receiving.status.message();
    EXPECT_TRUE(queue.TakeReceived(receiving.ticket, receiving.received));
    return receiving.received;
  }
  // Receives one and acks it. "": nothing came.
  std::string Pop(Queue& queue) {
    Received received = ReceiveNow(queue);
    if (received.outcome != Outcome::kOk) return "";
    const Numbers positions = Positions(received.delivery);
    EXPECT_EQ(Settle(queue, received.lease, positions.at(0), 1).settled, 1u);
    return Payloads(received.delivery).at(0);
  }

  // --- time ---
  void Pass(Duration duration) {
    clock.Advance(duration);
    timers.RunDue(clock.Now());
  }

  static void ExpectConserved(const Queue& queue) {
    const QueueStats stats = queue.Describe();
    EXPECT_EQ(stats.accepted,
              stats.settled + stats.purged + stats.deleted + stats.depth + stats.in_flight);
  }

  testing::ManualClock clock;
  Timers timers{nullptr};
  MemoryBudget memory{kNoMemoryLimit, timers};
  Limits limits;
};

}  // namespace sluice::broker
