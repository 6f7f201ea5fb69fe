// SPDX-License-Identifier: Apache-2.0
// Every page of the HTTP port. Each Add puts its own into the router; `sources` outlives it.
#pragma once

#include "admin/router.h"
#include "admin/sources.h"

namespace sluice::admin {

struct HttpLimits;

// /healthz and /readyz: 200 "ok", or 503 and why not, in one line of text.
void AddHealthPages(const Sources& sources, Router& router);
// /api/v1/queues, topics and responders: a list, and one by its name.
void AddChannelViews(const Sources& sources, Router& router);
// /api/v1/config: the keys without their values, and one by its name.
void AddConfigViews(const Sources& sources, Router& router);
// /api/v1/streams, sessions, connections, limits and info.
void AddServerViews(const Sources& sources, const HttpLimits& limits, Router& router);
// All of these, /metrics, and / which lists them.
void AddPages(const Sources& sources, const HttpLimits& limits, Router& router);

}  // namespace sluice::admin
