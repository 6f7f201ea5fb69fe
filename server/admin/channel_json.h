// SPDX-License-Identifier: Apache-2.0
// The channels' snapshots as JSON, with the field names of the wire's descriptions. A number stays
// within JavaScript's whole numbers as long as the daemon's own counts do.
#pragma once

#include "admin/json_page.h"
#include "broker/queue_stats.h"
#include "broker/responder_stats.h"
#include "broker/topic_stats.h"

namespace sluice::admin {

Json ToJson(const broker::QueueStats& stats);
Json ToJson(const broker::TopicStats& stats);
Json ToJson(const broker::SubscriberStats& stats);
Json ToJson(const broker::ResponderStats& stats);
Json ToJson(const broker::WorkerStats& stats);

}  // namespace sluice::admin
