// SPDX-License-Identifier: Apache-2.0
#include "sluice/client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/client/daemon.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

class ClientTest : public DaemonTest {};

TEST(ClientConnectTest, WithoutADaemonItSaysWhyAtOnce) {
  ClientOptions options;
  options.address = "127.0.0.1:1";
  const auto client = Client::Connect(options);
  EXPECT_EQ(client.status().code(), Code::kUnavailable);
  EXPECT_EQ(client.status().reason(), "CANNOT_CONNECT");
  EXPECT_EQ(client.status().details().at("address"), "127.0.0.1:1");
  EXPECT_NE(client.status().message().find("refused"), std::string::npos)
      << client.status().message();
}

TEST(ClientConnectTest, WaitingForADaemonEndsWithTheTimeGiven) {
  ClientOptions options;
  options.address = "127.0.0.1:1";
  options.wait_for_server = true;
  options.connect_timeout = milliseconds(200);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(Client::Connect(options).status().reason(), "CANNOT_CONNECT");
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(200));
}

TEST(ClientConnectTest, OptionsAreChecked) {
  ClientOptions options;
  options.keepalive_interval = milliseconds(0);
  const auto client = Client::Connect(options);
  EXPECT_EQ(client.status().reason(), "BAD_OPTION");
  EXPECT_EQ(client.status().details().at("field"), "keepalive_interval");
}

TEST_F(ClientTest, TheConnectionTellsItsStateAndWhatItCarried) {
  EXPECT_TRUE(client_.WaitForReady(kBound).ok());
  EXPECT_EQ(client_.state(), ConnectionState::kReady);
  SenderOptions options;
  options.queue = Declare();
  Sender sender = OpenSender(options);
  ASSERT_TRUE(sender.Post({"x", {}, {}, {}}).ok());
  ASSERT_TRUE(sender.Flush(kBound).ok());
  const ClientStats stats = client_.stats();
  EXPECT_EQ(stats.streams, 1u);
  EXPECT_GE(stats.frames_sent, 2u);
  EXPECT_GE(stats.frames_received, 2u);
  EXPECT_GT(stats.bytes_sent, 0u);
  EXPECT_GT(stats.bytes_received, 0u);
  EXPECT_EQ(stats.reconnects, 0u);
}

TEST_F(ClientTest, DeclaringIsIdempotentAndADifferenceIsNamed) {
  QueueSpec spec;
  spec.capacity = 10;
  spec.shared = true;
  const std::string queue = Declare(spec);
  const auto again = client_.DeclareQueue(queue, spec, kBound);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->description.spec.capacity, 10u);
  EXPECT_TRUE(again->description.spec.shared);
  EXPECT_EQ(again->description.spec.max_in_flight, 1024u);
  EXPECT_EQ(again->description.spec.durability, Durability::kMemory);
  spec.capacity = 11;
  const Status other = client_.DeclareQueue(queue, spec, kBound).status();
  EXPECT_EQ(other.code(), Code::kFailedPrecondition);
  EXPECT_EQ(other.reason(), "DECLARED_OTHERWISE");
  EXPECT_EQ(other.details().at("field"), "spec.capacity");
}

TEST_F(ClientTest, AValueOutOfBoundsIsNamedWithItsLimit) {
  QueueSpec spec;
  spec.capacity = std::uint64_t{1} << 40;
  const Status status = client_.DeclareQueue("too.large", spec, kBound).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(status.reason(), "OUT_OF_BOUNDS");
  EXPECT_EQ(status.details().at("field"), "spec.capacity");
  EXPECT_EQ(status.details().at("limit"), "1048576");
  EXPECT_EQ(status.details().at("value"), std::to_string(spec.capacity));
  EXPECT_NE(status.ToString().find("limit=1048576"), std::string::npos) << status.ToString();
}

TEST_F(ClientTest, UnknownNamesAreNotFound) {
  const Status status = client_.DescribeQueue("no.such.queue", kBound).status();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_EQ(status.reason(), "QUEUE_NOT_FOUND");
  EXPECT_EQ(client_.CloseQueue("no.such.queue", kBound).code(), Code::kNotFound);
  EXPECT_EQ(client_.DeleteQueue("no.such.queue", kBound).status().code(), Code::kNotFound);
  EXPECT_EQ(client_.PurgeQueue("no.such.queue", kBound).status().code(), Code::kNotFound);
  EXPECT_EQ(client_.PeekQueue("no.such.queue", 0, 1, kBound).status().code(), Code::kNotFound);
}

TEST_F(ClientTest, ListsComeInPages) {
  for (const char* name : {"page.a", "page.b", "page.c"}) {
    ASSERT_TRUE(client_.DeclareQueue(name, {}, kBound).ok());
  }
  const auto first = client_.ListQueues("page.", kBound, 2);
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->queues.size(), 2u);
  EXPECT_EQ(first->queues[0].name, "page.a");
  ASSERT_FALSE(first->next_page_token.empty());
  const auto second = client_.ListQueues("page.", kBound, 2, first->next_page_token);
  ASSERT_TRUE(second.ok());
  ASSERT_EQ(second->queues.size(), 1u);
  EXPECT_EQ(second->queues[0].name, "page.c");
  EXPECT_TRUE(second->next_page_token.empty());
}

TEST_F(ClientTest, PeekShowsAndPurgeDestroysWhatIsQueued) {
  const std::string queue = Declare();
  Fill(queue, 5);
  const auto batch = client_.PeekQueue(queue, 2, 3, kBound);
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  ASSERT_EQ(batch->size(), 3u);
  EXPECT_EQ((*batch)[0].payload, "2");
  EXPECT_EQ((*batch)[0].position, 2u);
  EXPECT_EQ((*batch)[0].attempts, 0u);
  EXPECT_EQ(Describe(queue).depth, 5u);
  const auto purged = client_.PurgeQueue(queue, kBound);
  ASSERT_TRUE(purged.ok());
  EXPECT_EQ(*purged, 5u);
}

TEST_F(ClientTest, AnAtomicSendIsAllOrNothing) {
  QueueSpec spec;
  spec.capacity = 3;
  const std::string queue = Declare(spec);
  Fill(queue, 2);
  SendRequest request;
  request.queue = queue;
  request.mode = SendMode::kTry;
  request.messages = {{"a", {}, {}, {}}, {"b", {}, {}, {}}};
  const auto refused = client_.Send(request, kBound);
  ASSERT_TRUE(refused.ok()) << refused.status().ToString();
  ASSERT_EQ(refused->outcomes.size(), 1u);
  EXPECT_EQ(refused->outcomes[0].outcome, Outcome::kFull);
  EXPECT_EQ(refused->outcomes[0].count, 2u);
  request.atomic = false;
  const auto prefix = client_.Send(request, kBound);
  ASSERT_TRUE(prefix.ok());
  ASSERT_EQ(prefix->outcomes.size(), 2u);
  EXPECT_EQ(prefix->outcomes[0].outcome, Outcome::kOk);
  EXPECT_EQ(prefix->outcomes[0].first_position, 3u);
  EXPECT_EQ(prefix->outcomes[1].outcome, Outcome::kFull);
  EXPECT_EQ(prefix->capacity, 3u);
}

TEST_F(ClientTest, UnaryReceivesAreLeasedAndSettled) {
  const std::string queue = Declare();
  ReceiveRequest request;
  request.queue = queue;
  request.max_messages = 10;
  const auto empty = client_.Receive(request, kBound);
  ASSERT_TRUE(empty.ok()) << empty.status().ToString();
  EXPECT_EQ(empty->outcome, Outcome::kEmpty);
  Fill(queue, 3);
  const auto reply = client_.Receive(request, kBound);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->outcome, Outcome::kOk);
  ASSERT_EQ(reply->batch.size(), 3u);
  EXPECT_EQ(reply->lease_time, milliseconds(30'000));
  const auto results = client_.Settle(queue,
                                      {{{1, 2}, SettleAction::kAck, {}, {}, reply->lease},
                                       {{3, 1}, SettleAction::kRelease, {}, {}, reply->lease},
                                       {{3, 1}, SettleAction::kAck, {}, {}, reply->lease}},
                                      kBound);
  ASSERT_TRUE(results.ok()) << results.status().ToString();
  ASSERT_EQ(results->size(), 3u);
  EXPECT_EQ((*results)[0].settled, 2u);
  EXPECT_EQ((*results)[1].settled, 1u);
  EXPECT_EQ((*results)[2].outcome, Outcome::kStale);
  EXPECT_EQ(Describe(queue).depth, 1u);
}

TEST_F(ClientTest, ACallEndsAtItsDeadline) {
  const std::string queue = Declare();
  ReceiveRequest request;
  request.queue = queue;
  request.wait = std::chrono::minutes(10);
  const Status status = client_.Receive(request, kAWhile).status();
  EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
  EXPECT_EQ(status.reason(), "DEADLINE");
}

TEST_F(ClientTest, ADeletedQueueIsGoneWithItsMessages) {
  const std::string queue = Declare();
  Fill(queue, 4);
  const auto deleted = client_.DeleteQueue(queue, kBound);
  ASSERT_TRUE(deleted.ok());
  EXPECT_EQ(*deleted, 4u);
  EXPECT_EQ(client_.DescribeQueue(queue, kBound).status().code(), Code::kNotFound);
}

TEST_F(ClientTest, TheDaemonTellsItsBoundsAndItsStreams) {
  const std::string queue = Declare();
  ReceiverOptions options;
  options.queue = queue;
  const Receiver receiver = OpenReceiver(std::move(options));
  const auto info = client_.GetServerInfo(kBound);
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_FALSE(info->version.empty());
  EXPECT_FALSE(info->draining);
  EXPECT_EQ(info->bounds.at("capacity_default"), 1024u);
  EXPECT_GE(info->live.at("streams"), 1u);
  const auto streams = client_.ListStreams(kBound);
  ASSERT_TRUE(streams.ok()) << streams.status().ToString();
  bool is_listed = false;
  for (const StreamDescription& stream : streams->streams) {
    is_listed |=
        stream.channel == queue && stream.method == "/sluice.v1.QueueService/ReceiveStream";
  }
  EXPECT_TRUE(is_listed);
}

TEST_F(ClientTest, HealthIsAnsweredPerService) {
  const auto whole = client_.CheckHealth("", kBound);
  ASSERT_TRUE(whole.ok()) << whole.status().ToString();
  EXPECT_EQ(*whole, Health::kServing);
  EXPECT_EQ(client_.CheckHealth("no.such.Service", kBound).status().code(), Code::kNotFound);
}

TEST_F(ClientTest, StreamsKeepTheConnectionWhenTheClientGoes) {
  const std::string queue = Declare();
  SenderOptions options;
  options.queue = queue;
  auto client = std::make_unique<Client>(Connect(*daemon_));
  auto sender = client->OpenSender(std::move(options), kBound);
  ASSERT_TRUE(sender.ok());
  client.reset();
  ASSERT_TRUE(sender->Post({"x", {}, {}, {}}).ok());
  const auto end = sender->Close(kBound);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(sender->counts().ok, 1u);
}

TEST_F(ClientTest, DrainEndsStreamsWithShuttingDown) {
  Daemon daemon({"--drain-grace-ms", "1000"});
  Client client = Connect(daemon);
  ASSERT_TRUE(client.DeclareQueue("jobs", {}, kBound).ok());
  ReceiverOptions options;
  options.queue = "jobs";
  options.reconnect.enabled = false;
  auto receiver = client.OpenReceiver(options, kBound);
  ASSERT_TRUE(receiver.ok());
  ASSERT_TRUE(client.Drain(milliseconds(0), kBound).ok());
  Batch batch;
  EXPECT_EQ(receiver->Next(batch, kBound), NextOutcome::kEnded);
  EXPECT_EQ(receiver->end()->kind, StreamEnd::Kind::kClosed) << ToString(*receiver->end());
  EXPECT_EQ(receiver->end()->reason, ClosedReason::kShuttingDown);
}

}  // namespace
}  // namespace sluice::test
