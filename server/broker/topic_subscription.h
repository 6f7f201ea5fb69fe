// SPDX-License-Identifier: Apache-2.0
// One Subscribe: a topic, or every topic that matches a pattern, as one sequence of frames.
//
// Frames     each topic that is there is announced; then Ready, once; then messages, lags and ends
//            of topics, taken in turn, and announcements of topics made later (N28).
// Refs       name a topic on this subscription: rising from 1 as they are announced, never used
//            again.
// Bound      at most kStreamTopicsMax topics open; one above is announced, and then ended, kLimit.
// So
//            is the whole of it, when its owner leaves twice as many announcements unread.
// Threads    Begin, Next, is_idle and Leave belong to its owner's thread; topics and the registry
//            call the rest from any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "broker/notifier.h"
#include "broker/pattern.h"
#include "broker/topic.h"

namespace sluice::broker {

// A position in one life of a topic.
struct TopicPosition {
  std::string topic;
  std::uint64_t epoch = 0;
  std::uint64_t next_position = 0;
};

struct SubscriptionOptions {
  std::string topic;  // exactly one of topic and pattern
  std::string pattern;
  SubscribeFrom from = SubscribeFrom::kLatest;  // without `resume`: kLatest, kEarliest, kPosition
  std::uint64_t start_position = 0;             // kPosition
  std::uint64_t start_epoch = 0;                // kPosition; 0: whichever
  std::optional<std::vector<TopicPosition>> resume;
  bool end_on_lag = false;
  std::string subscriber;  // shown to operators, as the two below
  std::string peer;
  std::uint64_t stream_id = 0;
};

struct SubscriptionFrame {
  enum class Event : std::uint8_t { kNone, kSubscribed, kReady, kLagged, kClosed };
  Event event = Event::kNone;
  std::uint32_t topic_ref = 0;  // of the messages and the event; 0: the stream itself
  std::string topic;            // kSubscribed
  Announced announced;          // kSubscribed
  std::uint32_t topics = 0;     // kReady: announced before it
  ClosedReason reason = ClosedReason::kUnspecified;  // kClosed
  Taken taken;                                       // kLagged, and messages
};

class Subscription final {
 public:
  // INVALID_ARGUMENT: INVALID_FIELD (topic, pattern, start, resume, subscriber), OUT_OF_BOUNDS
  // (start_position, resume). `notifier` is told when Next would give something.
  static Result<std::shared_ptr<Subscription>> Make(SubscriptionOptions options,
                                                    NotifierPtr notifier);
  ~Subscription();

  const SubscriptionOptions& options() const noexcept { return options_; }
  bool is_pattern() const noexcept { return pattern_.has_value(); }
  bool Matches(const std::string& topic) const { return pattern_->Matches(topic); }
  // Whether `resume` lists it: then it may be gone. Before Begin.
  bool Lists(const std::string& topic) const { return listed_.contains(topic); }

  // The topics that are there, once, before Next: those of `listed` that are not are gone.
  void Begin(const std::vector<std::shared_ptr<Topic>>& topics);
  // A new topic, which nobody else knows yet. Tell when no lock is held any more.
  void Add(Topic& fresh);
  void Tell();

  // The next frame, of at most `bytes_max` or one message. False: there is none now.
  bool Next(std::uint64_t bytes_max, SubscriptionFrame& frame);
  // No topic is open, and nothing is left to tell.
  bool is_idle() const;
  // Lets go of every topic. Nothing is added or given any more.
  void Leave();

 private:
  class Inbox;
  class Doorbell;
  // One topic of it.
  struct Member {
    std::shared_ptr<Topic> topic;
    Subscriber subscriber;
    std::uint32_t ref = 0;  // 0: not announced
    bool is_in_turn = false;
  };
  struct News {  // to be announced
    std::string topic;
    Announced announced;
    std::uint64_t member = 0;  // 0: none, it is ended with `end` at once
    ClosedReason end = ClosedReason::kUnspecified;
  };

  Subscription(SubscriptionOptions options, std::optional<Pattern> pattern, NotifierPtr notifier);
  Status Check();
  SubscriberOptions Where(const Topic& topic, bool is_new) const;
  News Join(Topic& topic, bool is_new);
  void LookIn();
  void Announce(SubscriptionFrame& frame);
  bool TakeTurn(std::uint64_t bytes_max, SubscriptionFrame& frame);
  void PutInTurn(std::uint64_t id, Member& member);

  SubscriptionOptions options_;  // fixed once it is made; of `resume` only whether it was given
  const std::optional<Pattern> pattern_;
  std::unordered_map<std::string, TopicPosition> listed_;  // until Begin
  const std::shared_ptr<Inbox> inbox_;

  // The owner's thread.
  std::unordered_map<std::uint64_t, std::unique_ptr<Member>> members_;
  std::deque<News> news_;
  std::deque<std::uint64_t> turns_;  // members that may have something
  struct Ended {
    std::uint32_t ref;
    ClosedReason reason;
  };
  std::deque<Ended> ended_;
  std::uint32_t last_ref_ = 0;
  std::size_t to_announce_ = 0;  // before Ready
  bool is_ready_told_ = false;
  bool has_left_ = false;
};

}  // namespace sluice::broker
