// SPDX-License-Identifier: Apache-2.0
// What a message costs in the broker, without the wire: 256 messages of 128 bytes sent as one
// frame, taken in one delivery, and acknowledged as ranges.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/queue.h"
#include "broker/timers.h"

namespace sluice::broker {
namespace {

constexpr std::uint32_t kRecordBytes = 131;  // 128 of payload, their tag and length

class Silent final : public Notifier {
 public:
  void Notify() noexcept override {}
};

struct Frame {
  explicit Frame(std::uint32_t messages) {
    for (std::uint32_t i = 0; i < messages; ++i) {
      spans.push_back({static_cast<std::uint32_t>(bytes.size()), kRecordBytes});
      bytes += std::string("\x0A\x80\x01", 3) + std::string(kRecordBytes - 3, 'x');
    }
  }
  std::string bytes;
  std::vector<RecordSpan> spans;
};

struct Parties {
  explicit Parties(QueueSpec spec, Duration ack_timeout = Duration::zero()) {
    spec.capacity = 65'536;
    spec.max_in_flight = 65'536;
    queue = Queue::Create("bench", *Effective(spec, limits), 1, clock, timers, memory);
    ConsumerOptions options;
    options.credit.messages = 65'536;
    options.ack_timeout = ack_timeout;
    (void)queue->Attach(consumer, options, silent);
    lease = queue->Poll(consumer).attached->lease;
  }
  ~Parties() { queue->Detach(consumer, Leaving::kFinished); }

  SystemClock clock;
  Timers timers{nullptr};
  MemoryBudget memory{kNoMemoryLimit, timers};
  Limits limits;
  std::shared_ptr<Silent> silent = std::make_shared<Silent>();
  std::shared_ptr<Queue> queue;
  Consumer consumer;
  std::uint64_t lease = 0;
};

void RoundTrip(benchmark::State& state, Parties& parties, const SendOptions& first_options,
               std::uint32_t ack_count) {
  const auto messages = static_cast<std::uint32_t>(state.range(0));
  const Frame frame(messages);
  SendOptions options = first_options;
  SendTicket ticket;
  std::vector<Ack> acks;
  std::vector<SettleResult> results;
  std::vector<Settlement> settlements;
  Delivery delivery;
  for (auto _ : state) {
    (void)parties.queue->Send(ticket, Incoming(frame.bytes, frame.spans, kStoredBatchBytesMax),
                              options, parties.silent);
    acks.clear();
    parties.queue->TakeAcks(ticket, acks);
    options.first_sequence += messages;
    parties.queue->Take(parties.consumer, kDeliveryBytesMax, delivery);
    settlements.clear();
    for (std::uint32_t i = 0; i < messages; i += ack_count) {
      Settlement settlement;
      settlement.first_position = delivery.runs.front().first_position + i;
      settlement.count = ack_count;
      settlements.push_back(settlement);
    }
    results.clear();
    parties.queue->Settle(settlements, parties.lease, results);
  }
  state.SetItemsProcessed(state.iterations() * messages);
}

void BM_SendTakeAck(benchmark::State& state) {
  Parties parties(QueueSpec{});
  RoundTrip(state, parties, SendOptions(), static_cast<std::uint32_t>(state.range(0)));
}
BENCHMARK(BM_SendTakeAck)->Arg(1)->Arg(16)->Arg(256);

void BM_SendTakeAckEach(benchmark::State& state) {
  Parties parties(QueueSpec{});
  RoundTrip(state, parties, SendOptions(), 1);
}
BENCHMARK(BM_SendTakeAckEach)->Arg(256);

void BM_SendTakeAckWithProducerAndLease(benchmark::State& state) {
  Parties parties(QueueSpec{}, std::chrono::seconds(30));
  SendOptions options;
  options.producer_id = std::string(kProducerIdBytes, 'p');
  options.first_sequence = 1;
  RoundTrip(state, parties, options, static_cast<std::uint32_t>(state.range(0)));
}
BENCHMARK(BM_SendTakeAckWithProducerAndLease)->Arg(256);

}  // namespace
}  // namespace sluice::broker
