// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "admin/metrics.h"

namespace sluice::admin {
namespace {

using broker::TopicCounts;
using broker::TopicStats;

constexpr CounterOf<TopicCounts> kCounters[] = {
    {"sluice_topic_published_total", "Messages accepted.", &TopicCounts::accepted},
    {"sluice_topic_deleted_total", "Messages destroyed with their topic.", &TopicCounts::deleted},
    {"sluice_topic_delivered_total", "Messages handed to subscribers; each of them counts.",
     &TopicCounts::delivered},
    {"sluice_topic_missed_total",
     "Messages overwritten before a subscriber had them; each of them counts.",
     &TopicCounts::missed},
    {"sluice_topic_lags_total", "Times that a subscriber was told of messages it missed.",
     &TopicCounts::lags},
    {"sluice_topic_evicted_total", "Subscribers that were ended because they lagged.",
     &TopicCounts::evicted},
    {"sluice_topic_duplicates_total", "Messages published again and recognised.",
     &TopicCounts::duplicates},
    {"sluice_topic_abandoned_total",
     "Messages never accepted because their publisher went while they waited.",
     &TopicCounts::abandoned},
    {"sluice_topic_waited_publishes_total", "Publishes that had to wait for a slow subscriber.",
     &TopicCounts::waited_publishes},
};

constexpr LabelledOf<TopicCounts> kRefused[] = {
    {"FULL", &TopicCounts::refused_full},
    {"TIMED_OUT", &TopicCounts::timed_out},
    {"CLOSED", &TopicCounts::refused_closed},
    {"NO_SUBSCRIBERS", &TopicCounts::no_subscribers},
};

template <auto kMember>
double Of(const TopicStats& stats) {
  return static_cast<double>(stats.*kMember);
}

constexpr GaugeOf<TopicStats> kSums[] = {
    {"sluice_topic_retained_messages", "Messages retained by topics.", Of<&TopicStats::depth>},
    {"sluice_topic_waiting_publishes", "Publishes that wait for a slow subscriber.",
     Of<&TopicStats::waiting_publishes>},
    {"sluice_topic_publishers", "Publishers attached, streams and sessions.",
     Of<&TopicStats::publishers>},
    {"sluice_topic_subscribers", "Subscribers attached; by pattern, once for each topic.",
     Of<&TopicStats::subscribers>},
    {"sluice_topic_retained_bytes", "Bytes retained by topics.", Of<&TopicStats::retained_bytes>},
    {"sluice_topic_capacity", "Capacities in messages, summed up.",
     [](const TopicStats& topic) { return static_cast<double>(topic.spec.capacity); }},
    {"sluice_topic_capacity_bytes", "Capacities in bytes, summed up.",
     [](const TopicStats& topic) { return static_cast<double>(topic.spec.bytes_max); }},
};

}  // namespace

void AddTopicMetrics(const Survey<broker::Topic>& topics, std::size_t patterns,
                     const Moment& moment, Families& out) {
  out.Gauge("sluice_topics", "Topics.").Add(topics.named);
  out.Gauge("sluice_topic_patterns", "Subscriptions by pattern.").Add(patterns);
  AddCounters(kCounters, topics.counts, out);
  out.Counter("sluice_topic_overwritten_total", "Messages that made room for newer ones.")
      .Add(topics.counts.overwritten - topics.counts.deleted);
  AddLabelled(kRefused, "outcome", topics.counts,
              out.Counter("sluice_topic_refused_total", "Messages refused, by outcome."));
  AddSums(kSums, topics.channels, out);
  std::uint64_t lag = 0;
  double lag_ratio = 0, longest = 0;
  for (const TopicStats& topic : topics.channels) {
    lag = std::max(lag, topic.lag_max);
    lag_ratio = std::max(lag_ratio, Ratio(topic.lag_max, topic.spec.capacity));
    longest = std::max(longest, moment.SecondsSince(topic.waiting_since));
  }
  out.Gauge("sluice_topic_subscriber_lag_messages_max",
            "How many messages the slowest subscriber is behind.")
      .Add(lag);
  out.Gauge("sluice_topic_subscriber_lag_ratio_max",
            "The same by the topic's capacity, the largest: from 1 on the ring is against it.")
      .Add(lag_ratio);
  out.Gauge("sluice_topic_oldest_wait_seconds_max",
            "How long the first publish in a line has waited; 0: none waits.")
      .Add(longest);
}

}  // namespace sluice::admin
