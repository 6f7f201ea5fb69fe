// SPDX-License-Identifier: Apache-2.0
// Sums of counts, for channels that are gone and for all together.
#include "broker/queue_stats.h"
#include "broker/responder_stats.h"
#include "broker/topic_stats.h"

namespace sluice::broker {

QueueCounts& QueueCounts::operator+=(const QueueCounts& other) {
  accepted += other.accepted;
  settled += other.settled;
  purged += other.purged;
  deleted += other.deleted;
  delivered += other.delivered;
  redelivered += other.redelivered;
  failures += other.failures;
  lease_expiries += other.lease_expiries;
  stale_settlements += other.stale_settlements;
  duplicates += other.duplicates;
  refused_full += other.refused_full;
  refused_closed += other.refused_closed;
  timed_out += other.timed_out;
  abandoned += other.abandoned;
  waited_sends += other.waited_sends;
  receives_ok += other.receives_ok;
  receives_empty += other.receives_empty;
  receives_closed += other.receives_closed;
  refused_memory += other.refused_memory;
  return *this;
}

TopicCounts& TopicCounts::operator+=(const TopicCounts& other) {
  accepted += other.accepted;
  overwritten += other.overwritten;
  deleted += other.deleted;
  no_subscribers += other.no_subscribers;
  refused_full += other.refused_full;
  refused_closed += other.refused_closed;
  timed_out += other.timed_out;
  abandoned += other.abandoned;
  duplicates += other.duplicates;
  delivered += other.delivered;
  missed += other.missed;
  lags += other.lags;
  evicted += other.evicted;
  waited_publishes += other.waited_publishes;
  refused_memory += other.refused_memory;
  return *this;
}

ResponderCounts& ResponderCounts::operator+=(const ResponderCounts& other) {
  accepted += other.accepted;
  answered += other.answered;
  failed += other.failed;
  responder_gone += other.responder_gone;
  no_responder += other.no_responder;
  too_large += other.too_large;
  timed_out += other.timed_out;
  cancelled += other.cancelled;
  closed += other.closed;
  refused_full += other.refused_full;
  refused_no_responder += other.refused_no_responder;
  refused_closed += other.refused_closed;
  redelivered += other.redelivered;
  late_replies += other.late_replies;
  refused_memory += other.refused_memory;
  return *this;
}

}  // namespace sluice::broker
