// SPDX-License-Identifier: Apache-2.0
// The unary calls of RequestService.
#include "queue_convert.h"
#include "request_convert.h"
#include "sluice/client.h"
#include "transport.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

const char* const kDeclare = "/sluice.v1.RequestService/DeclareResponder";
const char* const kDescribe = "/sluice.v1.RequestService/DescribeResponder";
const char* const kList = "/sluice.v1.RequestService/ListResponders";
const char* const kClose = "/sluice.v1.RequestService/CloseResponder";
const char* const kDelete = "/sluice.v1.RequestService/DeleteResponder";
const char* const kCall = "/sluice.v1.RequestService/Call";

}  // namespace

Result<DeclareReply<ResponderDescription>> Client::DeclareResponder(const std::string& responder,
                                                                    const ResponderSpec& spec,
                                                                    Deadline deadline) {
  v1::DeclareResponderRequest request;
  request.set_responder(responder);
  *request.mutable_spec() = ToWire(spec);
  const auto reply =
      UnaryCall<v1::DeclareResponderResponse>(transport_->stub(), kDeclare, request, deadline);
  if (!reply.ok()) return reply.status();
  return DeclareReply<ResponderDescription>{FromWire(reply->description()), reply->created()};
}

Result<DescribeResponderReply> Client::DescribeResponder(const std::string& responder,
                                                         Deadline deadline, std::uint32_t page_size,
                                                         const std::string& page_token) {
  v1::DescribeResponderRequest request;
  request.set_responder(responder);
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  const auto reply =
      UnaryCall<v1::DescribeResponderResponse>(transport_->stub(), kDescribe, request, deadline);
  if (!reply.ok()) return reply.status();
  DescribeResponderReply to{FromWire(reply->description()), {}, reply->next_page_token()};
  for (const v1::WorkerDescription& worker : reply->workers()) {
    to.workers.push_back(FromWire(worker));
  }
  return to;
}

Result<ListRespondersReply> Client::ListResponders(const std::string& prefix, Deadline deadline,
                                                   std::uint32_t page_size,
                                                   const std::string& page_token) {
  v1::ListRespondersRequest request;
  request.set_prefix(prefix);
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  const auto reply =
      UnaryCall<v1::ListRespondersResponse>(transport_->stub(), kList, request, deadline);
  if (!reply.ok()) return reply.status();
  ListRespondersReply list;
  for (const v1::ResponderDescription& responder : reply->responders()) {
    list.responders.push_back(FromWire(responder));
  }
  list.next_page_token = reply->next_page_token();
  return list;
}

Status Client::CloseResponder(const std::string& responder, Deadline deadline) {
  v1::CloseResponderRequest request;
  request.set_responder(responder);
  return UnaryCall<v1::CloseResponderResponse>(transport_->stub(), kClose, request, deadline)
      .status();
}

Result<std::uint64_t> Client::DeleteResponder(const std::string& responder, Deadline deadline) {
  v1::DeleteResponderRequest request;
  request.set_responder(responder);
  const auto reply =
      UnaryCall<v1::DeleteResponderResponse>(transport_->stub(), kDelete, request, deadline);
  if (!reply.ok()) return reply.status();
  return reply->deleted();
}

Result<CallReply> Client::Call(const CallRequest& from, Deadline deadline) {
  v1::CallRequest request;
  request.set_responder(from.responder);
  *request.mutable_request() = ToWire(from.message);
  request.set_timeout_ms(ToWireMs(from.timeout));
  request.set_wait_for_responder(from.wait_for_responder);
  request.set_retry_on_responder_loss(from.retry_on_responder_loss);
  auto reply = UnaryCall<v1::CallResponse>(transport_->stub(), kCall, request, deadline);
  if (!reply.ok()) return reply.status();
  CallReply to;
  TakeReply(*reply, to);
  return to;
}

}  // namespace abi1
}  // namespace sluice
