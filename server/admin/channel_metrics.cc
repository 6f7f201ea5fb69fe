// SPDX-License-Identifier: Apache-2.0
// Figures by channel. Their families are apart from those of all channels, so that no sum counts a
// message twice. Counters are not summed up for the rest: a channel that comes into the list would
// make that sum go back.
#include <algorithm>
#include <string>
#include <tuple>

#include "admin/metrics.h"

namespace sluice::admin {
namespace {

using broker::QueueStats;
using broker::ResponderStats;
using broker::TopicStats;

constexpr char kOthers[] = "_other";  // no channel's name: those begin without '_'

enum class Kind : std::uint8_t { kCounter, kSummed, kOwn };  // kOwn: a gauge that has no sum

template <class Stats>
struct Figure {
  const char* name;
  const char* help;
  Kind kind;
  double (*of)(const Stats&, const Moment&);
};

template <auto kMember, class Stats>
double Of(const Stats& stats, const Moment&) {
  return static_cast<double>(stats.*kMember);
}
template <auto kMember>
double Counted(const ResponderStats& stats, const Moment&) {
  return static_cast<double>(stats.counts.*kMember);
}

constexpr Figure<QueueStats> kQueueFigures[] = {
    {"sluice_queue_channel_accepted_total", "Messages accepted.", Kind::kCounter,
     Of<&QueueStats::accepted>},
    {"sluice_queue_channel_settled_total", "Messages acknowledged.", Kind::kCounter,
     Of<&QueueStats::settled>},
    {"sluice_queue_channel_delivered_total", "Messages handed out.", Kind::kCounter,
     Of<&QueueStats::delivered>},
    {"sluice_queue_channel_redelivered_total", "Messages handed out again.", Kind::kCounter,
     Of<&QueueStats::redelivered>},
    {"sluice_queue_channel_refused_total", "Messages refused, whatever the outcome.",
     Kind::kCounter,
     [](const QueueStats& queue, const Moment&) {
       return static_cast<double>(queue.refused_full + queue.timed_out + queue.refused_closed);
     }},
    {"sluice_queue_channel_depth", "Messages queued.", Kind::kSummed, Of<&QueueStats::depth>},
    {"sluice_queue_channel_in_flight", "Messages delivered and not settled.", Kind::kSummed,
     Of<&QueueStats::in_flight>},
    {"sluice_queue_channel_retained_bytes", "Bytes retained.", Kind::kSummed,
     Of<&QueueStats::retained_bytes>},
    {"sluice_queue_channel_consumers", "Consumers attached.", Kind::kSummed,
     Of<&QueueStats::consumers>},
    {"sluice_queue_channel_fill_ratio", "Depth by capacity or bytes by their bound.", Kind::kOwn,
     [](const QueueStats& queue, const Moment&) { return FillRatio(queue); }},
    {"sluice_queue_channel_oldest_unsettled_seconds",
     "Age of the oldest message that is not settled.", Kind::kOwn,
     [](const QueueStats& queue, const Moment& moment) {
       return moment.SecondsSince(queue.oldest_unsettled_unix_us);
     }},
};

constexpr Figure<TopicStats> kTopicFigures[] = {
    {"sluice_topic_channel_published_total", "Messages accepted.", Kind::kCounter,
     Of<&TopicStats::accepted>},
    {"sluice_topic_channel_delivered_total", "Messages handed to subscribers.", Kind::kCounter,
     Of<&TopicStats::delivered>},
    {"sluice_topic_channel_missed_total", "Messages that subscribers missed.", Kind::kCounter,
     Of<&TopicStats::missed>},
    {"sluice_topic_channel_refused_total", "Messages refused, whatever the outcome.",
     Kind::kCounter,
     [](const TopicStats& topic, const Moment&) {
       return static_cast<double>(topic.refused_full + topic.timed_out + topic.refused_closed +
                                  topic.no_subscribers);
     }},
    {"sluice_topic_channel_retained_messages", "Messages retained.", Kind::kSummed,
     Of<&TopicStats::depth>},
    {"sluice_topic_channel_retained_bytes", "Bytes retained.", Kind::kSummed,
     Of<&TopicStats::retained_bytes>},
    {"sluice_topic_channel_subscribers", "Subscribers attached.", Kind::kSummed,
     Of<&TopicStats::subscribers>},
    {"sluice_topic_channel_waiting_publishes", "Publishes that wait for a slow subscriber.",
     Kind::kSummed, Of<&TopicStats::waiting_publishes>},
    {"sluice_topic_channel_subscriber_lag_messages",
     "How many messages the slowest subscriber is behind.", Kind::kOwn, Of<&TopicStats::lag_max>},
};

constexpr Figure<ResponderStats> kRequestFigures[] = {
    {"sluice_request_channel_accepted_total", "Calls accepted.", Kind::kCounter,
     Counted<&broker::ResponderCounts::accepted>},
    {"sluice_request_channel_completed_total", "Accepted calls ended, whatever the outcome.",
     Kind::kCounter,
     [](const ResponderStats& responder, const Moment&) {
       return static_cast<double>(responder.counts.accepted - responder.depth -
                                  responder.in_flight);
     }},
    {"sluice_request_channel_refused_total", "Calls refused at once.", Kind::kCounter,
     [](const ResponderStats& responder, const Moment&) {
       const broker::ResponderCounts& counts = responder.counts;
       return static_cast<double>(counts.refused_full + counts.refused_no_responder +
                                  counts.refused_closed);
     }},
    {"sluice_request_channel_queued", "Calls that wait for a worker.", Kind::kSummed,
     Of<&ResponderStats::depth>},
    {"sluice_request_channel_in_flight", "Calls with a worker.", Kind::kSummed,
     Of<&ResponderStats::in_flight>},
    {"sluice_request_channel_workers", "Workers attached.", Kind::kSummed,
     Of<&ResponderStats::workers>},
    {"sluice_request_channel_retained_bytes", "Bytes retained.", Kind::kSummed,
     Of<&ResponderStats::retained_bytes>},
    {"sluice_request_channel_fill_ratio", "Calls queued by capacity or bytes by their bound.",
     Kind::kOwn,
     [](const ResponderStats& responder, const Moment&) { return FillRatio(responder); }},
};

std::uint64_t TrafficOf(const QueueStats& queue) { return queue.accepted + queue.delivered; }
std::uint64_t TrafficOf(const TopicStats& topic) { return topic.accepted + topic.delivered; }
std::uint64_t TrafficOf(const ResponderStats& responder) {
  return responder.counts.accepted + responder.counts.answered;
}

// Channels of one kind that are shown each for itself; and the rest.
template <class Stats>
struct Shown {
  std::vector<const Stats*> each;
  std::vector<const Stats*> others;
  bool has_others = false;  // their sum is shown, whether there are any or not
};

template <class Stats, std::size_t kSize>
void AddFigures(const Figure<Stats> (&figures)[kSize], const Shown<Stats>& shown,
                const Moment& moment, Families& out) {
  for (const Figure<Stats>& figure : figures) {
    Family family = figure.kind == Kind::kCounter ? out.Counter(figure.name, figure.help)
                                                  : out.Gauge(figure.name, figure.help);
    for (const Stats* stats : shown.each) {
      family.Add({{"channel", stats->name}}, figure.of(*stats, moment));
    }
    if (figure.kind != Kind::kSummed || !shown.has_others) continue;
    double sum = 0;
    for (const Stats* stats : shown.others) sum += figure.of(*stats, moment);
    family.Add({{"channel", kOthers}}, sum);
  }
}

// A channel of any kind in the order of traffic.
struct Place {
  std::uint64_t traffic;
  int kind;
  std::size_t index;
  bool operator<(const Place& other) const {
    return std::tuple(other.traffic, kind, index) < std::tuple(traffic, other.kind, other.index);
  }
};

template <class Channel>
void AddPlaces(const Survey<Channel>& survey, int kind, std::vector<Place>& places) {
  for (std::size_t i = 0; i < survey.named; ++i) {
    places.push_back({TrafficOf(survey.channels[i]), kind, i});
  }
}

// The first `count` places are shown; in order of name, so that the page is the same every time.
template <class Channel>
auto Divide(const Survey<Channel>& survey, int kind, const std::vector<Place>& places,
            std::size_t count) {
  Shown<typename Survey<Channel>::Stats> shown;
  shown.has_others = true;
  std::vector<bool> is_shown(survey.channels.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (places[i].kind == kind) is_shown[places[i].index] = true;
  }
  for (std::size_t i = 0; i < survey.channels.size(); ++i) {
    (is_shown[i] ? shown.each : shown.others).push_back(&survey.channels[i]);
  }
  return shown;
}

template <class Channel>
auto All(const Survey<Channel>& survey) {
  Shown<typename Survey<Channel>::Stats> shown;
  for (const auto& stats : survey.channels) shown.each.push_back(&stats);
  return shown;
}

}  // namespace

void AddBusiest(const Surveys& surveys, std::size_t count, Families& out) {
  if (count == 0) return;
  std::vector<Place> places;
  AddPlaces(surveys.queues, 0, places);
  AddPlaces(surveys.topics, 1, places);
  AddPlaces(surveys.responders, 2, places);
  count = std::min(count, places.size());
  std::partial_sort(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count),
                    places.end());
  AddFigures(kQueueFigures, Divide(surveys.queues, 0, places, count), surveys.moment, out);
  AddFigures(kTopicFigures, Divide(surveys.topics, 1, places, count), surveys.moment, out);
  AddFigures(kRequestFigures, Divide(surveys.responders, 2, places, count), surveys.moment, out);
}

void AddEach(const Surveys& surveys, Families& out) {
  AddFigures(kQueueFigures, All(surveys.queues), surveys.moment, out);
  AddFigures(kTopicFigures, All(surveys.topics), surveys.moment, out);
  AddFigures(kRequestFigures, All(surveys.responders), surveys.moment, out);
}

}  // namespace sluice::admin
