// SPDX-License-Identifier: Apache-2.0
// JSON answers, and lists of them by page: ?prefix=&page_size=&page_token=, as the wire's lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "admin/router.h"
#include "base/result.h"

namespace sluice::admin {

// In the order in which its fields were set.
using Json = nlohmann::ordered_json;

// One object and a line end. Bytes that are not UTF-8 become U+FFFD.
Response JsonResponse(const Json& json, int status = 200);

struct Page {
  std::string prefix;     // of names
  std::string token;      // as given out by the page before; empty: the first
  std::size_t count = 0;  // of a page
};

// INVALID_ARGUMENT, naming the parameter.
Result<Page> PageOf(const Target& target);
// The token as a number, where that is what is given out; 0 without one. INVALID_ARGUMENT.
Result<std::uint64_t> NumberedToken(const Target& target);

}  // namespace sluice::admin
