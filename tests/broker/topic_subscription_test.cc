// SPDX-License-Identifier: Apache-2.0
// One Subscribe as a sequence of frames: announcements, Ready, messages in turn, ends.
#include "broker/topic_subscription.h"

#include "broker/broker.h"
#include "tests/broker/topic_fixture.h"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using Event = SubscriptionFrame::Event;

class TopicSubscription : public TopicFixture {
 protected:
  std::shared_ptr<Topic> Declare(const std::string& name, TopicSpec spec = {}) {
    return broker.topics().Declare(name, spec)->channel;
  }
  static SubscriptionOptions ByPattern(std::string pattern) {
    SubscriptionOptions options;
    options.pattern = std::move(pattern);
    options.stream_id = 1;
    return options;
  }
  static SubscriptionOptions ByName(std::string topic) {
    SubscriptionOptions options;
    options.topic = std::move(topic);
    options.stream_id = 1;
    return options;
  }
  std::shared_ptr<Subscription> Begin(SubscriptionOptions options) {
    const std::string name = options.topic;
    auto made = Subscription::Make(std::move(options), told);
    EXPECT_TRUE(made.ok());
    auto found = name.empty()                        ? nullptr
                 : broker.topics().LookUp(name).ok() ? *broker.topics().LookUp(name)
                                                     : nullptr;
    broker.topics().Subscribe(*made, std::move(found));
    return *made;
  }
  std::string Refusal(SubscriptionOptions options) {
    auto made = Subscription::Make(std::move(options), nullptr);
    if (made.ok()) return "OK";
    return made.error().reason() + " " + made.error().details().at(0).second;
  }
  // What the next frame says, in short; "": there is none.
  static std::string Next(Subscription& subscription) {
    SubscriptionFrame frame;
    if (!subscription.Next(kDeliveryBytesMax, frame)) return "";
    const std::string ref = std::to_string(frame.topic_ref);
    std::string text;
    switch (frame.event) {
      case Event::kSubscribed:
        text = ref + " is " + frame.topic + " " +
               std::to_string(static_cast<int>(frame.announced.continuity)) + " at " +
               std::to_string(frame.announced.next_position);
        if (frame.announced.missed > 0) text += " missed " + std::to_string(frame.announced.missed);
        if (frame.announced.epoch == 0) text += " gone";
        break;
      case Event::kReady:
        text = "ready " + std::to_string(frame.topics);
        break;
      case Event::kLagged:
        text = ref + " lagged " + std::to_string(frame.taken.missed);
        break;
      case Event::kClosed:
        text = ref + " closed " + std::to_string(static_cast<int>(frame.reason));
        break;
      case Event::kNone:
        text = ref;
        break;
    }
    for (const std::string& payload : Payloads(frame.taken.delivery)) text += " " + payload;
    return text;
  }
  static Strings All(Subscription& subscription) {
    Strings all;
    for (std::string text = Next(subscription); !text.empty(); text = Next(subscription)) {
      all.push_back(text);
    }
    return all;
  }
  void End(const std::shared_ptr<Subscription>& subscription) {
    broker.topics().Unsubscribe(*subscription);
  }

  Broker broker{{}, clock};
  std::shared_ptr<CountingNotifier> told = std::make_shared<CountingNotifier>();
};

// Clauses: N28
TEST_F(TopicSubscription, ByNameItIsAnnouncedAndThenReady) {
  const auto topic = Declare("orders");
  const auto subscription = Begin(ByName("orders"));
  EXPECT_EQ(All(*subscription), (Strings{"1 is orders 4 at 1", "ready 1"}));
  EXPECT_FALSE(subscription->is_idle());
  Publish(*topic, Numbered(1, 2));
  EXPECT_EQ(told->count, 1);
  EXPECT_EQ(All(*subscription), Strings{"1 1 2"});
  topic->Close(ClosedReason::kRequested);
  EXPECT_EQ(All(*subscription), Strings{"1 closed 1"});
  EXPECT_TRUE(subscription->is_idle());
  End(subscription);
}

// Clauses: X40 N28
TEST_F(TopicSubscription, X40_AllThatIsPublishedAfterReadyIsOffered) {
  for (int i = 0; i < 100; ++i) {
    const auto topic = Declare("t" + std::to_string(i));
    const auto subscription = Begin(ByPattern("t" + std::to_string(i)));
    EXPECT_EQ(All(*subscription).back(), "ready 1");
    PublishEach(*topic, 1, 10);
    EXPECT_EQ(All(*subscription), Strings{"1 1 2 3 4 5 6 7 8 9 10"});
    End(subscription);
  }
}

// Clauses: N28
TEST_F(TopicSubscription, APatternAnnouncesWhatIsThereAndWhatIsMadeLater) {
  const auto eu = Declare("orders.eu");
  const auto us = Declare("orders.us");
  Declare("bills.eu");
  const auto subscription = Begin(ByPattern("orders.*"));
  EXPECT_EQ(All(*subscription),
            (Strings{"1 is orders.eu 4 at 1", "2 is orders.us 4 at 1", "ready 2"}));
  EXPECT_EQ(broker.topics().patterns(), 1u);
  EXPECT_EQ(told->count, 0);
  const auto asia = Declare("orders.asia");
  EXPECT_EQ(told->count, 1) << "as it is made";
  Declare("orders.eu.new");
  EXPECT_EQ(told->count, 1);
  EXPECT_EQ(Publish(*asia, {"first"}).at(0).delivered_to, 1u) << "from position 1";
  EXPECT_EQ(All(*subscription), (Strings{"3 is orders.asia 4 at 1", "3 first"}));
  Publish(*us, {"u"});
  Publish(*eu, {"e"});
  EXPECT_EQ(All(*subscription), (Strings{"2 u", "1 e"}));
  End(subscription);
  EXPECT_EQ(broker.topics().patterns(), 0u);
  EXPECT_EQ(eu->Describe().subscribers, 0u);
  Declare("orders.late");
  EXPECT_FALSE(Next(*subscription) != "");
}

TEST_F(TopicSubscription, TopicsTakeTurns) {
  const auto a = Declare("a");
  const auto b = Declare("b");
  const auto subscription = Begin(ByPattern("*"));
  All(*subscription);
  Publish(*a, Numbered(1, 3));
  Publish(*b, Numbered(4, 2));
  SubscriptionFrame frame;
  std::string refs;
  while (subscription->Next(1, frame)) refs += std::to_string(frame.topic_ref);
  EXPECT_EQ(refs, "12121");
  End(subscription);
}

// Clauses: N4 N20
TEST_F(TopicSubscription, ATopicsEndIsNotTheStreams) {
  const auto a = Declare("a");
  const auto b = Declare("b");
  const auto subscription = Begin(ByPattern("*"));
  All(*subscription);
  ASSERT_TRUE(broker.topics().Delete("a").ok());
  EXPECT_EQ(All(*subscription), Strings{"1 closed 2"});
  Publish(*b, {"x"});
  EXPECT_EQ(All(*subscription), Strings{"2 x"});
  const auto anew = Declare("a");
  EXPECT_EQ(All(*subscription), Strings{"3 is a 4 at 1"}) << "refs are never used again";
  EXPECT_NE(anew->epoch(), a->epoch());
  End(subscription);
}

// Clauses: N30 B8
TEST_F(TopicSubscription, ALagComesBeforeTheMessagesOfItsFrame) {
  const auto topic = Declare("a", {.capacity = 2});
  const auto subscription = Begin(ByName("a"));
  All(*subscription);
  PublishEach(*topic, 1, 5);
  EXPECT_EQ(All(*subscription), Strings{"1 lagged 3 4 5"});
  End(subscription);
}

// Clauses: N31
TEST_F(TopicSubscription, AResumeGoesOnWhereEachWas) {
  const auto a = Declare("t.a", {.capacity = 4});
  const auto b = Declare("t.b", {.capacity = 4});
  const auto c = Declare("t.c", {.capacity = 4});
  const auto d = Declare("t.d", {.capacity = 4});
  const auto first = Begin(ByPattern("t.*"));
  for (const auto& topic : {a, b, c}) PublishEach(*topic, 1, 6);
  PublishEach(*d, 1, 2);
  End(first);
  SubscriptionOptions options = ByPattern("t.*");
  options.resume = {{"t.a", a->epoch(), 5}, {"t.b", a->epoch(), 5}, {"t.gone", 99, 8}};
  const auto again = Begin(options);
  Strings frames = All(*again);
  EXPECT_EQ(frames, (Strings{"1 is t.a 1 at 5", "2 is t.b 3 at 3", "3 is t.c 2 at 3 missed 2",
                             "4 is t.d 4 at 1", "5 is t.gone 2 at 8 gone", "ready 5", "5 closed 2",
                             "1 5 6", "2 3 4 5 6", "3 3 4 5 6", "4 1 2"}));
  End(again);
}

// Clauses: N31
TEST_F(TopicSubscription, ATopicThatIsGoneEndsAResumeByName) {
  SubscriptionOptions options = ByName("t");
  options.resume = {{"t", 99, 8}};
  const auto subscription = Begin(options);
  EXPECT_EQ(All(*subscription), (Strings{"1 is t 2 at 8 gone", "ready 1", "1 closed 2"}));
  EXPECT_TRUE(subscription->is_idle());
  End(subscription);
}

// Clauses: N29
TEST_F(TopicSubscription, APatternThatLeftCountsForTopicsBornLater) {
  End(Begin(ByPattern("t.>")));
  Pass(30s);
  const auto within = Declare("t.within");
  EXPECT_EQ(Publish(*within, {"1"}).at(0).outcome, Outcome::kOk);
  EXPECT_EQ(Publish(*Declare("other"), {"1"}).at(0).outcome, Outcome::kNoSubscribers);
  EXPECT_EQ(Publish(*Declare("t.short", {.resume_window_ms = 29'999}), {"1"}).at(0).outcome,
            Outcome::kNoSubscribers);
  Pass(30s);
  EXPECT_EQ(Publish(*within, {"2"}).at(0).outcome, Outcome::kNoSubscribers);
  EXPECT_EQ(Publish(*Declare("t.late"), {"1"}).at(0).outcome, Outcome::kNoSubscribers);
  SubscriptionOptions options = ByPattern("t.within");
  options.resume.emplace();
  const auto back = Begin(options);
  EXPECT_EQ(All(*back), (Strings{"1 is t.within 4 at 1", "ready 1", "1 1"}));
  End(back);
}

TEST_F(TopicSubscription, OneTopicTooManyIsAnnouncedAndEnded) {
  const auto subscription = Begin(ByPattern("t.*"));
  EXPECT_EQ(All(*subscription), Strings{"ready 0"});
  std::shared_ptr<Topic> last;
  for (std::uint32_t i = 0; i <= kStreamTopicsMax; ++i) last = Declare("t." + std::to_string(i));
  EXPECT_EQ(told->count, kStreamTopicsMax + 1) << "of the last one, too";
  const Strings frames = All(*subscription);
  ASSERT_EQ(frames.size(), kStreamTopicsMax + 2u);
  EXPECT_EQ(frames[kStreamTopicsMax], "10001 is t.10000 4 at 1");
  EXPECT_EQ(frames[kStreamTopicsMax + 1], "10001 closed 8");
  EXPECT_EQ(last->Describe().subscribers, 0u);
  ASSERT_TRUE(broker.topics().Delete("t.0").ok());
  EXPECT_EQ(All(*subscription), Strings{"1 closed 2"});
  Declare("t.more");
  EXPECT_EQ(All(*subscription), Strings{"10002 is t.more 4 at 1"}) << "there is a place again";
  End(subscription);
}

TEST_F(TopicSubscription, AnnouncementsThatNobodyReadsAreBounded) {
  const auto subscription = Begin(ByPattern("t.*"));
  EXPECT_EQ(All(*subscription), Strings{"ready 0"});
  for (std::uint32_t i = 0; i <= 2 * kStreamTopicsMax; ++i) {
    const std::string name = "t." + std::to_string(i);
    Declare(name);
    ASSERT_TRUE(broker.topics().Delete(name).ok());
  }
  EXPECT_EQ(Next(*subscription), "0 closed 8") << "the stream's own end";
  End(subscription);
}

TEST_F(TopicSubscription, WhatCannotBeMeantIsRefused) {
  EXPECT_EQ(Refusal({}), "INVALID_FIELD topic");
  SubscriptionOptions both = ByName("t");
  both.pattern = "t";
  EXPECT_EQ(Refusal(both), "INVALID_FIELD pattern");
  EXPECT_EQ(Refusal(ByName("t..t")), "INVALID_FIELD topic");
  EXPECT_EQ(Refusal(ByPattern("t.>.t")), "INVALID_FIELD pattern");
  SubscriptionOptions position = ByName("t");
  position.from = SubscribeFrom::kPosition;
  EXPECT_EQ(Refusal(position), "OUT_OF_BOUNDS start_position");
  position.start_position = 1;
  EXPECT_EQ(Refusal(position), "OK");
  SubscriptionOptions of_pattern = ByPattern("t");
  of_pattern.from = SubscribeFrom::kPosition;
  of_pattern.start_position = 1;
  EXPECT_EQ(Refusal(of_pattern), "INVALID_FIELD start");
  of_pattern.resume.emplace();
  EXPECT_EQ(Refusal(of_pattern), "OK") << "with resume the start is not read";
  SubscriptionOptions named = ByName("t");
  named.subscriber = std::string(256, 'x');
  EXPECT_EQ(Refusal(named), "OUT_OF_BOUNDS subscriber");
}

// Clauses: N31
TEST_F(TopicSubscription, AResumeListsWhatIsSubscribedTo) {
  const auto resuming = [this](std::vector<TopicPosition> topics) {
    SubscriptionOptions options = ByPattern("t.*");
    options.resume = std::move(topics);
    return Refusal(options);
  };
  EXPECT_EQ(resuming({}), "OK");
  EXPECT_EQ(resuming({{"t.a", 1, 1}, {"t.b", 1, 1}}), "OK");
  EXPECT_EQ(resuming({{"t.a", 1, 1}, {"t.a", 1, 1}}), "INVALID_FIELD resume.topics.topic");
  EXPECT_EQ(resuming({{"u.a", 1, 1}}), "INVALID_FIELD resume.topics.topic");
  EXPECT_EQ(resuming({{"t.a", 1, 0}}), "OUT_OF_BOUNDS resume.topics.next_position");
  EXPECT_EQ(resuming({{"", 1, 1}}), "INVALID_FIELD resume.topics.topic");
  EXPECT_EQ(resuming(std::vector<TopicPosition>(kStreamTopicsMax + 1)),
            "OUT_OF_BOUNDS resume.topics");
  SubscriptionOptions by_name = ByName("t");
  by_name.resume = {{"u", 1, 1}};
  EXPECT_EQ(Refusal(by_name), "INVALID_FIELD resume.topics.topic");
}

}  // namespace
}  // namespace sluice::broker
