// SPDX-License-Identifier: Apache-2.0
// From what a request asks for to who answers it. Knows nothing of sockets: a request that comes
// here is a well-formed GET.
//
// Threads    filled before the port starts, and then only read. Handlers run on the port's thread,
//            one at a time; one that takes long delays other pages and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "admin/target.h"
#include "base/status.h"

namespace sluice::admin {

struct Request {
  const Target& target;
  std::string_view name;  // behind the prefix of its route; empty for an exact one
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

using Handler = std::function<Response(const Request&)>;

// How much a page costs.
enum class Cost : std::uint8_t {
  kPaced,   // may be large: the port spends a bounded part of its time on such
  kUrgent,  // constant and small; answered at once, however busy the port is
};

struct Route {
  Handler handler;
  std::set<std::string> parameters;  // the keys it knows: another is answered with 400
  Cost cost = Cost::kPaced;
};

class Router {
 public:
  // "/metrics": this path alone.
  void Add(const std::string& path, Route route);
  // "/api/v1/queues/": whatever begins so and goes on; what it goes on with is the name.
  void AddUnder(const std::string& prefix, Route route);

  // Every path, those with a name behind them as "/.../NAME".
  std::vector<std::string> paths() const;
  // kUrgent only if its route says so.
  Cost CostOf(const Target& target) const;
  // 404 for what has no route, 400 for a parameter that its route does not know, 500 when the
  // handler throws.
  Response Answer(const Target& target) const;

 private:
  struct Found {
    const Route* route = nullptr;
    std::string_view name;
  };
  Found Find(std::string_view path) const;

  std::map<std::string, Route, std::less<>> exact_;
  std::map<std::string, Route, std::less<>> under_;
};

// {"error":{"reason":...,"message":...,details...}} with the HTTP status of the code.
Response Refusal(const Status& status);
Response Refusal(int status, std::string_view reason, std::string_view message);

}  // namespace sluice::admin
