// SPDX-License-Identifier: Apache-2.0
#include "broker/topics.h"

#include <utility>

namespace sluice::broker {

void Topics::Subscribe(const std::shared_ptr<Subscription>& subscription,
                       std::shared_ptr<Topic> topic) {
  std::vector<std::shared_ptr<Topic>> present;
  if (subscription->is_pattern()) {
    // In one instant: what is there now is in the list, and Admit adds what is made later.
    MutexLock lock(mutex_);
    for (const auto& [name, channel] : channels_) {
      if (!channel->is_deleted() && subscription->Matches(name)) present.push_back(channel);
    }
    patterns_.emplace(subscription.get(), subscription);
  } else if (topic != nullptr) {
    present.push_back(std::move(topic));
  }
  subscription->Begin(present);
}

void Topics::Unsubscribe(Subscription& subscription) {
  std::shared_ptr<Subscription> gone;  // let go after the lock
  if (subscription.is_pattern()) {
    const TimePoint now = space_.clock.Now();
    MutexLock lock(mutex_);
    const auto it = patterns_.find(&subscription);
    if (it != patterns_.end()) {
      gone = std::move(it->second);
      patterns_.erase(it);
      RememberLeft(subscription.options().pattern, now);
    }
  }
  subscription.Leave();
}

std::size_t Topics::patterns() const {
  MutexLock lock(mutex_);
  return patterns_.size();
}

void Topics::RememberLeft(const std::string& pattern, TimePoint now) {
  const auto known = left_.find(pattern);
  if (known != left_.end()) {
    left_by_age_.erase(known->second.at);
    known->second.at = left_by_age_.emplace(now, pattern);
    return;
  }
  Result<Pattern> parsed = Pattern::Parse("pattern", pattern);
  if (!parsed.ok()) return;  // never: it was a subscription's
  if (left_.size() >= kLeftPatternsMax) {
    left_.erase(left_by_age_.begin()->second);
    left_by_age_.erase(left_by_age_.begin());
  }
  left_.emplace(pattern, Left{std::move(*parsed), left_by_age_.emplace(now, pattern)});
}

void Topics::Admit(Topic& fresh) {
  for (const auto& [key, subscription] : patterns_) {
    if (!subscription->Matches(fresh.name())) continue;
    subscription->Add(fresh);
    untold_.push_back(subscription);
  }
  for (const auto& [text, left] : left_) {
    if (left.pattern.Matches(fresh.name())) fresh.RememberSubscriber(left.at->first);
  }
}

void Topics::Admitted(Topic&) {
  std::vector<std::shared_ptr<Subscription>> untold;
  {
    MutexLock lock(mutex_);
    untold.swap(untold_);
  }
  for (const auto& subscription : untold) subscription->Tell();
}

}  // namespace sluice::broker
