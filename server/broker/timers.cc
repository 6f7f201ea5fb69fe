// SPDX-License-Identifier: Apache-2.0
#include "broker/timers.h"

namespace sluice::broker {

void Timers::SetWake(std::function<void()> wake) { wake_ = std::move(wake); }

void Timers::RunBy(TimePoint when, const std::shared_ptr<Scheduled>& who) {
  if (when == kNever) return;
  bool is_nearest = false;
  {
    MutexLock lock(mutex_);
    is_nearest = Insert(when, who);
  }
  if (is_nearest && wake_) wake_();
}

bool Timers::Insert(TimePoint when, const std::shared_ptr<Scheduled>& who) {
  const auto known = entries_.find(who.get());
  if (known != entries_.end()) {
    const auto entry = known->second;
    if (!entry->second.who.expired() && entry->first <= when) return false;
    due_.erase(entry);
    entries_.erase(known);
  }
  const auto entry = due_.emplace(when, Entry{who.get(), who});
  entries_.emplace(who.get(), entry);
  return entry == due_.begin();
}

TimePoint Timers::next() const {
  MutexLock lock(mutex_);
  return due_.empty() ? kNever : due_.begin()->first;
}

// One at a time, each with the lock released: who is run may set deadlines, of its own and of
// others. What it returns only brings those nearer. The caller learns the next deadline, so nobody
// is woken.
TimePoint Timers::RunDue(TimePoint now) {
  for (;;) {
    std::shared_ptr<Scheduled> who;
    {
      MutexLock lock(mutex_);
      if (due_.empty()) return kNever;
      const auto first = due_.begin();
      if (first->first > now) return first->first;
      who = first->second.who.lock();
      entries_.erase(first->second.key);
      due_.erase(first);
    }
    if (who == nullptr) continue;
    const TimePoint next = who->RunDue(now);
    if (next == kNever) continue;
    MutexLock lock(mutex_);
    Insert(next, who);
  }
}

}  // namespace sluice::broker
