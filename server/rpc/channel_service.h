// SPDX-License-Identifier: Apache-2.0
// What the services of named channels have in common: pages of names, closing, deleting, and adding
// methods to the table.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "broker/name.h"
#include "broker/registry.h"
#include "rpc/limits.h"
#include "rpc/services.h"
#include "rpc/unary.h"

namespace sluice::rpc {

inline std::size_t PageSize(std::uint32_t asked) {
  return asked == 0 ? kPageSizeDefault : std::min(asked, kPageSizeMax);
}

// Calls `add(channel)` for each of a page, in order of name. Returns the token of the next page;
// empty: there is none. A token is the last name of the page before: it stays good while channels
// come and go. INVALID_ARGUMENT for one that is no name.
template <class Channel, class Request, class Add>
Result<std::string> ListPage(const broker::Registry<Channel>& channels, const Request& request,
                             Add add) {
  const std::string& token = request.page_token();
  if (!token.empty()) {
    if (Status name = broker::CheckName("page_token", token); !name.ok()) return name;
  }
  const std::size_t page = PageSize(request.page_size());
  const auto list = channels.List(request.prefix(), token, page + 1);
  for (std::size_t i = 0; i < std::min(page, list.size()); ++i) add(*list[i]);
  return list.size() > page ? list[page - 1]->name() : std::string();
}

template <class Response, class Channel>
Result<Response> CloseChannel(const broker::Registry<Channel>& channels, const std::string& name) {
  Result<std::shared_ptr<Channel>> channel = channels.LookUp(name);
  if (!channel) return channel.error();
  (*channel)->Close(broker::ClosedReason::kRequested);
  return Response();
}

template <class Response, class Channel>
Result<Response> DeleteChannel(broker::Registry<Channel>& channels, const std::string& name) {
  Result<std::uint64_t> deleted = channels.Delete(name);
  if (!deleted) return deleted.error();
  Response response;
  response.set_deleted(*deleted);
  return response;
}

// `name` as on the wire: "/sluice.v1.QueueService/CloseQueue".
template <class Request, class Response>
void AddAnswer(const Services& services, MethodTable& methods, std::string name,
               bool is_served_while_draining,
               Result<Response> (*answer)(broker::Broker&, const Request&)) {
  AddUnary<Request, Response>(methods, std::move(name), is_served_while_draining,
                              [&services, answer](const Request& request, Call&) {
                                return answer(services.broker, request);
                              });
}

// `H` is made of a call and the services.
template <class H>
void AddHandler(const Services& services, MethodTable& methods, std::string name, bool is_stream,
                bool is_served_while_draining) {
  methods.Add(std::move(name),
              {.make = [&services](Call& call) { return std::make_unique<H>(call, services); },
               .is_stream = is_stream,
               .is_served_while_draining = is_served_while_draining});
}

}  // namespace sluice::rpc
