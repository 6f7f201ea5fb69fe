// SPDX-License-Identifier: Apache-2.0
#include "broker/topic_subscription.h"

#include <utility>

#include "broker/limits.h"
#include "broker/name.h"
#include "broker/topic/subscription_inbox.h"

namespace sluice::broker {

Subscription::Subscription(SubscriptionOptions options, std::optional<Pattern> pattern,
                           NotifierPtr notifier)
    : options_(std::move(options)),
      pattern_(std::move(pattern)),
      inbox_(std::make_shared<Inbox>(std::move(notifier))) {}

Subscription::~Subscription() { Leave(); }

Result<std::shared_ptr<Subscription>> Subscription::Make(SubscriptionOptions options,
                                                         NotifierPtr notifier) {
  if (options.topic.empty() == options.pattern.empty()) {
    return InvalidField(options.topic.empty() ? "topic" : "pattern",
                        "exactly one of topic and pattern is given");
  }
  std::optional<Pattern> pattern;
  if (!options.pattern.empty()) {
    Result<Pattern> parsed = Pattern::Parse("pattern", options.pattern);
    if (!parsed.ok()) return parsed.error();
    pattern = std::move(*parsed);
  } else if (Status name = CheckName("topic", options.topic); !name.ok()) {
    return name;
  }
  std::shared_ptr<Subscription> made(
      new Subscription(std::move(options), std::move(pattern), std::move(notifier)));
  if (Status status = made->Check(); !status.ok()) return status;
  return made;
}

Status Subscription::Check() {
  if (options_.subscriber.size() > kNameBytesMax) {
    return OutOfBounds("subscriber", "the most bytes", kNameBytesMax, options_.subscriber.size());
  }
  if (!options_.resume.has_value()) {
    if (options_.from != SubscribeFrom::kPosition) return Status();
    if (is_pattern()) return InvalidField("start", "POSITION is of one topic, not of a pattern");
    if (options_.start_position > 0) return Status();
    return OutOfBounds("start_position", "the least", 1, 0);
  }
  if (options_.resume->size() > kStreamTopicsMax) {
    return OutOfBounds("resume.topics", "the most", kStreamTopicsMax, options_.resume->size());
  }
  const std::vector<TopicPosition> resume = std::exchange(*options_.resume, {});
  for (const TopicPosition& listed : resume) {
    if (Status name = CheckName("resume.topics.topic", listed.topic); !name.ok()) return name;
    if (is_pattern() ? !Matches(listed.topic) : listed.topic != options_.topic) {
      return InvalidField("resume.topics.topic",
                          "\"" + listed.topic + "\" is not what is subscribed to");
    }
    if (listed.next_position == 0) {
      return OutOfBounds("resume.topics.next_position", "the least", 1, 0);
    }
    if (!listed_.emplace(listed.topic, listed).second) {
      return InvalidField("resume.topics.topic", "\"" + listed.topic + "\" stands there twice");
    }
  }
  return Status();
}

// N31: what is listed goes on where it was; what is not begins at position 1.
SubscriberOptions Subscription::Where(const Topic& topic, bool is_new) const {
  SubscriberOptions where;
  where.stream_id = options_.stream_id;
  where.subscriber = options_.subscriber;
  where.peer = options_.peer;
  where.pattern = options_.pattern;
  where.end_on_lag = options_.end_on_lag;
  where.from = options_.from;
  where.position = options_.start_position;
  where.epoch = options_.start_epoch;
  if (is_new || options_.resume.has_value()) where.from = SubscribeFrom::kBeginning;
  if (is_new) return where;  // from any thread: what is listed is the owner's
  const auto listed = listed_.find(topic.name());
  if (listed != listed_.end()) {
    where.from = SubscribeFrom::kPosition;
    where.position = listed->second.next_position;
    // No life has the epoch 0; here it does not mean "whichever".
    where.epoch = listed->second.epoch != 0 ? listed->second.epoch : ~std::uint64_t{0};
  }
  return where;
}

Subscription::News Subscription::Join(Topic& topic, bool is_new) {
  News news;
  news.topic = topic.name();
  news.member = inbox_->TakePlace();
  SubscriberOptions where = Where(topic, is_new);
  if (news.member == 0) {
    news.announced = topic.WhereItBegins(where);
    news.end = ClosedReason::kLimit;
    return news;
  }
  auto member = std::make_unique<Member>();
  member->topic = topic.shared_from_this();
  news.announced = topic.Subscribe(member->subscriber, std::move(where),
                                   std::make_shared<Doorbell>(inbox_, news.member));
  inbox_->Add(news, std::move(member));
  return news;
}

void Subscription::Begin(const std::vector<std::shared_ptr<Topic>>& topics) {
  for (const auto& topic : topics) {
    News news = Join(*topic, /*is_new=*/false);
    if (news.member == 0) inbox_->Add(std::move(news), nullptr);
    listed_.erase(topic->name());
  }
  for (const auto& [name, listed] : listed_) {
    News gone;
    gone.topic = name;
    gone.announced = {0, listed.next_position, Continuity::kGap, 0};
    gone.end = ClosedReason::kDeleted;
    inbox_->Add(std::move(gone), nullptr);
  }
  listed_ = {};
  LookIn();
  to_announce_ = news_.size();
}

void Subscription::Add(Topic& fresh) {
  News news = Join(fresh, /*is_new=*/true);
  if (news.member == 0) inbox_->Add(std::move(news), nullptr);
}

void Subscription::Tell() { inbox_->Tell(); }

void Subscription::LookIn() {
  std::vector<std::uint64_t> rung;
  Inbox::Added added;
  if (!inbox_->Empty(rung, added)) return;
  for (auto& [news, member] : added) {
    if (member != nullptr) members_.emplace(news.member, std::move(member));
    news_.push_back(std::move(news));
  }
  for (const std::uint64_t id : rung) {
    const auto it = members_.find(id);
    if (it != members_.end() && it->second->ref != 0) PutInTurn(id, *it->second);
  }
}

void Subscription::PutInTurn(std::uint64_t id, Member& member) {
  if (std::exchange(member.is_in_turn, true)) return;
  turns_.push_back(id);
}

bool Subscription::Next(std::uint64_t bytes_max, SubscriptionFrame& frame) {
  using Event = SubscriptionFrame::Event;
  frame.event = Event::kNone;
  frame.topic_ref = 0;
  frame.taken.Clear();
  if (has_left_) return false;
  if (inbox_->is_full()) {
    frame.event = Event::kClosed;
    frame.reason = ClosedReason::kLimit;
    return true;
  }
  LookIn();
  if (to_announce_ > 0 || (is_ready_told_ && !news_.empty())) {
    Announce(frame);
    if (to_announce_ > 0) --to_announce_;
    return true;
  }
  if (!is_ready_told_) {
    is_ready_told_ = true;
    frame.event = Event::kReady;
    frame.topics = last_ref_;
    return true;
  }
  if (!ended_.empty()) {
    frame.event = Event::kClosed;
    frame.topic_ref = ended_.front().ref;
    frame.reason = ended_.front().reason;
    ended_.pop_front();
    return true;
  }
  return TakeTurn(bytes_max, frame);
}

void Subscription::Announce(SubscriptionFrame& frame) {
  News& news = news_.front();
  frame.event = SubscriptionFrame::Event::kSubscribed;
  frame.topic_ref = ++last_ref_;
  frame.topic = std::move(news.topic);
  frame.announced = news.announced;
  if (news.member == 0) {
    ended_.push_back({frame.topic_ref, news.end});
  } else {
    Member& member = *members_.at(news.member);
    member.ref = frame.topic_ref;
    PutInTurn(news.member, member);
  }
  news_.pop_front();
}

// One frame of one topic; then that one is last in turn.
bool Subscription::TakeTurn(std::uint64_t bytes_max, SubscriptionFrame& frame) {
  while (!turns_.empty()) {
    const std::uint64_t id = turns_.front();
    turns_.pop_front();
    Member& member = *members_.at(id);
    member.is_in_turn = false;
    member.topic->Take(member.subscriber, bytes_max, frame.taken);
    frame.topic_ref = member.ref;
    if (frame.taken.ended != ClosedReason::kUnspecified) {
      frame.event = SubscriptionFrame::Event::kClosed;
      frame.reason = frame.taken.ended;
      members_.erase(id);
      inbox_->GivePlace();
      return true;
    }
    if (frame.taken.missed == 0 && frame.taken.delivery.messages == 0) continue;
    if (frame.taken.missed != 0) frame.event = SubscriptionFrame::Event::kLagged;
    PutInTurn(id, member);
    return true;
  }
  frame.topic_ref = 0;
  return false;
}

bool Subscription::is_idle() const {
  return members_.empty() && news_.empty() && ended_.empty() && is_ready_told_ &&
         inbox_->is_empty();
}

void Subscription::Leave() {
  if (std::exchange(has_left_, true)) return;
  LookIn();
  for (const auto& [id, member] : members_) member->topic->Unsubscribe(member->subscriber);
  members_.clear();
  inbox_->Forget();
}

}  // namespace sluice::broker
