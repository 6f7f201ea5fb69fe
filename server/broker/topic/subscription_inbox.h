// SPDX-License-Identifier: Apache-2.0
// What topics and the registry leave for the owner of a subscription: who has something, and what
// was made. Private to the subscription's own source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "broker/limits.h"
#include "broker/notifier.h"
#include "broker/topic_subscription.h"

namespace sluice::broker {

// Any thread. A leaf lock. Outlives the subscription: a notice may be on its way while that goes.
class Subscription::Inbox {
 public:
  explicit Inbox(NotifierPtr notifier) : notifier_(std::move(notifier)) {}

  void Ring(std::uint64_t id) {
    {
      MutexLock lock(mutex_);
      rung_.push_back(id);
    }
    Tell();
  }
  void Tell() {
    NotifierPtr notifier;
    {
      MutexLock lock(mutex_);
      notifier = notifier_;
    }
    if (notifier != nullptr) notifier->Notify();
  }
  // A place for one more topic: its id, or 0: there are kStreamTopicsMax.
  std::uint64_t TakePlace() {
    MutexLock lock(mutex_);
    if (open_ >= kStreamTopicsMax) return 0;
    ++open_;
    return next_id_++;
  }
  void GivePlace() {
    MutexLock lock(mutex_);
    --open_;
  }
  // Those with a member are at most kStreamTopicsMax; as many again may be ended as they come.
  void Add(News news, std::unique_ptr<Member> member) {
    MutexLock lock(mutex_);
    if (member == nullptr && added_.size() >= 2 * std::size_t{kStreamTopicsMax}) {
      is_full_ = true;
    } else {
      added_.emplace_back(std::move(news), std::move(member));
    }
  }
  using Added = std::vector<std::pair<News, std::unique_ptr<Member>>>;
  bool Empty(std::vector<std::uint64_t>& rung, Added& added) {
    rung.clear();
    added.clear();
    MutexLock lock(mutex_);
    rung.swap(rung_);
    added.swap(added_);
    return !rung.empty() || !added.empty();
  }
  bool is_empty() {
    MutexLock lock(mutex_);
    return rung_.empty() && added_.empty();
  }
  bool is_full() {
    MutexLock lock(mutex_);
    return is_full_;
  }
  void Forget() {
    NotifierPtr gone;  // let go after the lock
    MutexLock lock(mutex_);
    gone = std::exchange(notifier_, nullptr);
  }

 private:
  Mutex mutex_;
  NotifierPtr notifier_ GUARDED_BY(mutex_);
  std::vector<std::uint64_t> rung_ GUARDED_BY(mutex_);
  Added added_ GUARDED_BY(mutex_);
  std::uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  std::uint32_t open_ GUARDED_BY(mutex_) = 0;
  bool is_full_ GUARDED_BY(mutex_) = false;  // news were left out
};

// What a topic rings: it says which topic of many has something.
class Subscription::Doorbell final : public Notifier {
 public:
  Doorbell(std::shared_ptr<Inbox> inbox, std::uint64_t id) : inbox_(std::move(inbox)), id_(id) {}
  void Notify() noexcept override { inbox_->Ring(id_); }

 private:
  const std::shared_ptr<Inbox> inbox_;
  const std::uint64_t id_;
};

}  // namespace sluice::broker
