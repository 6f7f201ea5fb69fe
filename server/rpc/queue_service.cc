// SPDX-License-Identifier: Apache-2.0
// QueueService: the methods that can be answered at once. Those that may wait are handlers of their
// own (send_handler.cc, send_stream.cc, receive_handler.cc, receive_stream.cc).
#include <algorithm>

#include "broker/name.h"
#include "rpc/convert.h"
#include "rpc/limits.h"
#include "rpc/queue_handlers.h"
#include "rpc/services.h"
#include "rpc/unary.h"
#include "wire/frame_writer.h"

namespace sluice::rpc {
namespace {

const std::string kService = "/sluice.v1.QueueService/";

Result<v1::DeclareQueueResponse> Declare(broker::Broker& broker,
                                         const v1::DeclareQueueRequest& request) {
  Result<broker::QueueSpec> spec = FromWire(request.spec());
  if (!spec) return spec.error();
  auto declared = broker.queues().Declare(request.queue(), *spec);
  if (!declared) return declared.error();
  v1::DeclareQueueResponse response;
  *response.mutable_description() = ToWire(declared->channel->Describe());
  response.set_created(declared->created);
  return response;
}

Result<v1::DescribeQueueResponse> Describe(broker::Broker& broker,
                                           const v1::DescribeQueueRequest& request) {
  Result<std::shared_ptr<broker::Queue>> queue = broker.queues().LookUp(request.queue());
  if (!queue) return queue.error();
  v1::DescribeQueueResponse response;
  *response.mutable_description() = ToWire((*queue)->Describe());
  return response;
}

// A page token is the last name of the page before: it stays good while queues come and go.
Result<v1::ListQueuesResponse> List(broker::Broker& broker, const v1::ListQueuesRequest& request) {
  if (!request.page_token().empty()) {
    if (Status token = broker::CheckName("page_token", request.page_token()); !token.ok()) {
      return token;
    }
  }
  const std::size_t page =
      request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  const auto queues = broker.queues().List(request.prefix(), request.page_token(), page + 1);
  v1::ListQueuesResponse response;
  for (std::size_t i = 0; i < std::min(page, queues.size()); ++i) {
    *response.add_queues() = ToWire(queues[i]->Describe());
  }
  if (queues.size() > page) response.set_next_page_token(queues[page - 1]->name());
  return response;
}

Result<v1::CloseQueueResponse> Close(broker::Broker& broker, const v1::CloseQueueRequest& request) {
  Result<std::shared_ptr<broker::Queue>> queue = broker.queues().LookUp(request.queue());
  if (!queue) return queue.error();
  (*queue)->Close(broker::ClosedReason::kRequested);
  return v1::CloseQueueResponse();
}

Result<v1::DeleteQueueResponse> Delete(broker::Broker& broker,
                                       const v1::DeleteQueueRequest& request) {
  Result<std::uint64_t> deleted = broker.queues().Delete(request.queue());
  if (!deleted) return deleted.error();
  v1::DeleteQueueResponse response;
  response.set_deleted(*deleted);
  return response;
}

Result<v1::PurgeQueueResponse> Purge(broker::Broker& broker, const v1::PurgeQueueRequest& request) {
  Result<std::shared_ptr<broker::Queue>> queue = broker.queues().LookUp(request.queue());
  if (!queue) return queue.error();
  v1::PurgeQueueResponse response;
  response.set_purged((*queue)->Purge());
  return response;
}

Result<v1::SettleResponse> Settle(broker::Broker& broker, const v1::SettleRequest& request) {
  Result<std::shared_ptr<broker::Queue>> queue = broker.queues().LookUp(request.queue());
  if (!queue) return queue.error();
  auto settlements = FromWire(request.settlements(), /*has_own_lease=*/false);
  if (!settlements) return settlements.error();
  std::vector<broker::SettleResult> results;
  (*queue)->Settle(*settlements, /*stream_lease=*/0, results);
  v1::SettleResponse response;
  for (const broker::SettleResult& result : results) *response.add_results() = ToWire(result);
  return response;
}

// Not a UnaryHandler: the answer carries stored bytes as they are.
class PeekHandler final : public Handler {
 public:
  PeekHandler(Call& call, broker::Broker& broker) : Handler(call), broker_(broker) {}

  void OnFrame(const grpc::ByteBuffer& frame) override {
    v1::PeekQueueRequest request;
    if (Status parsed = Parse(frame, request); !parsed.ok()) return call().Finish(parsed);
    Result<std::shared_ptr<broker::Queue>> queue = broker_.queues().LookUp(request.queue());
    if (!queue) return call().Finish(queue.error());
    broker::Delivery delivery;
    (*queue)->Peek(request.from_position(), MessagesAsked(request.max_messages()),
                   BytesAsked(request.max_bytes()), delivery);
    std::string rest;
    AppendRuns(delivery, rest);
    call().WriteAndFinish(MakeFrame(delivery, rest));
  }
  void OnHalfClose() override {
    call().Finish(UnaryHandler<v1::PeekQueueRequest, v1::PeekQueueResponse>::NoRequest());
  }

 private:
  broker::Broker& broker_;
};

template <class Request, class Response>
void AddAnswer(const Services& services, MethodTable& methods, const char* verb,
               bool is_served_while_draining,
               Result<Response> (*answer)(broker::Broker&, const Request&)) {
  AddUnary<Request, Response>(methods, kService + verb, is_served_while_draining,
                              [&services, answer](const Request& request, Call&) {
                                return answer(services.broker, request);
                              });
}

template <class H>
void AddHandler(const Services& services, MethodTable& methods, const char* verb, bool is_stream,
                bool is_served_while_draining) {
  methods.Add(kService + verb,
              {.make = [&services](Call& call) { return std::make_unique<H>(call, services); },
               .is_stream = is_stream,
               .is_served_while_draining = is_served_while_draining});
}

}  // namespace

std::uint32_t MessagesAsked(std::uint32_t asked) {
  return asked == 0 ? 1 : std::min(asked, kFrameMessagesMax);
}

std::uint64_t BytesAsked(std::uint64_t asked) {
  return asked == 0 ? broker::kDeliveryBytesMax : std::min(asked, kUnaryDeliveryBytesMax);
}

void AppendRuns(const broker::Delivery& delivery, std::string& frame) {
  for (const broker::Run& run : delivery.runs) {
    wire::AppendRun(frame, {.first_position = run.first_position,
                            .count = run.count,
                            .accepted_unix_us = run.accepted_unix_us,
                            .attempts = run.attempts,
                            .failures = run.failures});
  }
}

void AddQueueService(const Services& services, MethodTable& methods) {
  AddAnswer(services, methods, "DeclareQueue", false, Declare);
  AddAnswer(services, methods, "DescribeQueue", true, Describe);
  AddAnswer(services, methods, "ListQueues", true, List);
  AddAnswer(services, methods, "CloseQueue", true, Close);
  AddAnswer(services, methods, "DeleteQueue", true, Delete);
  AddAnswer(services, methods, "PurgeQueue", true, Purge);
  AddAnswer(services, methods, "Settle", true, Settle);
  methods.Add(
      kService + "PeekQueue",
      {.make =
           [&services](Call& call) { return std::make_unique<PeekHandler>(call, services.broker); },
       .is_stream = false,
       .is_served_while_draining = true});
  AddHandler<SendHandler>(services, methods, "Send", false, false);
  AddHandler<SendStreamHandler>(services, methods, "SendStream", true, false);
  AddHandler<ReceiveHandler>(services, methods, "Receive", false, true);
  AddHandler<ReceiveStreamHandler>(services, methods, "ReceiveStream", true, false);
}

}  // namespace sluice::rpc
