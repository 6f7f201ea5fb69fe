// SPDX-License-Identifier: Apache-2.0
#include "broker/after.h"

#include <utility>

namespace sluice::broker {

After::~After() {
  if (who_ != nullptr) timers_.RunBy(run_by_, who_);
  if (waits_for_memory_ != nullptr) memory_.Join(std::move(waits_for_memory_), needs_memory_);
  memory_.Tell(has_left_memory_);
  for (const NotifierPtr& notifier : told_) notifier->Notify();
}

TimePoint After::now() {
  if (!has_now_) SetNow(clock_.Now());
  return now_;
}

void After::SetNow(TimePoint now) {
  now_ = now;
  has_now_ = true;
}

void After::Tell(NotifierPtr notifier) {
  if (notifier == nullptr) return;
  if (!told_.empty() && told_.back() == notifier) return;
  told_.push_back(std::move(notifier));
}

void After::LetGo(NotifierPtr notifier) {
  if (notifier != nullptr) let_go_.push_back(std::move(notifier));
}

void After::RunBy(TimePoint when, std::shared_ptr<Scheduled> who) {
  run_by_ = when;
  who_ = std::move(who);
}

void After::WaitForMemory(std::shared_ptr<MemoryWaiter> who, std::uint64_t needs) {
  waits_for_memory_ = std::move(who);
  needs_memory_ = needs;
}

}  // namespace sluice::broker
