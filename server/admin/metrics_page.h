// SPDX-License-Identifier: Apache-2.0
// /metrics: the whole daemon as Prometheus reads it, in text format 0.0.4.
//
// Bounded     without a query, in size: whatever the number of channels, those with most traffic
// are
//             shown, and the others' sums. With one, it is the figures by channel alone, of those
//             named.
// Conserved   what the equations of docs/operations.md say holds exactly among the values of a
// page. Cost        a lock of each channel for a moment, one after the other.
#pragma once

#include <cstddef>
#include <string>

#include "admin/router.h"
#include "admin/sources.h"
#include "admin/target.h"
#include "base/result.h"

namespace sluice::admin {

inline constexpr std::size_t kMetricsChannelsMax = 1'000;  // shown each for itself

// At most one of them is given.
struct MetricsQuery {
  std::string channel;  // of this name, of every kind
  std::string prefix;   // whose names begin so
};

// Of channel=NAME or prefix=TEXT. INVALID_ARGUMENT: both, or what cannot begin a name.
Result<MetricsQuery> MetricsQueryOf(const Target& target);

// NOT_FOUND: no channel has the name. INVALID_ARGUMENT, reason OUT_OF_BOUNDS: more than
// kMetricsChannelsMax channels begin so.
Result<std::string> MetricsPage(const Sources& sources, const MetricsQuery& query);

void AddMetricsPage(const Sources& sources, Router& router);

}  // namespace sluice::admin
