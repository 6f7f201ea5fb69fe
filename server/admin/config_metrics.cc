// SPDX-License-Identifier: Apache-2.0
// Config keys and sessions.
#include "admin/metrics.h"

namespace sluice::admin {
namespace {

using broker::ConfigCounts;
using broker::SessionStats;

constexpr CounterOf<ConfigCounts> kCounters[] = {
    {"sluice_config_keys_created_total", "Keys that came to be.", &ConfigCounts::keys_created},
    {"sluice_config_keys_deleted_total", "Keys deleted, by call or with their session.",
     &ConfigCounts::keys_deleted},
    {"sluice_config_delivered_total", "Entries handed to watchers.", &ConfigCounts::delivered},
    {"sluice_config_coalesced_total",
     "Changes that a watcher was not told because a later one of the key replaced them.",
     &ConfigCounts::coalesced},
    {"sluice_config_evicted_total", "Watchers ended because they fell behind the deletes.",
     &ConfigCounts::evicted},
};

constexpr LabelledOf<ConfigCounts> kSets[] = {
    {"OK", &ConfigCounts::sets},
    {"CONFLICT", &ConfigCounts::set_conflicts},
    {"NO_SUBSCRIBERS", &ConfigCounts::set_unwatched},
};

constexpr LabelledOf<ConfigCounts> kDeletes[] = {
    {"OK", &ConfigCounts::deletes},
    {"CONFLICT", &ConfigCounts::delete_conflicts},
    {"ABSENT", &ConfigCounts::delete_absent},
};

constexpr LabelledOf<ConfigCounts> kWaits[] = {
    {"OK", &ConfigCounts::waits_ok},
    {"TIMED_OUT", &ConfigCounts::waits_timed_out},
    {"CLOSED", &ConfigCounts::waits_closed},
};

constexpr CounterOf<SessionStats> kSessions[] = {
    {"sluice_sessions_opened_total", "Sessions opened.", &SessionStats::opened},
    {"sluice_sessions_resumed_total", "Sessions taken up again by their id.",
     &SessionStats::resumed},
    {"sluice_sessions_ended_total", "Sessions ended.", &SessionStats::ended},
    {"sluice_sessions_expired_total",
     "Sessions that ended because nobody took them up; part of those ended.",
     &SessionStats::expired},
};

}  // namespace

void AddConfigMetrics(const broker::ConfigStats& stats, Families& out) {
  out.Gauge("sluice_config_keys", "Config keys.").Add(stats.keys);
  out.Gauge("sluice_config_ephemeral_keys", "Config keys tied to a session.")
      .Add(stats.ephemeral_keys);
  out.Gauge("sluice_config_tombstones", "Deleted keys that are remembered.").Add(stats.tombstones);
  out.Gauge("sluice_config_watchers", "Watch streams.").Add(stats.watchers);
  out.Gauge("sluice_config_waiting_gets", "Gets that wait for a value.").Add(stats.waiting_gets);
  out.Gauge("sluice_config_retained_bytes", "Bytes retained by keys.").Add(stats.retained_bytes);
  out.Gauge("sluice_config_revision", "Revision of the last change.").Add(stats.revision);
  AddCounters(kCounters, stats.counts, out);
  AddLabelled(kSets, "outcome", stats.counts,
              out.Counter("sluice_config_sets_total", "Sets, by outcome."));
  AddLabelled(kDeletes, "outcome", stats.counts,
              out.Counter("sluice_config_deletes_total", "Calls to delete, by outcome."));
  AddLabelled(kWaits, "outcome", stats.counts,
              out.Counter("sluice_config_waits_total", "Waits for a value ended, by outcome."));
}

void AddSessionMetrics(const SessionStats& stats, std::uint32_t sessions_max, Families& out) {
  out.Gauge("sluice_sessions", "Sessions kept.").Add(stats.kept);
  out.Gauge("sluice_sessions_lingering", "Sessions whose stream was lost; part of those kept.")
      .Add(stats.lingering);
  out.Gauge("sluice_sessions_max", "The most sessions.").Add(sessions_max);
  AddCounters(kSessions, stats, out);
}

}  // namespace sluice::admin
