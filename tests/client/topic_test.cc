// SPDX-License-Identifier: Apache-2.0
// Both ends of topics, and their unary calls.
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <string>
#include <vector>

#include "sluice/typed.h"
#include "tests/client/coroutine.h"
#include "tests/client/daemon.h"
#include "tests/client/relay.h"
#include "tests/client/short_forms.h"
#include "tests/client/states.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using Kind = SubscriberEvent::Kind;

class TopicTest : public DaemonTest {
 protected:
  std::string DeclareTopic(TopicSpec spec = {}) {
    const auto& info = *::testing::UnitTest::GetInstance()->current_test_info();
    const std::string topic = std::string(info.test_suite_name()) + "." + info.name();
    const auto reply = client_.DeclareTopic(topic, spec, kBound);
    EXPECT_TRUE(reply.ok()) << reply.status().ToString();
    return topic;
  }
  Publisher Publishing(const std::string& topic) {
    PublisherOptions options;
    options.topic = topic;
    auto publisher = client_.OpenPublisher(std::move(options), kBound);
    if (!publisher.ok()) throw std::runtime_error(publisher.status().ToString());
    return *std::move(publisher);
  }
  Subscriber Subscribing(SubscriberOptions options) { return Subscribing(client_, options); }
  static Subscriber Subscribing(Client& client, SubscriberOptions options) {
    options.reconnect.base = milliseconds(5);
    auto subscriber = client.OpenSubscriber(std::move(options), kBound);
    if (!subscriber.ok()) throw std::runtime_error(subscriber.status().ToString());
    return *std::move(subscriber);
  }
  static SubscriberOptions On(const std::string& topic) {
    SubscriberOptions options;
    options.topic = topic;
    return options;
  }
  static void PublishAll(Publisher& publisher, int first, int last) {
    for (int i = first; i <= last; ++i) {
      ASSERT_TRUE(publisher.Post(Text(std::to_string(i)), kBound).ok());
    }
    ASSERT_TRUE(publisher.Flush(kBound).ok());
  }
  // The payloads of the next messages, and what is missed on the way.
  static std::vector<std::string> Take(Subscriber& subscriber, std::size_t count,
                                       std::uint64_t* missed = nullptr) {
    std::vector<std::string> payloads;
    SubscriberEvent event;
    while (payloads.size() < count && subscriber.Next(event, kBound) == NextOutcome::kGiven) {
      if (missed != nullptr) *missed += event.missed;
      for (const Delivery& delivery : event.batch) {
        if (event.kind == Kind::kMessages) payloads.emplace_back(delivery.payload);
      }
    }
    return payloads;
  }
};

// Clauses: N28 N29
TEST_F(TopicTest, EverySubscriberGetsEveryMessageAndNobodyIsToldToo) {
  const std::string topic = DeclareTopic();
  Publisher publisher = Publishing(topic);
  const SendOutcome alone = publisher.Publish(Text("0")).Wait(kBound);
  EXPECT_EQ(alone.outcome, Outcome::kNoSubscribers);
  EXPECT_EQ(publisher.counts().no_subscribers, 1u);
  Subscriber first = Subscribing(On(topic));
  SubscriberOptions options;
  options.pattern = "TopicTest.*";
  Subscriber second = Subscribing(options);
  const SendOutcome published = publisher.Publish(Text("1")).Wait(kBound);
  EXPECT_TRUE(published.ok());
  EXPECT_EQ(published.delivered_to, 2u);
  SubscriberEvent event;
  ASSERT_EQ(first.Next(event, kBound), NextOutcome::kGiven);
  EXPECT_EQ(event.kind, Kind::kSubscribed);
  EXPECT_EQ(event.continuity, Continuity::kFresh);
  EXPECT_EQ(event.topic, topic);
  EXPECT_EQ(event.next_position, 1u);
  EXPECT_EQ(Take(first, 1), std::vector<std::string>{"1"});
  EXPECT_EQ(Take(second, 1), std::vector<std::string>{"1"});
  EXPECT_EQ(first.stats().messages, 1u);
  ASSERT_EQ(first.positions().size(), 1u);
  EXPECT_EQ(first.positions()[0].next_position, 2u);
  const auto end = first.Close(kBound);
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->reason, ClosedReason::kFinished);
}

// Clauses: B8 N30
TEST_F(TopicTest, WhoReadsTooLateIsToldExactlyHowManyItMissed) {
  TopicSpec spec;
  spec.capacity = 4;
  const std::string topic = DeclareTopic(spec);
  Publisher publisher = Publishing(topic);
  SubscriberOptions options = On(topic);
  options.buffered_bytes_max = 1;
  options.only_messages = true;
  Subscriber subscriber = Subscribing(options);
  const std::string payload(200'000, 'x');
  constexpr std::uint64_t kCount = 200;
  for (std::uint64_t i = 0; i < kCount; ++i) ASSERT_TRUE(publisher.Post(Text(payload)).ok());
  ASSERT_TRUE(publisher.Flush(kBound).ok());
  std::uint64_t sum = 0;
  while (sum < kCount) {
    const auto next = subscriber.Recv().Wait(kBound);
    ASSERT_TRUE(next.ok()) << next.status().ToString();
    sum += next->has_message() ? 1 : next->event().missed;
  }
  EXPECT_EQ(sum, kCount);
  const SubscribeStats stats = subscriber.stats();
  EXPECT_GE(stats.lags, 1u);
  EXPECT_EQ(stats.messages + stats.missed, kCount);
}

// Clauses: N31
TEST_F(TopicTest, ASubscriberThatWasCutGoesOnWhereItWasOrIsToldTheGap) {
  TopicSpec spec;
  spec.capacity = 8;
  const std::string topic = DeclareTopic(spec);
  Publisher publisher = Publishing(topic);
  Relay relay(daemon_->address());
  ClientOptions through;
  through.address = relay.address();
  auto client = Client::Connect(through);
  ASSERT_TRUE(client.ok());
  States states;
  SubscriberOptions options = On(topic);
  options.on_state = states.Callback();
  Subscriber subscriber = Subscribing(*client, options);
  PublishAll(publisher, 1, 3);
  EXPECT_EQ(Take(subscriber, 3), (std::vector<std::string>{"1", "2", "3"}));
  relay.Cut();
  states.WaitFor(StreamState::Phase::kReady, 2);
  SubscriberEvent event;
  ASSERT_EQ(subscriber.Next(event, kBound), NextOutcome::kGiven);
  EXPECT_EQ(event.kind, Kind::kSubscribed);
  EXPECT_EQ(event.continuity, Continuity::kContinued);
  EXPECT_EQ(event.next_position, 4u);
  PublishAll(publisher, 4, 4);
  EXPECT_EQ(Take(subscriber, 1), std::vector<std::string>{"4"});
  // Away while more is published than is kept.
  relay.Hold(true);
  relay.Cut();
  states.WaitFor(StreamState::Phase::kBackingOff, 2);
  PublishAll(publisher, 5, 16);
  relay.Hold(false);
  std::uint64_t missed = 0;
  const std::vector<std::string> rest = Take(subscriber, 8, &missed);
  EXPECT_EQ(missed, 4u);
  ASSERT_EQ(rest.size(), 8u);
  EXPECT_EQ(rest.front(), "9");
  EXPECT_EQ(rest.back(), "16");
  EXPECT_EQ(subscriber.stats().reconnects, 2u);
}

// Clauses: N6 N31
TEST_F(TopicTest, AfterAnotherDaemonTheTopicIsReset) {
  Daemon daemon;
  Client client = Connect(daemon);
  PublisherOptions to;
  to.topic = "t";
  to.spec = TopicSpec();
  to.reconnect.base = milliseconds(5);
  auto publisher = client.OpenPublisher(to, kBound);
  ASSERT_TRUE(publisher.ok());
  States states;
  SubscriberOptions options = On("t");
  options.spec = TopicSpec();
  options.on_state = states.Callback();
  Subscriber subscriber = Subscribing(client, options);
  PublishAll(*publisher, 1, 1);
  EXPECT_EQ(Take(subscriber, 1), std::vector<std::string>{"1"});
  daemon.Kill();
  daemon.Restart();
  states.WaitFor(StreamState::Phase::kReady, 2);
  SubscriberEvent event;
  ASSERT_EQ(subscriber.Next(event, kBound), NextOutcome::kGiven);
  EXPECT_EQ(event.continuity, Continuity::kReset);
  EXPECT_EQ(subscriber.stats().resets, 1u);
  PublishAll(*publisher, 2, 2);
  EXPECT_EQ(Take(subscriber, 1), std::vector<std::string>{"2"});
}

TEST_F(TopicTest, PatternsFollowTopicsAsTheyComeAndGo) {
  SubscriberOptions options;
  options.pattern = "come.and.*";
  std::promise<void> told;
  std::vector<std::string> story;  // The callback's, until it is told.
  options.on_event = [&](SubscriberEvent& event) {
    const char* const kinds[] = {"messages ", "lagged ", "subscribed ", "closed "};
    story.push_back(kinds[static_cast<int>(event.kind)] + event.topic);
    if (event.kind == Kind::kTopicClosed) told.set_value();
    if (event.kind == Kind::kMessages) throw std::runtime_error("not today");
  };
  Subscriber subscriber = Subscribing(options);
  ASSERT_TRUE(client_.DeclareTopic("come.and.go", {}, kBound).ok());
  PublishRequest request;
  request.topic = "come.and.go";
  request.messages = {Text("x")};
  const auto published = client_.Publish(request, kBound);
  ASSERT_TRUE(published.ok()) << published.status().ToString();
  ASSERT_EQ(published->outcomes.size(), 1u);
  EXPECT_EQ(published->outcomes[0].delivered_to, 1u);
  ASSERT_TRUE(client_.CloseTopic("come.and.go", kBound).ok());
  told.get_future().get();
  EXPECT_EQ(story, (std::vector<std::string>{"subscribed come.and.go", "messages come.and.go",
                                             "closed come.and.go"}));
  EXPECT_EQ(subscriber.stats().exceptions, 1u);
}

TEST_F(TopicTest, AClosedTopicIsTheEndOfItsSubscriber) {
  const std::string topic = DeclareTopic();
  Subscriber subscriber = Subscribing(On(topic));
  ASSERT_TRUE(client_.CloseTopic(topic, kBound).ok());
  SubscriberEvent event;
  ASSERT_EQ(subscriber.Next(event, kBound), NextOutcome::kGiven);
  EXPECT_EQ(event.kind, Kind::kSubscribed);
  EXPECT_EQ(subscriber.Next(event, kBound), NextOutcome::kEnded);
  EXPECT_EQ(subscriber.end()->kind, StreamEnd::Kind::kClosed);
  EXPECT_EQ(subscriber.end()->reason, ClosedReason::kRequested);
}

TEST_F(TopicTest, DescribingAndListing) {
  TopicSpec spec;
  spec.capacity = 10;
  spec.policy = SlowPolicy::kBlock;
  spec.block = milliseconds(1000);
  const std::string topic = DeclareTopic(spec);
  SubscriberOptions options = On(topic);
  options.subscriber = "me";
  Subscriber subscriber = Subscribing(options);
  const auto described = client_.DescribeTopic(topic, kBound);
  ASSERT_TRUE(described.ok()) << described.status().ToString();
  EXPECT_EQ(described->description.spec.capacity, 16u);
  EXPECT_EQ(described->description.spec.policy, SlowPolicy::kBlock);
  EXPECT_EQ(described->description.spec.block, milliseconds(1000));
  EXPECT_EQ(described->description.spec.resume_window, milliseconds(60'000));
  EXPECT_EQ(described->description.state, TopicState::kOpen);
  EXPECT_EQ(described->description.subscribers, 1u);
  ASSERT_EQ(described->subscribers.size(), 1u);
  EXPECT_EQ(described->subscribers[0].subscriber, "me");
  const auto list = client_.ListTopics(topic, kBound);
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->topics.size(), 1u);
  EXPECT_EQ(list->topics[0].name, topic);
  EXPECT_TRUE(client_.DeleteTopic(topic, kBound).ok());
  EXPECT_EQ(client_.DescribeTopic(topic, kBound).status().reason(), "TOPIC_NOT_FOUND");
}

TEST_F(TopicTest, OptionsAreCheckedBeforeAnythingIsSent) {
  EXPECT_EQ(client_.OpenSubscriber({}, kBound).status().details().at("field"), "topic");
  SubscriberOptions options = On("x");
  options.start = SubscribeStart::kPosition;
  EXPECT_EQ(client_.OpenSubscriber(options, kBound).status().details().at("field"),
            "start_position");
  EXPECT_EQ(client_.OpenPublisher({}, kBound).status().details().at("field"), "topic");
  EXPECT_EQ(client_.OpenSubscriber(On("never.declared"), kBound).status().reason(),
            "TOPIC_NOT_FOUND");
}

Detached Follow(TypedSubscriber<std::string>& subscriber, std::vector<std::string>& values,
                std::promise<void>& done) {
  for (;;) {
    const auto item = co_await subscriber.Recv();
    if (!item) break;
    values.push_back(**item);
  }
  done.set_value();
}

TEST_F(TopicTest, CoroutinesFollowValues) {
  const std::string topic = DeclareTopic();
  PublisherOptions to;
  to.topic = topic;
  auto publisher = TypedPublisher<std::string>::Open(client_, to, kBound);
  auto subscriber = TypedSubscriber<std::string>::Open(client_, On(topic), kBound);
  ASSERT_TRUE(publisher.ok() && subscriber.ok());
  std::vector<std::string> values;
  std::promise<void> done;
  Follow(*subscriber, values, done);
  ASSERT_TRUE(publisher->Send("a").Wait(kBound).ok());
  ASSERT_TRUE(publisher->Send("b").Wait(kBound).ok());
  ASSERT_TRUE(client_.CloseTopic(topic, kBound).ok());
  done.get_future().get();
  EXPECT_EQ(values, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace sluice::test
