// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "admin/pages.h"

namespace sluice::admin {
namespace {

Route HealthPage(const std::function<std::string()>& why_not) {
  const auto answer = [&why_not](const Request&) {
    const std::string why = why_not();
    return Response{why.empty() ? 200 : 503, "text/plain; charset=utf-8",
                    why.empty() ? "ok\n" : why + "\n"};
  };
  return {.handler = answer, .parameters = {}, .cost = Cost::kUrgent};
}

}  // namespace

void AddHealthPages(const Sources& sources, Router& router) {
  router.Add("/healthz", HealthPage(sources.why_not_alive));
  router.Add("/readyz", HealthPage(sources.why_not_ready));
}

}  // namespace sluice::admin
