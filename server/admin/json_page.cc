// SPDX-License-Identifier: Apache-2.0
#include "admin/json_page.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "rpc/limits.h"

namespace sluice::admin {

Response JsonResponse(const Json& json, int status) {
  Response response;
  response.status = status;
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return response;
}

Result<Page> PageOf(const Target& target) {
  Page page;
  page.prefix = target.Text("prefix");
  page.token = target.Text("page_token");
  const Result<std::uint64_t> count =
      target.Number("page_size", rpc::kPageSizeDefault, 1, rpc::kPageSizeMax);
  if (!count) return count.error();
  page.count = *count;
  return page;
}

Result<std::uint64_t> NumberedToken(const Target& target) {
  return target.Number("page_token", 0, 0, std::numeric_limits<std::uint64_t>::max());
}

}  // namespace sluice::admin
