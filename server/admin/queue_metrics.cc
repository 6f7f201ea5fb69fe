// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "admin/metrics.h"

namespace sluice::admin {
namespace {

using broker::QueueCounts;
using broker::QueueStats;

constexpr CounterOf<QueueCounts> kCounters[] = {
    {"sluice_queue_accepted_total", "Messages accepted.", &QueueCounts::accepted},
    {"sluice_queue_settled_total", "Messages acknowledged.", &QueueCounts::settled},
    {"sluice_queue_purged_total", "Messages removed by a purge.", &QueueCounts::purged},
    {"sluice_queue_deleted_total", "Messages destroyed with their queue.", &QueueCounts::deleted},
    {"sluice_queue_delivered_total", "Messages handed out, all attempts.", &QueueCounts::delivered},
    {"sluice_queue_redelivered_total", "Messages handed out again.", &QueueCounts::redelivered},
    {"sluice_queue_failures_total", "Messages nacked, expired, or lost with their consumer.",
     &QueueCounts::failures},
    {"sluice_queue_lease_expiries_total", "Messages whose lease ran out; part of the failures.",
     &QueueCounts::lease_expiries},
    {"sluice_queue_stale_settlements_total",
     "Messages settled too late, or by who did not hold them.", &QueueCounts::stale_settlements},
    {"sluice_queue_duplicates_total", "Messages sent again and recognised.",
     &QueueCounts::duplicates},
    {"sluice_queue_abandoned_total",
     "Messages never accepted because their sender went while they waited.",
     &QueueCounts::abandoned},
    {"sluice_queue_waited_sends_total", "Sends that had to wait for room.",
     &QueueCounts::waited_sends},
};

constexpr LabelledOf<QueueCounts> kRefused[] = {
    {"FULL", &QueueCounts::refused_full},
    {"TIMED_OUT", &QueueCounts::timed_out},
    {"CLOSED", &QueueCounts::refused_closed},
};

constexpr LabelledOf<QueueCounts> kReceives[] = {
    {"OK", &QueueCounts::receives_ok},
    {"EMPTY", &QueueCounts::receives_empty},
    {"CLOSED", &QueueCounts::receives_closed},
};

template <auto kMember>
double Of(const QueueStats& stats) {
  return static_cast<double>(stats.*kMember);
}

constexpr GaugeOf<QueueStats> kSums[] = {
    {"sluice_queue_depth", "Messages queued, delayed ones and those that came back included.",
     Of<&QueueStats::depth>},
    {"sluice_queue_in_flight", "Messages delivered and not settled.", Of<&QueueStats::in_flight>},
    {"sluice_queue_delayed", "Messages that wait for their delay; part of the depth.",
     Of<&QueueStats::delayed>},
    {"sluice_queue_returned", "Messages that came back and are ready; part of the depth.",
     Of<&QueueStats::come_back>},
    {"sluice_queue_waiting_sends", "Sends that wait for room.", Of<&QueueStats::waiting_sends>},
    {"sluice_queue_waiting_receives", "Unary receives that wait for a message.",
     Of<&QueueStats::waiting_receives>},
    {"sluice_queue_producers", "Producers attached, streams and sessions.",
     Of<&QueueStats::producers>},
    {"sluice_queue_consumers", "Consumers attached.", Of<&QueueStats::consumers>},
    {"sluice_queue_standby_consumers", "Consumers in line for a seat.", Of<&QueueStats::standby>},
    {"sluice_queue_leases", "Open leases.", Of<&QueueStats::leases>},
    {"sluice_queue_retained_bytes", "Bytes retained by queues.", Of<&QueueStats::retained_bytes>},
    {"sluice_queue_capacity", "Capacities in messages, summed up.",
     [](const QueueStats& queue) { return static_cast<double>(queue.spec.capacity); }},
    {"sluice_queue_capacity_bytes", "Capacities in bytes, summed up.",
     [](const QueueStats& queue) { return static_cast<double>(queue.spec.bytes_max); }},
};

}  // namespace

void AddQueueMetrics(const Survey<broker::Queue>& queues, const Moment& moment, Families& out) {
  out.Gauge("sluice_queues", "Queues.").Add(queues.named);
  AddCounters(kCounters, queues.counts, out);
  AddLabelled(kRefused, "outcome", queues.counts,
              out.Counter("sluice_queue_refused_total", "Messages refused, by outcome."));
  AddLabelled(kReceives, "outcome", queues.counts,
              out.Counter("sluice_queue_receives_total", "Unary receives ended, by outcome."));
  AddSums(kSums, queues.channels, out);
  std::uint64_t full = 0;
  double fullest = 0, oldest = 0, longest = 0;
  for (const QueueStats& queue : queues.channels) {
    if (queue.state == broker::QueueState::kOpen && queue.free_slots == 0) ++full;
    fullest = std::max(fullest, FillRatio(queue));
    oldest = std::max(oldest, moment.SecondsSince(queue.oldest_unsettled_unix_us));
    longest = std::max(longest, moment.SecondsSince(queue.waiting_since));
  }
  out.Gauge("sluice_queues_full", "Open queues without a free slot.").Add(full);
  out.Gauge("sluice_queue_fill_ratio_max",
            "The fullest queue: depth by capacity or bytes by their bound, whichever is more.")
      .Add(fullest);
  out.Gauge("sluice_queue_oldest_unsettled_seconds_max",
            "Age of the oldest message that is not settled, of all queues; 0: there is none.")
      .Add(oldest);
  out.Gauge("sluice_queue_oldest_wait_seconds_max",
            "How long the first send in a line has waited for room; 0: none waits.")
      .Add(longest);
}

}  // namespace sluice::admin
