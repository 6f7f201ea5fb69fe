// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "admin/metrics.h"

namespace sluice::admin {
namespace {

using broker::ResponderCounts;
using broker::ResponderStats;

constexpr CounterOf<ResponderCounts> kCounters[] = {
    {"sluice_request_accepted_total", "Calls accepted.", &ResponderCounts::accepted},
    {"sluice_request_redelivered_total", "Calls handed to a further worker.",
     &ResponderCounts::redelivered},
    {"sluice_request_late_replies_total", "Replies that found their caller gone.",
     &ResponderCounts::late_replies},
};

constexpr LabelledOf<ResponderCounts> kCompleted[] = {
    {"OK", &ResponderCounts::answered},
    {"FAILED", &ResponderCounts::failed},
    {"RESPONDER_GONE", &ResponderCounts::responder_gone},
    {"NO_RESPONDER", &ResponderCounts::no_responder},
    {"REPLY_TOO_LARGE", &ResponderCounts::too_large},
    {"TIMED_OUT", &ResponderCounts::timed_out},
    {"CANCELLED", &ResponderCounts::cancelled},
    {"CLOSED", &ResponderCounts::closed},
};

constexpr LabelledOf<ResponderCounts> kRefused[] = {
    {"FULL", &ResponderCounts::refused_full},
    {"NO_RESPONDER", &ResponderCounts::refused_no_responder},
    {"CLOSED", &ResponderCounts::refused_closed},
};

template <auto kMember>
double Of(const ResponderStats& stats) {
  return static_cast<double>(stats.*kMember);
}

constexpr GaugeOf<ResponderStats> kSums[] = {
    {"sluice_request_queued", "Calls that wait for a worker.", Of<&ResponderStats::depth>},
    {"sluice_request_in_flight", "Calls with a worker.", Of<&ResponderStats::in_flight>},
    {"sluice_request_workers", "Workers attached.", Of<&ResponderStats::workers>},
    {"sluice_request_retained_bytes", "Bytes retained by calls.",
     Of<&ResponderStats::retained_bytes>},
    {"sluice_request_capacity", "Capacities in calls, summed up.",
     [](const ResponderStats& responder) { return static_cast<double>(responder.spec.capacity); }},
    {"sluice_request_capacity_bytes", "Capacities in bytes, summed up.",
     [](const ResponderStats& responder) { return static_cast<double>(responder.spec.bytes_max); }},
};

}  // namespace

void AddRequestMetrics(const Survey<broker::Responder>& responders, Families& out) {
  out.Gauge("sluice_request_responders", "Responders.").Add(responders.named);
  AddCounters(kCounters, responders.counts, out);
  AddLabelled(kCompleted, "outcome", responders.counts,
              out.Counter("sluice_request_completed_total", "Accepted calls ended, by outcome."));
  AddLabelled(kRefused, "outcome", responders.counts,
              out.Counter("sluice_request_refused_total", "Calls refused at once, by outcome."));
  AddSums(kSums, responders.channels, out);
  double fullest = 0;
  for (const ResponderStats& responder : responders.channels) {
    fullest = std::max(fullest, FillRatio(responder));
  }
  out.Gauge("sluice_request_fill_ratio_max",
            "The fullest responder: calls queued by capacity or bytes by their bound.")
      .Add(fullest);
}

}  // namespace sluice::admin
