// SPDX-License-Identifier: Apache-2.0
// Which channels are shown each for itself; and want of memory.
#include "tests/admin/metrics_fixture.h"

namespace sluice::admin {
namespace {

using MetricsSelect = MetricsFixture;
using broker::Outcome;

// The fixture shows 10.
TEST_F(MetricsSelect, TheBusiestAreShownAndTheRestSummedUp) {
  for (int i = 1; i <= 7; ++i) {
    const auto queue = DeclareQueue("q" + std::to_string(i), 64);
    for (int n = 0; n < i; ++n) EXPECT_EQ(Send(*queue), Outcome::kOk);
  }
  for (int i = 1; i <= 7; ++i) {
    const auto topic = DeclareTopic("t" + std::to_string(i), 64, broker::SlowPolicy::kLag);
    broker::Reader reader;
    topic->Subscribe(reader.subscriber, {}, reader.told);
    for (int n = 0; n < i; ++n) EXPECT_EQ(Publish(*topic), Outcome::kOk);
    topic->Unsubscribe(reader.subscriber);
  }
  const Series series = ParsePage(Page());
  for (int i = 1; i <= 7; ++i) {
    const std::string queue = "{channel=\"q" + std::to_string(i) + "\"}";
    const std::string topic = "{channel=\"t" + std::to_string(i) + "\"}";
    EXPECT_EQ(series.contains("sluice_queue_channel_depth" + queue), i >= 3) << i;
    EXPECT_EQ(series.contains("sluice_topic_channel_retained_messages" + topic), i >= 3) << i;
  }
  EXPECT_EQ(series.at("sluice_queue_channel_depth{channel=\"_other\"}"), 1 + 2);
  EXPECT_EQ(series.at("sluice_topic_channel_retained_messages{channel=\"_other\"}"), 1 + 2);
  EXPECT_FALSE(series.contains("sluice_queue_channel_accepted_total{channel=\"_other\"}"))
      << "it would go back when a channel comes into the list";
  EXPECT_FALSE(series.contains("sluice_queue_channel_fill_ratio{channel=\"_other\"}"));
  EXPECT_EQ(series.at("sluice_queue_depth"), 28);
}

TEST_F(MetricsSelect, OneIsShownOnRequestOfWhateverKind) {
  DeclareQueue("x", 8);
  DeclareTopic("x", 8, broker::SlowPolicy::kLag);
  DeclareQueue("other", 8);
  const Series series = ParsePage(Page("/metrics?channel=x"));
  EXPECT_TRUE(series.contains("sluice_queue_channel_depth{channel=\"x\"}"));
  EXPECT_TRUE(series.contains("sluice_topic_channel_subscribers{channel=\"x\"}"));
  EXPECT_FALSE(series.contains("sluice_queue_channel_depth{channel=\"other\"}"));
  EXPECT_FALSE(series.contains("sluice_queue_channel_depth{channel=\"_other\"}"));
  EXPECT_FALSE(series.contains("sluice_queue_depth"));
  EXPECT_EQ(Reason(404, "/metrics?channel=nobody"), "CHANNEL_NOT_FOUND");
}

TEST_F(MetricsSelect, ThoseThatBeginSoAreShownUpToABound) {
  for (int i = 0; i < 600; ++i) {
    DeclareQueue("a." + std::to_string(i), 8);
    if (i < 400) DeclareResponder("a." + std::to_string(i));
  }
  DeclareQueue("b.0", 8);
  const Series series = ParsePage(Page("/metrics?prefix=a."));
  EXPECT_TRUE(series.contains("sluice_queue_channel_depth{channel=\"a.599\"}"));
  EXPECT_TRUE(series.contains("sluice_request_channel_queued{channel=\"a.399\"}"));
  EXPECT_FALSE(series.contains("sluice_queue_channel_depth{channel=\"b.0\"}"));
  DeclareResponder("a.600");
  EXPECT_EQ(Reason(400, "/metrics?prefix=a."), "OUT_OF_BOUNDS");
  EXPECT_EQ(Page("/metrics?prefix=a.59").find("a.60"), std::string::npos);
  EXPECT_TRUE(ParsePage(Page("/metrics?prefix=nobody")).empty());
}

TEST_F(MetricsSelect, WhatCannotBeAskedIsRefused) {
  EXPECT_EQ(Reason(400, "/metrics?channel=a&prefix=b"), "INVALID_FIELD");
  EXPECT_EQ(Reason(400, "/metrics?prefix=%20"), "INVALID_FIELD");
  EXPECT_EQ(Reason(400, "/metrics?channel=%22"), "INVALID_FIELD");
  EXPECT_NE(Reason(400, "/metrics?chanel=a"), "");
  EXPECT_EQ(Get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(MetricsSelect, WantOfMemoryIsShown) {
  constexpr std::uint32_t kLarge = 400'000;
  broker::BrokerOptions options;
  options.limits.memory_bytes_max = broker::kMemoryMaxLeast;
  broker::Broker small(options, clock);
  const std::string frame(kLarge, 'x');
  const std::vector<broker::RecordSpan> spans = {{0, kLarge}};
  const auto send = [&](broker::Queue& queue, broker::Sending& sending, broker::SendMode mode) {
    broker::SendOptions how;
    how.mode = mode;
    broker::Incoming incoming(frame, spans, broker::kStoredBatchBytesMax);
    EXPECT_TRUE(queue.Send(sending.ticket, std::move(incoming), how, sending.told).ok());
    queue.TakeAcks(sending.ticket, sending.acks);
    return sending.acks.empty() ? Outcome::kUnspecified : sending.acks.back().outcome;
  };
  std::vector<std::shared_ptr<broker::Queue>> queues;
  for (const char* name : {"a", "b", "c"}) {
    queues.push_back(small.queues().Declare(name, {})->channel);
    for (int i = 0; i < 4; ++i) {
      broker::Sending sending;
      static_cast<void>(send(*queues.back(), sending, broker::SendMode::kTry));
    }
  }
  broker::Sending waits;
  EXPECT_EQ(send(*queues.back(), waits, broker::SendMode::kWait), Outcome::kUnspecified);
  const Series series = ParsePage(PageOf(small, calls, 0));
  EXPECT_EQ(series.at("sluice_memory_limit_bytes"), broker::kMemoryMaxLeast);
  EXPECT_GT(series.at("sluice_memory_used_bytes"), 3'000'000);
  EXPECT_GT(series.at("sluice_memory_refused_total"), 0);
  EXPECT_EQ(series.at("sluice_memory_waiting_channels"), 1);
  EXPECT_GE(series.at("sluice_memory_waiting_bytes"), kLarge);
  EXPECT_GE(series.at("sluice_memory_waiting_limit_bytes"), kLarge);
  EXPECT_EQ(series.at("sluice_conservation_imbalance{kind=\"queue\"}"), 0);
  EXPECT_FALSE(series.contains("sluice_queue_channel_depth{channel=\"_other\"}")) << "0: none";
  queues.back()->CancelSend(waits.ticket);
}

}  // namespace
}  // namespace sluice::admin
