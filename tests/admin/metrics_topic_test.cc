// SPDX-License-Identifier: Apache-2.0
// Every figure of topics and of requests, by what moves it.
#include "tests/admin/metrics_fixture.h"
#include "tests/broker/responder_fixture.h"

namespace sluice::admin {

using namespace std::chrono_literals;
using broker::Outcome;

// A ring of four with one that reads and one that does not.
void MetricsFixture::TopicsRetain() {
  const auto topic = DeclareTopic("ring", 4, broker::SlowPolicy::kLag);
  EXPECT_EQ(Publish(*topic), Outcome::kNoSubscribers);
  broker::Reader slow, strict;
  topic->Subscribe(slow.subscriber, {}, slow.told);
  broker::SubscriberOptions ends;
  ends.end_on_lag = true;
  topic->Subscribe(strict.subscriber, ends, strict.told);
  broker::SendOptions once;
  once.producer_id = std::string(broker::kProducerIdBytes, 'p');
  once.first_sequence = 1;
  EXPECT_EQ(Publish(*topic, once), Outcome::kOk);
  EXPECT_EQ(Publish(*topic, once), Outcome::kOk);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Publish(*topic), Outcome::kOk);
  broker::SubscriptionOptions pattern;
  pattern.pattern = "other.*";
  auto subscription = broker::Subscription::Make(pattern, slow.told);
  ASSERT_TRUE(subscription.ok());
  broker.topics().Subscribe(*subscription, nullptr);
  broker::Producer stream;
  EXPECT_TRUE(topic->OpenProducer(stream, "", slow.told).ok());
  Expect({{"sluice_topics", 1},
          {"sluice_topic_patterns", 1},
          {"sluice_topic_published_total", 6},
          {"sluice_topic_overwritten_total", 2},
          {"sluice_topic_retained_messages", 4},
          {"sluice_topic_capacity", 4},
          {"sluice_topic_capacity_bytes", 64 << 20},
          {"sluice_topic_retained_bytes", static_cast<double>(topic->Describe().retained_bytes)},
          {"sluice_topic_duplicates_total", 1},
          {"sluice_topic_publishers", 1},
          {"sluice_topic_subscribers", 2},
          {"sluice_topic_subscriber_lag_messages_max", 6},
          {"sluice_topic_subscriber_lag_ratio_max", 1.5},
          {"sluice_topic_refused_total{outcome=\"NO_SUBSCRIBERS\"}", 1},
          {"sluice_topic_channel_retained_messages{channel=\"ring\"}", 4},
          {"sluice_topic_channel_retained_bytes{channel=\"ring\"}",
           static_cast<double>(topic->Describe().retained_bytes)},
          {"sluice_topic_channel_subscribers{channel=\"ring\"}", 2},
          {"sluice_topic_channel_subscriber_lag_messages{channel=\"ring\"}", 6}});
  broker.topics().Unsubscribe(**subscription);
  topic->CloseProducer(stream);
  broker::Taken taken;
  topic->Take(slow.subscriber, broker::kDeliveryBytesMax, taken);
  topic->Take(strict.subscriber, broker::kDeliveryBytesMax, taken);
  EXPECT_EQ(taken.ended, broker::ClosedReason::kLagged);
  Expect({{"sluice_topic_delivered_total", 4},
          {"sluice_topic_missed_total", 2},
          {"sluice_topic_lags_total", 1},
          {"sluice_topic_evicted_total", 1},
          {"sluice_topic_subscribers", 1},
          {"sluice_topic_subscriber_lag_messages_max", 0},
          {"sluice_topic_channel_published_total{channel=\"ring\"}", 6},
          {"sluice_topic_channel_delivered_total{channel=\"ring\"}", 4},
          {"sluice_topic_channel_missed_total{channel=\"ring\"}", 2},
          {"sluice_topic_channel_refused_total{channel=\"ring\"}", 1}});
  topic->Close(broker::ClosedReason::kRequested);
  EXPECT_EQ(Publish(*topic), Outcome::kClosed);
  topic->Unsubscribe(slow.subscriber);
  EXPECT_TRUE(broker.topics().Delete("ring").ok());
  Expect({{"sluice_topics", 0},
          {"sluice_topic_deleted_total", 4},
          {"sluice_topic_overwritten_total", 2},
          {"sluice_topic_retained_messages", 0},
          {"sluice_topic_refused_total{outcome=\"CLOSED\"}", 1}});
}

// Publishes that wait for one that reads nothing.
void MetricsFixture::TopicsBlock() {
  const auto topic = DeclareTopic("block", 2, broker::SlowPolicy::kBlock);
  broker::Reader slow;
  topic->Subscribe(slow.subscriber, {}, slow.told);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Publish(*topic), Outcome::kOk);
  EXPECT_EQ(Publish(*topic), Outcome::kFull);
  broker::Sending waits, goes;
  broker::SendOptions options;
  options.deadline = clock.Now() + 20ms;
  EXPECT_TRUE(topic->Publish(waits.ticket, broker::Messages({"w"}), options, waits.told).ok());
  EXPECT_TRUE(topic->Publish(goes.ticket, broker::Messages({"g"}), {}, goes.told).ok());
  Pass(10ms);
  Expect({{"sluice_topic_waiting_publishes", 2},
          {"sluice_topic_oldest_wait_seconds_max", 0.01},
          {"sluice_topic_channel_waiting_publishes{channel=\"block\"}", 2}});
  Pass(11ms);
  topic->CancelPublish(goes.ticket);
  Expect({{"sluice_topic_waited_publishes_total", 2},
          {"sluice_topic_refused_total{outcome=\"FULL\"}", 1},
          {"sluice_topic_refused_total{outcome=\"TIMED_OUT\"}", 1},
          {"sluice_topic_abandoned_total", 1},
          {"sluice_topic_waiting_publishes", 0}});
  topic->Unsubscribe(slow.subscriber);
  EXPECT_TRUE(broker.topics().Delete("block").ok());
}

void MetricsFixture::RequestsEnd() {
  const auto responder = DeclareResponder("r", 2);
  broker::CallOptions waiting;
  waiting.wait_for_responder = true;
  broker::CallOptions timed = waiting;
  timed.deadline = clock.Now() + 1s;
  broker::Asking asking(*responder);
  EXPECT_EQ(asking.Ask(1), Outcome::kNoResponder);
  EXPECT_EQ(asking.Ask(2, timed), Outcome::kUnspecified);
  EXPECT_EQ(asking.Ask(3, waiting), Outcome::kUnspecified);
  EXPECT_EQ(asking.Ask(4, waiting), Outcome::kFull);
  Expect(
      {{"sluice_request_responders", 1},
       {"sluice_request_accepted_total", 2},
       {"sluice_request_queued", 2},
       {"sluice_request_capacity", 2},
       {"sluice_request_capacity_bytes", 64 << 20},
       {"sluice_request_fill_ratio_max", 1},
       {"sluice_request_retained_bytes", static_cast<double>(responder->Describe().retained_bytes)},
       {"sluice_request_refused_total{outcome=\"FULL\"}", 1},
       {"sluice_request_refused_total{outcome=\"NO_RESPONDER\"}", 1},
       {"sluice_request_channel_queued{channel=\"r\"}", 2},
       {"sluice_request_channel_fill_ratio{channel=\"r\"}", 1},
       {"sluice_request_channel_retained_bytes{channel=\"r\"}",
        static_cast<double>(responder->Describe().retained_bytes)},
       {"sluice_request_channel_refused_total{channel=\"r\"}", 2}});
  Pass(2s);  // 2 times out
  broker::Serving worker(*responder);
  EXPECT_EQ(worker.Reply(worker.TakeOne().call_id), Outcome::kOk);  // 3 is answered
  EXPECT_EQ(asking.Ask(5), Outcome::kUnspecified);
  EXPECT_EQ(worker.Fail(worker.TakeOne().call_id), Outcome::kOk);
  EXPECT_EQ(asking.Ask(6), Outcome::kUnspecified);
  EXPECT_EQ(worker.Reply(worker.TakeOne().call_id, std::string(100, 'x'), false), Outcome::kOk);
  responder->Cancel(asking.caller, 6, broker::GivingUp::kCancelled);
  EXPECT_EQ(worker.End(worker.last.call_id), Outcome::kClosed);  // too late
  broker::CallOptions again;
  again.retry_on_loss = true;
  EXPECT_EQ(asking.Ask(7, again), Outcome::kUnspecified);
  EXPECT_EQ(asking.Ask(8), Outcome::kUnspecified);
  EXPECT_EQ(worker.Take().assignments.size(), 2u);
  Expect({{"sluice_request_in_flight", 2},
          {"sluice_request_workers", 1},
          {"sluice_request_channel_in_flight{channel=\"r\"}", 2},
          {"sluice_request_channel_workers{channel=\"r\"}", 1}});
  {
    broker::Serving other(*responder, /*messages=*/1);
    worker.Detach();  // 8 is lost with it; 7 goes to the other
    EXPECT_EQ(other.Reply(other.TakeOne().call_id), Outcome::kOk);
    EXPECT_EQ(asking.Ask(9), Outcome::kUnspecified);
    EXPECT_EQ(other.Release(other.TakeOne().call_id), Outcome::kOk);  // nobody else is there
    EXPECT_EQ(asking.Ask(10), Outcome::kUnspecified);
    other.TakeOne();
    responder->Close(broker::ClosedReason::kRequested);
    EXPECT_EQ(asking.Ask(11), Outcome::kClosed);
    EXPECT_TRUE(broker.responders().Delete("r").ok());  // 10 is in a hand
  }
  Expect({{"sluice_request_accepted_total", 8},
          {"sluice_request_completed_total{outcome=\"OK\"}", 2},
          {"sluice_request_completed_total{outcome=\"FAILED\"}", 1},
          {"sluice_request_completed_total{outcome=\"RESPONDER_GONE\"}", 1},
          {"sluice_request_completed_total{outcome=\"NO_RESPONDER\"}", 1},
          {"sluice_request_completed_total{outcome=\"TIMED_OUT\"}", 1},
          {"sluice_request_completed_total{outcome=\"CANCELLED\"}", 1},
          {"sluice_request_completed_total{outcome=\"CLOSED\"}", 1},
          {"sluice_request_refused_total{outcome=\"CLOSED\"}", 1},
          {"sluice_request_redelivered_total", 1},
          {"sluice_request_late_replies_total", 1},
          {"sluice_request_queued", 0},
          {"sluice_request_in_flight", 0}});
  const auto small = DeclareResponder("small");
  broker::Asking more(*small);
  broker::Serving server(*small);
  EXPECT_EQ(more.Ask(1), Outcome::kUnspecified);
  broker::WorkerReply reply;
  reply.call_id = server.TakeOne().call_id;
  reply.kind = broker::ReplyKind::kMessage;
  reply.message = broker::Encoded("x");
  reply.message.bytes.size = (1u << 20) + 1;  // as if it were so long
  reply.is_last = true;
  EXPECT_EQ(server.Give(std::move(reply)), Outcome::kReplyTooLarge);
  Expect({{"sluice_request_completed_total{outcome=\"REPLY_TOO_LARGE\"}", 1},
          {"sluice_request_channel_accepted_total{channel=\"small\"}", 1},
          {"sluice_request_channel_completed_total{channel=\"small\"}", 1}});
  EXPECT_TRUE(broker.responders().Delete("small").ok());
}

namespace {

using MetricsTopics = MetricsFixture;

TEST_F(MetricsTopics, ShowARingAndItsReaders) { TopicsRetain(); }

TEST_F(MetricsTopics, ShowWhoWaitsForTheSlow) { TopicsBlock(); }

using MetricsRequests = MetricsFixture;

// Clauses: N22 N23 N25
TEST_F(MetricsRequests, ShowHowEachCallEnded) { RequestsEnd(); }

}  // namespace
}  // namespace sluice::admin
