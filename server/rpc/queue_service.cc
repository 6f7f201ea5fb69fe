// SPDX-License-Identifier: Apache-2.0
// QueueService: the methods that can be answered at once. Those that may wait are handlers of their
// own (send_handlers.h, queue_handlers.h).
#include <algorithm>

#include "rpc/byte_buffer.h"
#include "rpc/channel_service.h"
#include "rpc/convert.h"
#include "rpc/limits.h"
#include "rpc/queue_handlers.h"
#include "rpc/send_handlers.h"
#include "rpc/services.h"
#include "rpc/unary.h"

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

Result<v1::ListQueuesResponse> List(broker::Broker& broker, const v1::ListQueuesRequest& request) {
  v1::ListQueuesResponse response;
  Result<std::string> next =
      ListPage(broker.queues(), request, [&response](const broker::Queue& queue) {
        *response.add_queues() = ToWire(queue.Describe());
      });
  if (!next) return next.error();
  response.set_next_page_token(*next);
  return response;
}

Result<v1::CloseQueueResponse> Close(broker::Broker& broker, const v1::CloseQueueRequest& request) {
  return CloseChannel<v1::CloseQueueResponse>(broker.queues(), request.queue());
}

Result<v1::DeleteQueueResponse> Delete(broker::Broker& broker,
                                       const v1::DeleteQueueRequest& request) {
  return DeleteChannel<v1::DeleteQueueResponse>(broker.queues(), request.queue());
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

}  // namespace

std::uint32_t MessagesAsked(std::uint32_t asked) {
  return asked == 0 ? 1 : std::min(asked, kFrameMessagesMax);
}

std::uint64_t BytesAsked(std::uint64_t asked) {
  return asked == 0 ? broker::kDeliveryBytesMax : std::min(asked, kUnaryDeliveryBytesMax);
}

void AddQueueService(const Services& services, MethodTable& methods) {
  AddAnswer(services, methods, kService + "DeclareQueue", false, Declare);
  AddAnswer(services, methods, kService + "DescribeQueue", true, Describe);
  AddAnswer(services, methods, kService + "ListQueues", true, List);
  AddAnswer(services, methods, kService + "CloseQueue", true, Close);
  AddAnswer(services, methods, kService + "DeleteQueue", true, Delete);
  AddAnswer(services, methods, kService + "PurgeQueue", true, Purge);
  AddAnswer(services, methods, kService + "Settle", true, Settle);
  methods.Add(
      kService + "PeekQueue",
      {.make =
           [&services](Call& call) { return std::make_unique<PeekHandler>(call, services.broker); },
       .is_stream = false,
       .is_served_while_draining = true});
  AddHandler<SendHandler<QueueKind>>(services, methods, kService + "Send", false, false);
  AddHandler<SendStreamHandler<QueueKind>>(services, methods, kService + "SendStream", true, false);
  AddHandler<ReceiveHandler>(services, methods, kService + "Receive", false, true);
  AddHandler<ReceiveStreamHandler>(services, methods, kService + "ReceiveStream", true, false);
}

}  // namespace sluice::rpc
