// SPDX-License-Identifier: Apache-2.0
#include "admin/pages.h"

#include <nlohmann/json.hpp>

#include "admin/json_page.h"
#include "admin/metrics_page.h"

namespace sluice::admin {

void AddPages(const Sources& sources, const HttpLimits& limits, Router& router) {
  AddHealthPages(sources, router);
  AddMetricsPage(sources, router);
  AddChannelViews(sources, router);
  AddConfigViews(sources, router);
  AddServerViews(sources, limits, router);
  router.Add("/", {.handler =
                       [&router](const Request&) {
                         Json json;
                         json["pages"] = router.paths();
                         return JsonResponse(json);
                       },
                   .parameters = {}});
}

}  // namespace sluice::admin
