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

std::vector<std::weak_ptr<Scheduled>> Timers::TakeDue(TimePoint now) {
  std::vector<std::weak_ptr<Scheduled>> taken;
  const auto end = due_.upper_bound(now);
  for (auto entry = due_.begin(); entry != end; entry = due_.erase(entry)) {
    entries_.erase(entry->second.key);
    taken.push_back(std::move(entry->second.who));
  }
  return taken;
}

// One after the other, with the lock released: who is run may set deadlines, of its own and of
// others. What it returns only brings those nearer. Not until nothing is due: others may set
// deadlines faster than they can be met. The caller learns the next deadline, so nobody is woken.
TimePoint Timers::RunDue(TimePoint now) {
  std::vector<std::weak_ptr<Scheduled>> taken;
  {
    MutexLock lock(mutex_);
    taken = TakeDue(now);
  }
  for (const auto& held : taken) {
    const std::shared_ptr<Scheduled> who = held.lock();
    if (who == nullptr) continue;
    const TimePoint next = who->RunDue(now);
    if (next == kNever) continue;
    MutexLock lock(mutex_);
    Insert(next, who);
  }
  return next();
}

}  // namespace sluice::broker
