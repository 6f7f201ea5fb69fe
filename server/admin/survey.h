// SPDX-License-Identifier: Apache-2.0
// Every channel as it is now, and what those that have gone counted: the sums over all of it never
// go back from one survey to the next, and each channel's figures are of one instant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "broker/broker.h"

namespace sluice::admin {

// When the page is made.
struct Moment {
  TimePoint now;
  std::uint64_t unix_us = 0;

  // Seconds since; the wall clock may have been set back.
  double SecondsSince(std::uint64_t then_unix_us) const {
    return then_unix_us == 0 || unix_us < then_unix_us
               ? 0
               : static_cast<double>(unix_us - then_unix_us) / 1e6;
  }
  double SecondsSince(TimePoint then) const {
    return then == kNever || now < then ? 0 : std::chrono::duration<double>(now - then).count();
  }
};

inline const broker::QueueCounts& CountsOf(const broker::QueueStats& stats) { return stats; }
inline const broker::TopicCounts& CountsOf(const broker::TopicStats& stats) { return stats; }
inline const broker::ResponderCounts& CountsOf(const broker::ResponderStats& stats) {
  return stats.counts;
}

template <class Channel>
struct Survey {
  using Stats = decltype(std::declval<const Channel&>().Describe());
  std::vector<Stats> channels;  // those with a name first, in its order
  std::size_t named = 0;
  typename Channel::Counts counts;  // of all that ever were
};

template <class Channel>
Survey<Channel> SurveyOf(broker::Registry<Channel>& registry) {
  const broker::Census<Channel> census = registry.TakeCensus();
  Survey<Channel> survey;
  survey.counts = census.gone;
  survey.named = census.named.size();
  survey.channels.reserve(census.named.size() + census.leaving.size());
  for (const auto* list : {&census.named, &census.leaving}) {
    for (const auto& channel : *list) {
      survey.channels.push_back(channel->Describe());
      survey.counts += CountsOf(survey.channels.back());
    }
  }
  return survey;
}

struct Surveys {
  Moment moment;
  Survey<broker::Queue> queues;
  Survey<broker::Topic> topics;
  Survey<broker::Responder> responders;
};

// Of the bound, 0 for none: how much of it is used.
inline double Ratio(std::uint64_t used, std::uint64_t bound) {
  return bound == 0 ? 0 : static_cast<double>(used) / static_cast<double>(bound);
}
inline double FillRatio(const broker::QueueStats& queue) {
  return std::max(Ratio(queue.depth, queue.spec.capacity),
                  Ratio(queue.retained_bytes, queue.spec.bytes_max));
}
inline double FillRatio(const broker::ResponderStats& responder) {
  return std::max(Ratio(responder.depth, responder.spec.capacity),
                  Ratio(responder.retained_bytes, responder.spec.bytes_max));
}

}  // namespace sluice::admin
