// SPDX-License-Identifier: Apache-2.0
// How the broker tells a party that something changed for it: come and look.
//
// Level-triggered: the news itself stays in the broker until the party fetches it (Queue::TakeAcks,
// Queue::Poll ...), so a notice may come late, twice, merged with others, or for nothing. Shared,
// because a notice may be on its way while the party goes: the notifier outlives it and then does
// nothing.
#pragma once

#include <memory>
#include <vector>

namespace sluice::broker {

class Notifier {
 public:
  virtual ~Notifier() = default;
  // Called from any thread, with no lock held. Never blocks.
  virtual void Notify() noexcept = 0;
};

using NotifierPtr = std::shared_ptr<Notifier>;
// Collected under a lock, told after it is released.
using Notices = std::vector<NotifierPtr>;

}  // namespace sluice::broker
