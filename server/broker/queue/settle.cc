// SPDX-License-Identifier: Apache-2.0
// How what was handed out is settled, or goes back.
#include <algorithm>
#include <utility>

#include "broker/queue/core.h"

namespace sluice::broker {

void Queue::Settle(std::span<const Settlement> settlements, std::uint64_t stream_lease,
                   std::vector<SettleResult>& results) {
  Turn turn(*this);
  Core& core = turn.core();
  for (const Settlement& settlement : settlements) {
    SettleResult result;
    result.first_position = settlement.first_position;
    const std::uint64_t id = settlement.lease != 0 ? settlement.lease : stream_lease;
    const std::uint64_t first = settlement.first_position;
    const std::uint64_t last =
        settlement.count == 0
            ? first
            : first + std::min<std::uint64_t>(settlement.count - 1, kLastPosition - first);
    Lease* lease = settlement.count == 0 ? nullptr : core.ledger.Find(id);
    if (settlement.count > 0) {
      result.expired = static_cast<std::uint32_t>(core.expired.Count(id, first, last));
    }
    if (lease != nullptr) result.settled = turn.Settle(*lease, first, last, settlement);
    result.not_held = settlement.count - result.settled - result.expired;
    // What a client says of positions that never were tells nothing.
    const std::uint64_t known = core.mpsc.front_position() + core.mpsc.size();
    const std::uint64_t meant = first < known ? std::min(last, known - 1) - first + 1 : 0;
    if (settlement.count > 0 && meant > result.settled) {
      core.stale_settlements += meant - result.settled;
    }
    result.outcome = result.settled == settlement.count ? Outcome::kOk : Outcome::kStale;
    results.push_back(result);
  }
}

std::uint32_t Queue::Turn::Settle(Lease& lease, std::uint64_t first, std::uint64_t last,
                                  const Settlement& settlement) {
  switch (settlement.action) {
    case SettleAction::kAck:
      return Acknowledge(lease, first, last);
    case SettleAction::kNack:
      return GoBack(lease, first, last, Because::kFailed, settlement.delay);
    case SettleAction::kRelease:
      return GoBack(lease, first, last, Because::kReleased);
    case SettleAction::kExtend:
      return Extend(lease, first, last, settlement.lease_for);
  }
  return 0;
}

std::uint32_t Queue::Turn::Acknowledge(Lease& lease, std::uint64_t first, std::uint64_t last) {
  const std::uint32_t count = core_.ledger.Release(
      lease, first, last, [&](const Parcel& parcel) { Unhold(lease, parcel.message); });
  core_.settled += count;
  Freed(lease);
  return count;
}

std::uint32_t Queue::Turn::GoBack(Lease& lease, std::uint64_t first, std::uint64_t last,
                                  Because because, Duration delay) {
  const bool has_failed = because == Because::kFailed;
  const std::uint32_t count = core_.ledger.Release(lease, first, last, [&](Parcel parcel) {
    Unhold(lease, parcel.message);
    if (has_failed) ++parcel.failures;
    if (delay > Duration::zero()) {
      core_.come_back.AddDelayed(std::move(parcel), Later(now(), delay));
    } else {
      core_.come_back.Add(std::move(parcel));
    }
  });
  if (has_failed) core_.failures += count;
  Freed(lease);
  return count;
}

// A stream's lease without a time is bound to the stream alone: it is extended for ever already.
std::uint32_t Queue::Turn::Extend(Lease& lease, std::uint64_t first, std::uint64_t last,
                                  Duration lease_for) {
  if (lease.period == Duration::zero()) {
    std::uint32_t count = 0;
    lease.held.Visit(first, last, [&](const HeldList::Held&) {
      ++count;
      return false;
    });
    return count;
  }
  const Duration period = lease_for > Duration::zero() ? std::min<Duration>(lease_for, kLeaseMax)
                                                       : Duration(kLeaseDefault);
  return core_.ledger.Extend(lease, first, last, Later(now(), period));
}

void Queue::Turn::LeasesRunOut() {
  while (core_.ledger.next_due() <= now()) {
    Lease& lease = core_.ledger.Expire([&](Lease& from, Parcel parcel) {
      Unhold(from, parcel.message);
      core_.expired.Add(from.id, parcel.position);
      ++parcel.failures;
      ++core_.failures;
      ++core_.lease_expiries;
      core_.come_back.Add(std::move(parcel));
    });
    Freed(lease);
  }
}

void Queue::Turn::Unhold(Lease& lease, const Message& message) {
  if (lease.consumer == nullptr) return;
  --lease.consumer->held_messages_;
  lease.consumer->held_bytes_ -= message.size();
}

// Less is held: a stream may want again; a unary lease that holds nothing is over, and its place in
// the group with it.
void Queue::Turn::Freed(Lease& lease) {
  if (Consumer* consumer = lease.consumer; consumer != nullptr) {
    if (consumer->wants_) Want(*consumer);
    if (consumer->is_finishing_ && consumer->held_messages_ == 0) Tell(consumer->notifier_);
    return;
  }
  if (lease.held.live() > 0) return;
  const std::string group = lease.group;
  core_.ledger.Close(lease);
  core_.seats.Leave(group);
}

}  // namespace sluice::broker
