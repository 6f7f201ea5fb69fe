// SPDX-License-Identifier: Apache-2.0
// The topics by name, and those who subscribe to names by a pattern: attached to each topic that is
// made later before anybody can publish to it, so that they see all of it.
//
// Left       A pattern whose subscriber has left counts, for a topic born within that topic's
//            resume window, as a subscriber that left (N29). The last kLeftPatternsMax patterns are
//            remembered.
// Threads    as Registry.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/registry.h"
#include "broker/topic.h"
#include "broker/topic_subscription.h"

namespace sluice::broker {

class Topics final : public Registry<Topic> {
 public:
  using Registry<Topic>::Registry;

  // Begins the subscription: by its pattern, or with its topic, which is null when it is gone.
  void Subscribe(const std::shared_ptr<Subscription>& subscription, std::shared_ptr<Topic> topic);
  // Ends it. Idempotent.
  void Unsubscribe(Subscription& subscription);
  // Subscriptions by pattern.
  std::size_t patterns() const;

 private:
  void Admit(Topic& fresh) override REQUIRES(mutex_);
  void Admitted(Topic& fresh) override;
  void RememberLeft(const std::string& pattern, TimePoint now) REQUIRES(mutex_);

  struct Left {
    Pattern pattern;
    std::multimap<TimePoint, std::string>::iterator at;
  };
  std::map<Subscription*, std::shared_ptr<Subscription>> patterns_ GUARDED_BY(mutex_);
  // Topics were added to them, and they have not been told.
  std::vector<std::shared_ptr<Subscription>> untold_ GUARDED_BY(mutex_);
  std::map<std::string, Left> left_ GUARDED_BY(mutex_);  // by the pattern's text
  std::multimap<TimePoint, std::string> left_by_age_ GUARDED_BY(mutex_);
};

}  // namespace sluice::broker
