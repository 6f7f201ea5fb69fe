// SPDX-License-Identifier: Apache-2.0
// Who may consume. An exclusive queue has one seat (N18): a stream has it, or a group of unary
// receives of equal consumer name while one of them waits or holds a lease; streams may stand by
// for it. A shared queue has a seat for everybody. Those who asked and found nothing wait in one
// line.
//
// Threads: none of its own; the queue's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/intrusive_list.h"
#include "broker/consumer.h"

namespace sluice::broker {

class Seats {
 public:
  // Fences rise with every attachment, from `first_fence` on.
  Seats(bool is_shared, std::uint64_t first_fence)
      : is_shared_(is_shared), next_fence_(first_fence) {}

  bool has_room() const noexcept { return is_shared_ || (attached_.empty() && groups_.empty()); }
  std::uint64_t next_fence() const noexcept { return next_fence_; }
  // Streams and groups that have a seat.
  std::size_t taken() const noexcept { return attached_.size() + groups_.size(); }

  // Streams. Requires: has_room().
  void Attach(Consumer& consumer);
  void Detach(Consumer& consumer) { attached_.Erase(consumer); }
  const IntrusiveList<Consumer>& attached() const noexcept { return attached_; }
  void StandBy(Consumer& consumer);
  void LeaveStandby(Consumer& consumer) { standby_.Erase(consumer); }
  IntrusiveList<Consumer>& standby() noexcept { return standby_; }
  const IntrusiveList<Consumer>& standby() const noexcept { return standby_; }

  // Unary receives: each counts while it waits, and its lease while it is held.
  bool admits(const std::string& group) const;
  void Join(const std::string& group);
  void Leave(const std::string& group);

  // The line of those who want messages. Waiting twice keeps the first place.
  void Wait(Claim& claim);
  void StopWaiting(Claim& claim);
  Claim* first_waiting() const noexcept { return line_.front(); }
  std::size_t waiting_receives() const noexcept { return waiting_receives_; }

 private:
  const bool is_shared_;
  std::uint64_t next_fence_;
  IntrusiveList<Consumer> attached_;
  IntrusiveList<Consumer> standby_;
  std::map<std::string, std::uint32_t> groups_;  // members by consumer name
  IntrusiveList<Claim> line_;
  std::size_t waiting_receives_ = 0;
};

}  // namespace sluice::broker
