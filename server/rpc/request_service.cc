// SPDX-License-Identifier: Apache-2.0
// RequestService: the methods that can be answered at once. Those that wait or stream are handlers
// of their own (request_handlers.h).
#include <algorithm>
#include <charconv>

#include "rpc/channel_service.h"
#include "rpc/request_convert.h"
#include "rpc/request_handlers.h"

namespace sluice::rpc {
namespace {

Result<v1::DeclareResponderResponse> Declare(broker::Broker& broker,
                                             const v1::DeclareResponderRequest& request) {
  auto declared = broker.responders().Declare(request.responder(), FromWire(request.spec()));
  if (!declared) return declared.error();
  v1::DeclareResponderResponse response;
  *response.mutable_description() = ToWire(declared->channel->Describe());
  response.set_created(declared->created);
  return response;
}

// A page token is the fence of the last worker shown: fences rise with attachment.
Result<v1::DescribeResponderResponse> Describe(broker::Broker& broker,
                                               const v1::DescribeResponderRequest& request) {
  std::uint64_t after = 0;
  const std::string& token = request.page_token();
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), after);
  if (!token.empty() && (error != std::errc() || end != token.data() + token.size())) {
    return InvalidField("page_token", "it is not one that was given out");
  }
  auto responder = broker.responders().LookUp(request.responder());
  if (!responder) return responder.error();
  const std::size_t page = PageSize(request.page_size());
  const broker::ResponderView view = (*responder)->Look(after, page + 1);
  v1::DescribeResponderResponse response;
  *response.mutable_description() = ToWire(view.stats);
  for (std::size_t i = 0; i < std::min(page, view.workers.size()); ++i) {
    *response.add_workers() = ToWire(view.workers[i]);
  }
  if (view.workers.size() > page) {
    response.set_next_page_token(std::to_string(view.workers[page - 1].fence));
  }
  return response;
}

Result<v1::ListRespondersResponse> List(broker::Broker& broker,
                                        const v1::ListRespondersRequest& request) {
  v1::ListRespondersResponse response;
  auto next = ListPage(broker.responders(), request, [&](const broker::Responder& responder) {
    *response.add_responders() = ToWire(responder.Describe());
  });
  if (!next) return next.error();
  response.set_next_page_token(*next);
  return response;
}

Result<v1::CloseResponderResponse> Close(broker::Broker& broker,
                                         const v1::CloseResponderRequest& request) {
  return CloseChannel<v1::CloseResponderResponse>(broker.responders(), request.responder());
}

Result<v1::DeleteResponderResponse> Delete(broker::Broker& broker,
                                           const v1::DeleteResponderRequest& request) {
  return DeleteChannel<v1::DeleteResponderResponse>(broker.responders(), request.responder());
}

}  // namespace

void AddRequestService(const Services& services, MethodTable& methods) {
  const std::string service = "/sluice.v1.RequestService/";
  AddAnswer(services, methods, service + "DeclareResponder", false, Declare);
  AddAnswer(services, methods, service + "DescribeResponder", true, Describe);
  AddAnswer(services, methods, service + "ListResponders", true, List);
  AddAnswer(services, methods, service + "CloseResponder", true, Close);
  AddAnswer(services, methods, service + "DeleteResponder", true, Delete);
  AddHandler<CallHandler>(services, methods, service + "Call", false, false);
  AddHandler<CallPartsHandler>(services, methods, service + "CallParts", true, false);
  AddHandler<CallStreamHandler>(services, methods, service + "CallStream", true, false);
  AddHandler<ServeHandler>(services, methods, service + "Serve", true, false);
}

}  // namespace sluice::rpc
