// SPDX-License-Identifier: Apache-2.0
#include "broker/queue/seats.h"

#include "base/check.h"

namespace sluice::broker {

void Seats::Attach(Consumer& consumer) {
  SLUICE_CHECK(has_room());
  consumer.state_ = Consumer::State::kAttached;
  consumer.attached_.fence = next_fence_++;
  attached_.PushBack(consumer);
}

void Seats::StandBy(Consumer& consumer) {
  consumer.state_ = Consumer::State::kStandby;
  standby_.PushBack(consumer);
}

bool Seats::admits(const std::string& group) const { return has_room() || groups_.contains(group); }

void Seats::Join(const std::string& group) {
  if (groups_[group]++ == 0) ++next_fence_;
}

void Seats::Leave(const std::string& group) {
  const auto it = groups_.find(group);
  SLUICE_CHECK(it != groups_.end());
  if (--it->second == 0) groups_.erase(it);
}

void Seats::Wait(Claim& claim) {
  if (claim.is_linked()) return;
  claim.is_called = false;
  line_.PushBack(claim);
  if (claim.ticket != nullptr) ++waiting_receives_;
}

void Seats::StopWaiting(Claim& claim) {
  if (!claim.is_linked()) return;
  line_.Erase(claim);
  if (claim.ticket != nullptr) --waiting_receives_;
}

}  // namespace sluice::broker
