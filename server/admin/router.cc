// SPDX-License-Identifier: Apache-2.0
#include "admin/router.h"

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "admin/json_page.h"
#include "base/log.h"

namespace sluice::admin {
namespace {

int HttpStatus(Code code) {
  switch (code) {
    case Code::kOk:
      return 200;
    case Code::kInvalidArgument:
      return 400;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kAborted:
    case Code::kFailedPrecondition:
      return 409;
    case Code::kUnimplemented:
      return 501;
    case Code::kResourceExhausted:
    case Code::kUnavailable:
      return 503;
    case Code::kCancelled:
    case Code::kDeadlineExceeded:
    case Code::kInternal:
      return 500;
  }
  return 500;
}

}  // namespace

Response Refusal(int status, std::string_view reason, std::string_view message) {
  Json json;
  json["error"]["reason"] = reason;
  json["error"]["message"] = message;
  return JsonResponse(json, status);
}

Response Refusal(const Status& status) {
  Json json;
  json["error"]["reason"] = status.reason();
  json["error"]["message"] = status.message();
  for (const auto& [key, value] : status.details()) json["error"][key] = value;
  return JsonResponse(json, HttpStatus(status.code()));
}

void Router::Add(const std::string& path, Route route) {
  exact_.insert_or_assign(path, std::move(route));
}

void Router::AddUnder(const std::string& prefix, Route route) {
  under_.insert_or_assign(prefix, std::move(route));
}

Router::Found Router::Find(std::string_view path) const {
  if (const auto it = exact_.find(path); it != exact_.end()) return {&it->second, {}};
  for (const auto& [prefix, route] : under_) {
    if (path.size() > prefix.size() && path.starts_with(prefix)) {
      return {&route, path.substr(prefix.size())};
    }
  }
  return {};
}

std::vector<std::string> Router::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, route] : exact_) paths.push_back(path);
  for (const auto& [prefix, route] : under_) paths.push_back(prefix + "NAME");
  return paths;
}

Cost Router::CostOf(const Target& target) const {
  const Found found = Find(target.path());
  return found.route == nullptr ? Cost::kPaced : found.route->cost;
}

Response Router::Answer(const Target& target) const {
  const Found found = Find(target.path());
  if (found.route == nullptr) {
    return Refusal(404, "NOT_FOUND", "there is no such page; / lists those there are");
  }
  for (const auto& [key, value] : target.parameters()) {
    if (!found.route->parameters.contains(key)) {
      return Refusal(InvalidField(key, "this page knows no such parameter"));
    }
  }
  try {
    return found.route->handler(Request{target, found.name});
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "page_failed", "a page of the HTTP port could not be made",
        {{"what", std::string_view(error.what())}});
    return Refusal(500, "INTERNAL", "the page could not be made");
  }
}

}  // namespace sluice::admin
