// SPDX-License-Identifier: Apache-2.0
// What /metrics shows, by area. Each adds whole families; together no name twice.
#pragma once

#include "admin/families.h"
#include "admin/sources.h"
#include "admin/survey.h"

namespace sluice::admin {

// Calls by method (RED), refusals, streams, workers, connections.
void AddRpcMetrics(const Sources& sources, const Moment& moment, Families& out);
void AddConnectionMetrics(const Sources& sources, Families& out);
// What all channels share: places, memory, ages of deliveries, whether the sums agree.
void AddSharedMetrics(const Sources& sources, const Surveys& surveys, Families& out);
void AddQueueMetrics(const Survey<broker::Queue>& queues, const Moment& moment, Families& out);
void AddTopicMetrics(const Survey<broker::Topic>& topics, std::size_t patterns,
                     const Moment& moment, Families& out);
void AddRequestMetrics(const Survey<broker::Responder>& responders, Families& out);
void AddConfigMetrics(const broker::ConfigStats& stats, Families& out);
void AddSessionMetrics(const broker::SessionStats& stats, std::uint32_t sessions_max,
                       Families& out);
// The process, the build, the log, the HTTP port, health.
void AddProcessMetrics(const Sources& sources, Families& out);

// --- by channel ---
// The `count` with most traffic of all kinds, and what the others come to.
void AddBusiest(const Surveys& surveys, std::size_t count, Families& out);
// Those in the surveys.
void AddEach(const Surveys& surveys, Families& out);

}  // namespace sluice::admin
