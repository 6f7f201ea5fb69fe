// SPDX-License-Identifier: Apache-2.0
// Every figure of queues, by what moves it.
#include "tests/admin/metrics_fixture.h"

namespace sluice::admin {

using namespace std::chrono_literals;
using broker::Outcome;
using broker::SettleAction;

// Four of five fit; one waits in vain, one is abandoned, one comes twice.
void MetricsFixture::QueuesSend() {
  const auto queue = DeclareQueue("send", 4);
  const std::string producer(broker::kProducerIdBytes, 'p');
  broker::SendOptions first;
  first.producer_id = producer;
  first.first_sequence = 1;
  EXPECT_EQ(Send(*queue, first), Outcome::kOk);
  EXPECT_EQ(Send(*queue, first), Outcome::kOk);  // the same again
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send(*queue), Outcome::kOk);
  EXPECT_EQ(Send(*queue), Outcome::kFull);

  broker::Producer stream;
  const auto told = std::make_shared<broker::CountingNotifier>();
  EXPECT_TRUE(queue->OpenProducer(stream, "", told).ok());
  broker::Sending waits, goes;
  broker::SendOptions options;
  options.deadline = clock.Now() + 3s;
  EXPECT_TRUE(queue->Send(waits.ticket, broker::Messages({"w"}), options, waits.told).ok());
  EXPECT_TRUE(queue->Send(goes.ticket, broker::Messages({"g", "h"}), {}, goes.told).ok());
  Pass(2s);
  Expect({{"sluice_queues", 1},
          {"sluice_queues_full", 1},
          {"sluice_queue_depth", 4},
          {"sluice_queue_capacity", 4},
          {"sluice_queue_capacity_bytes", 64 << 20},
          {"sluice_queue_fill_ratio_max", 1},
          {"sluice_queue_waiting_sends", 2},
          {"sluice_queue_oldest_wait_seconds_max", 2},
          {"sluice_queue_oldest_unsettled_seconds_max", 2},
          {"sluice_queue_producers", 1},
          {"sluice_queue_retained_bytes", static_cast<double>(queue->Describe().retained_bytes)},
          {"sluice_retained_bytes", static_cast<double>(queue->Describe().retained_bytes)},
          {"sluice_channels", 1},
          {"sluice_queue_channel_fill_ratio{channel=\"send\"}", 1},
          {"sluice_queue_channel_depth{channel=\"_other\"}", 0}});
  Pass(2s);
  queue->CancelSend(goes.ticket);
  queue->CloseProducer(stream);
  Expect({{"sluice_queue_accepted_total", 4},
          {"sluice_queue_duplicates_total", 1},
          {"sluice_queue_refused_total{outcome=\"FULL\"}", 1},
          {"sluice_queue_refused_total{outcome=\"TIMED_OUT\"}", 1},
          {"sluice_queue_abandoned_total", 2},
          {"sluice_queue_waited_sends_total", 2},
          {"sluice_queue_waiting_sends", 0},
          {"sluice_queue_producers", 0},
          {"sluice_queue_channel_accepted_total{channel=\"send\"}", 4},
          {"sluice_queue_channel_refused_total{channel=\"send\"}", 2}});
  EXPECT_TRUE(broker.queues().Delete("send").ok());
}

// Five messages: two expire and come again, one is delayed, one is held by a stream.
void MetricsFixture::QueuesReceive() {
  const auto queue = DeclareQueue("receive", 8);
  EXPECT_EQ(Receive(*queue, 1).outcome, Outcome::kEmpty);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Send(*queue), Outcome::kOk);
  broker::Received first = Receive(*queue, 2, 10s);
  Expect({{"sluice_queue_in_flight", 2},
          {"sluice_queue_leases", 1},
          {"sluice_queue_consumers", 1},
          {"sluice_queue_receives_total{outcome=\"OK\"}", 1},
          {"sluice_queue_receives_total{outcome=\"EMPTY\"}", 1},
          {"sluice_queue_channel_in_flight{channel=\"receive\"}", 2},
          {"sluice_queue_channel_consumers{channel=\"receive\"}", 1}});
  Pass(11s);
  Expect({{"sluice_queue_returned", 2},
          {"sluice_queue_lease_expiries_total", 2},
          {"sluice_queue_failures_total", 2},
          {"sluice_queue_oldest_unsettled_seconds_max", 11},
          {"sluice_queue_channel_oldest_unsettled_seconds{channel=\"receive\"}", 11}});
  EXPECT_EQ(Settle(*queue, first.lease, 1, 2, SettleAction::kAck), 0u);  // too late
  broker::Received second = Receive(*queue, 3, 60s);
  EXPECT_EQ(Settle(*queue, second.lease, 1, 2, SettleAction::kAck), 2u);
  EXPECT_EQ(Settle(*queue, second.lease, 3, 1, SettleAction::kNack, 30s), 1u);
  Expect({{"sluice_queue_settled_total", 2},
          {"sluice_queue_stale_settlements_total", 2},
          {"sluice_queue_delivered_total", 5},
          {"sluice_queue_redelivered_total", 2},
          {"sluice_queue_failures_total", 3},
          {"sluice_queue_delayed", 1},
          {"sluice_queue_returned", 0},
          {"sluice_queue_depth", 3},
          {"sluice_queue_oldest_unsettled_seconds_max", 11},
          {"sluice_queue_channel_settled_total{channel=\"receive\"}", 2},
          {"sluice_queue_channel_delivered_total{channel=\"receive\"}", 5},
          {"sluice_queue_channel_redelivered_total{channel=\"receive\"}", 2},
          {"sluice_queue_channel_depth{channel=\"receive\"}", 3},
          {"sluice_queue_channel_retained_bytes{channel=\"receive\"}",
           static_cast<double>(queue->Describe().retained_bytes)}});
  broker::Receiver seat, next;
  EXPECT_TRUE(queue->Attach(seat.consumer, {}, seat.told).ok());
  broker::ConsumerOptions standby;
  standby.mode = broker::AttachMode::kStandby;
  EXPECT_TRUE(queue->Attach(next.consumer, standby, next.told).ok());
  Expect({{"sluice_queue_consumers", 1}, {"sluice_queue_standby_consumers", 1}});
  queue->Detach(next.consumer, broker::Leaving::kFinished);
  queue->Detach(seat.consumer, broker::Leaving::kFinished);
  EXPECT_EQ(queue->Purge(), 3u);
  Expect({{"sluice_queue_purged_total", 3}, {"sluice_queue_depth", 0}});
  broker::Receiving waits;
  EXPECT_TRUE(queue->Receive(waits.ticket, {}, waits.told).ok());
  Expect({{"sluice_queue_waiting_receives", 1}, {"sluice_queue_oldest_unsettled_seconds_max", 0}});
  queue->CancelReceive(waits.ticket);
  EXPECT_TRUE(broker.queues().Delete("receive").ok());
}

void MetricsFixture::QueuesEnd() {
  const auto queue = DeclareQueue("end", 8);
  const auto used = DeclareQueue("used", 8);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send(*queue), Outcome::kOk);
  queue->Close(broker::ClosedReason::kRequested);
  EXPECT_EQ(Send(*queue), Outcome::kClosed);
  EXPECT_EQ(Send(*used), Outcome::kOk);
  EXPECT_TRUE(broker.queues().Delete("end").ok());
  EXPECT_TRUE(broker.queues().Delete("used").ok());
  EXPECT_EQ(Receive(*used, 1).outcome, Outcome::kClosed);
}

namespace {

using MetricsQueues = MetricsFixture;

TEST_F(MetricsQueues, ShowWhatIsSent) { QueuesSend(); }

TEST_F(MetricsQueues, ShowWhatIsReceived) { QueuesReceive(); }

// Clauses: N4
TEST_F(MetricsQueues, KeepTheCountsOfTheDeleted) {
  QueuesEnd();
  Expect({{"sluice_queues", 0},
          {"sluice_channels", 0},
          {"sluice_queue_accepted_total", 4},
          {"sluice_queue_deleted_total", 4},
          {"sluice_queue_refused_total{outcome=\"CLOSED\"}", 1},
          {"sluice_queue_receives_total{outcome=\"CLOSED\"}", 1},
          {"sluice_queue_depth", 0},
          {"sluice_queue_retained_bytes", 0}});
  const std::string page = Page();
  EXPECT_EQ(page.find("channel=\"end\""), std::string::npos) << "it has no series any more";
}

TEST_F(MetricsQueues, CountWhatIsDoneToAQueueThatHasLostItsName) {
  const auto queue = DeclareQueue("q", 8);
  EXPECT_TRUE(broker.queues().Delete("q").ok());
  Expect({{"sluice_queue_refused_total{outcome=\"CLOSED\"}", 0}});
  EXPECT_EQ(Send(*queue), Outcome::kClosed);
  Expect({{"sluice_queue_refused_total{outcome=\"CLOSED\"}", 1}});
  const auto again = DeclareQueue("q", 8);
  EXPECT_EQ(Send(*queue), Outcome::kClosed);
  EXPECT_EQ(Send(*again), Outcome::kOk);
  Expect({{"sluice_queues", 1},
          {"sluice_queue_accepted_total", 1},
          {"sluice_queue_refused_total{outcome=\"CLOSED\"}", 2}});
}

TEST_F(MetricsQueues, KeepTheCountsOfTheReplacedAndTheForgotten) {
  for (int round = 1; round <= 3; ++round) {
    const auto queue = DeclareQueue("q", 8);
    EXPECT_EQ(Send(*queue), Outcome::kOk);
    EXPECT_EQ(Settle(*queue, Receive(*queue, 1).lease, 1, 1, SettleAction::kAck), 1u);
    queue->Close(broker::ClosedReason::kRequested);
    Expect({{"sluice_queue_accepted_total", round}, {"sluice_queue_settled_total", round}});
  }
  broker.queues().ForgetEnded();
  Expect({{"sluice_queues", 0},
          {"sluice_queue_accepted_total", 3},
          {"sluice_queue_settled_total", 3}});
}

}  // namespace
}  // namespace sluice::admin
