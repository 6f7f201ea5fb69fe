// SPDX-License-Identifier: Apache-2.0
// What must be true of a queue's messages, kept in maps that any reader believes: who holds what
// until when, what came back, how often, and in which order everything must come out.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/queue.h"
#include "tests/broker/queue_fixture.h"

namespace sluice::broker {

struct QueueModel {
  struct History {
    std::uint32_t attempts = 0;
    std::uint32_t failures = 0;
  };
  struct ModelLease {
    std::map<std::uint64_t, TimePoint> held;  // until
    std::set<std::uint64_t> expired;
    Duration period{0};
    bool is_unary = false;
    std::string group;
    std::string session;
  };

  std::map<std::uint64_t, History> history;           // by position, of what was handed out
  std::map<std::uint64_t, std::uint64_t> payload_at;  // by position: the number it carries
  std::map<std::uint64_t, std::uint64_t> forbidden;   // numbers refused: no position above this
  std::set<std::uint64_t> ready;                      // came back
  std::map<std::uint64_t, TimePoint> delayed;
  std::map<std::uint64_t, ModelLease> leases;
  std::uint64_t next_fresh = 1;
  std::uint64_t settled = 0, purged = 0, deleted = 0, failures = 0;

  std::uint64_t in_flight() const {
    std::uint64_t count = 0;
    for (const auto& [id, lease] : leases) count += lease.held.size();
    return count;
  }
  std::uint32_t live_members(const std::string& group) const {
    std::uint32_t count = 0;
    for (const auto& [id, lease] : leases) {
      if (lease.is_unary && lease.group == group && !lease.held.empty()) ++count;
    }
    return count;
  }

  // A message was handed out: it was the oldest there is, is with nobody else, and tells its
  // history.
  void Deliver(std::uint64_t lease_id, const Delivery& delivery, TimePoint now) {
    ModelLease& lease = leases[lease_id];
    const auto payloads = Payloads(delivery);
    std::size_t index = 0;
    for (const Run& run : delivery.runs) {
      for (std::uint32_t i = 0; i < run.count; ++i, ++index) {
        const std::uint64_t position = run.first_position + i;
        if (!ready.empty()) {
          ASSERT_EQ(position, *ready.begin()) << "what came back goes out first, in order";
          ready.erase(ready.begin());
        } else {
          ASSERT_EQ(position, next_fresh) << "in order of acceptance";
          ++next_fresh;
        }
        History& known = history[position];
        ++known.attempts;
        EXPECT_EQ(run.attempts, known.attempts);
        EXPECT_EQ(run.failures, known.failures);
        lease.expired.erase(position);
        lease.held[position] = lease.period > Duration::zero() ? Later(now, lease.period) : kNever;
        See(position, std::stoull(payloads.at(index)));
      }
    }
  }

  // Positions rise with the order in which messages were sent (M5, M7), and what was refused or
  // cancelled never appears (M13, M14, N8).
  void See(std::uint64_t position, std::uint64_t number) {
    const auto [it, is_new] = payload_at.emplace(position, number);
    ASSERT_EQ(it->second, number) << "the same bytes each time";
    if (!is_new) return;
    EXPECT_TRUE(it == payload_at.begin() || std::prev(it)->second < number);
    EXPECT_TRUE(std::next(it) == payload_at.end() || std::next(it)->second > number);
    const auto refused = forbidden.find(number);
    EXPECT_TRUE(refused == forbidden.end() || position <= refused->second) << number;
  }

  void GoBack(std::uint64_t position, bool has_failed, TimePoint due = TimePoint::min()) {
    if (has_failed) {
      ++history[position].failures;
      ++failures;
    }
    if (due == TimePoint::min()) {
      ready.insert(position);
    } else {
      delayed[position] = due;
    }
  }
  void LeaseGoesBack(std::uint64_t id, bool has_failed) {
    for (const auto& [position, until] : leases[id].held) GoBack(position, has_failed);
    leases[id].held.clear();
  }

  SettleResult Settle(const Settlement& settlement, TimePoint now) {
    SettleResult result;
    result.first_position = settlement.first_position;
    ModelLease& lease = leases[settlement.lease];
    for (std::uint32_t i = 0; i < settlement.count; ++i) {
      const std::uint64_t position = settlement.first_position + i;
      const auto it = lease.held.find(position);
      if (it == lease.held.end()) {
        ++(lease.expired.contains(position) ? result.expired : result.not_held);
        continue;
      }
      ++result.settled;
      if (settlement.action == SettleAction::kExtend) {
        if (it->second != kNever) it->second = Later(now, settlement.lease_for);
        continue;
      }
      lease.held.erase(it);
      if (settlement.action == SettleAction::kAck) ++settled;
      if (settlement.action == SettleAction::kNack) {
        GoBack(
            position, true,
            settlement.delay > Duration::zero() ? Later(now, settlement.delay) : TimePoint::min());
      }
      if (settlement.action == SettleAction::kRelease) GoBack(position, false);
    }
    result.outcome = result.settled == settlement.count ? Outcome::kOk : Outcome::kStale;
    return result;
  }

  void TimePasses(TimePoint now) {
    for (auto& [id, lease] : leases) {
      for (auto it = lease.held.begin(); it != lease.held.end();) {
        if (it->second > now) {
          ++it;
          continue;
        }
        lease.expired.insert(it->first);
        GoBack(it->first, true);
        it = lease.held.erase(it);
      }
    }
    for (auto it = delayed.begin(); it != delayed.end();) {
      if (it->second > now) {
        ++it;
        continue;
      }
      ready.insert(it->first);
      it = delayed.erase(it);
    }
  }

  // What is queued goes; what is accepted after it (by those who waited) does not.
  void Purge(std::uint64_t accepted_before) {
    purged += ready.size() + delayed.size() + (accepted_before + 1 - next_fresh);
    ready.clear();
    delayed.clear();
    next_fresh = accepted_before + 1;
  }
  void Delete(std::uint64_t accepted) {
    deleted += ready.size() + delayed.size() + (accepted + 1 - next_fresh) + in_flight();
    ready.clear();
    delayed.clear();
    next_fresh = accepted + 1;
    for (auto& [id, lease] : leases) lease.held.clear();
  }

  void ExpectAgrees(const QueueStats& stats) const {
    EXPECT_EQ(stats.accepted,
              stats.settled + stats.purged + stats.deleted + stats.depth + stats.in_flight)
        << "conservation";
    EXPECT_EQ(stats.settled, settled);
    EXPECT_EQ(stats.purged, purged);
    EXPECT_EQ(stats.deleted, deleted);
    EXPECT_EQ(stats.failures, failures);
    EXPECT_EQ(stats.in_flight, in_flight());
    EXPECT_EQ(stats.come_back, ready.size());
    EXPECT_EQ(stats.delayed, delayed.size());
    EXPECT_EQ(stats.depth, ready.size() + delayed.size() + (stats.accepted + 1 - next_fresh));
  }
};

}  // namespace sluice::broker
