// SPDX-License-Identifier: Apache-2.0
// The unary calls of QueueService.
#include <utility>

#include "batch_reader.h"
#include "batch_send.h"
#include "queue_convert.h"
#include "sluice/client.h"
#include "transport.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

const char* const kDeclare = "/sluice.v1.QueueService/DeclareQueue";
const char* const kDescribe = "/sluice.v1.QueueService/DescribeQueue";
const char* const kList = "/sluice.v1.QueueService/ListQueues";
const char* const kClose = "/sluice.v1.QueueService/CloseQueue";
const char* const kDelete = "/sluice.v1.QueueService/DeleteQueue";
const char* const kPurge = "/sluice.v1.QueueService/PurgeQueue";
const char* const kPeek = "/sluice.v1.QueueService/PeekQueue";
const char* const kSend = "/sluice.v1.QueueService/Send";
const char* const kReceive = "/sluice.v1.QueueService/Receive";
const char* const kSettle = "/sluice.v1.QueueService/Settle";

// `Response` without the messages and runs, which go into `batch`.
template <class Response>
Result<Response> BatchCall(grpc::GenericStub& stub, const char* method,
                           const google::protobuf::MessageLite& request, Batch& batch,
                           Deadline deadline) {
  auto reply = UnaryCall(stub, method, request.SerializeAsString(), deadline);
  if (!reply.ok()) return reply.status();
  Response response;
  std::string other;
  if (!BatchReader::Read(*reply, batch, other) || !response.ParseFromString(other)) {
    return MalformedReply(method);
  }
  return response;
}

}  // namespace

Result<DeclareReply<QueueDescription>> Client::DeclareQueue(const std::string& queue,
                                                            const QueueSpec& spec,
                                                            Deadline deadline) {
  v1::DeclareQueueRequest request;
  request.set_queue(queue);
  *request.mutable_spec() = ToWire(spec);
  const auto reply =
      UnaryCall<v1::DeclareQueueResponse>(transport_->stub(), kDeclare, request, deadline);
  if (!reply.ok()) return reply.status();
  return DeclareReply<QueueDescription>{FromWire(reply->description()), reply->created()};
}

Result<QueueDescription> Client::DescribeQueue(const std::string& queue, Deadline deadline) {
  v1::DescribeQueueRequest request;
  request.set_queue(queue);
  const auto reply =
      UnaryCall<v1::DescribeQueueResponse>(transport_->stub(), kDescribe, request, deadline);
  if (!reply.ok()) return reply.status();
  return FromWire(reply->description());
}

Result<ListQueuesReply> Client::ListQueues(const std::string& prefix, Deadline deadline,
                                           std::uint32_t page_size, const std::string& page_token) {
  v1::ListQueuesRequest request;
  request.set_prefix(prefix);
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  const auto reply =
      UnaryCall<v1::ListQueuesResponse>(transport_->stub(), kList, request, deadline);
  if (!reply.ok()) return reply.status();
  ListQueuesReply list;
  for (const v1::QueueDescription& queue : reply->queues()) list.queues.push_back(FromWire(queue));
  list.next_page_token = reply->next_page_token();
  return list;
}

Status Client::CloseQueue(const std::string& queue, Deadline deadline) {
  v1::CloseQueueRequest request;
  request.set_queue(queue);
  return UnaryCall<v1::CloseQueueResponse>(transport_->stub(), kClose, request, deadline).status();
}

Result<std::uint64_t> Client::DeleteQueue(const std::string& queue, Deadline deadline) {
  v1::DeleteQueueRequest request;
  request.set_queue(queue);
  const auto reply =
      UnaryCall<v1::DeleteQueueResponse>(transport_->stub(), kDelete, request, deadline);
  if (!reply.ok()) return reply.status();
  return reply->deleted();
}

Result<std::uint64_t> Client::PurgeQueue(const std::string& queue, Deadline deadline) {
  v1::PurgeQueueRequest request;
  request.set_queue(queue);
  const auto reply =
      UnaryCall<v1::PurgeQueueResponse>(transport_->stub(), kPurge, request, deadline);
  if (!reply.ok()) return reply.status();
  return reply->purged();
}

Result<Batch> Client::PeekQueue(const std::string& queue, std::uint64_t from_position,
                                std::uint32_t max_messages, Deadline deadline) {
  v1::PeekQueueRequest request;
  request.set_queue(queue);
  request.set_from_position(from_position);
  request.set_max_messages(max_messages);
  Batch batch;
  const auto reply =
      BatchCall<v1::PeekQueueResponse>(transport_->stub(), kPeek, request, batch, deadline);
  if (!reply.ok()) return reply.status();
  return batch;
}

Result<SendReply> Client::Send(const SendRequest& from, Deadline deadline) {
  v1::SendRequest request;
  request.set_queue(from.queue);
  if (from.spec) *request.mutable_spec() = ToWire(*from.spec);
  return SendBatch<v1::SendResponse>(transport_->stub(), kSend, from, request, deadline);
}

Result<ReceiveReply> Client::Receive(const ReceiveRequest& from, Deadline deadline) {
  v1::ReceiveRequest request;
  request.set_queue(from.queue);
  request.set_consumer(from.consumer);
  request.set_max_messages(from.max_messages);
  request.set_max_bytes(from.max_bytes);
  request.set_wait_ms(ToWireMs(from.wait));
  request.set_lease_ms(ToWireMs(from.lease_time));
  request.set_session_id(from.session_id);
  ReceiveReply to;
  const auto reply =
      BatchCall<v1::ReceiveResponse>(transport_->stub(), kReceive, request, to.batch, deadline);
  if (!reply.ok()) return reply.status();
  to.outcome = FromWire(reply->outcome());
  to.lease = reply->lease();
  to.lease_time = std::chrono::milliseconds(reply->lease_ms());
  to.epoch = reply->epoch();
  to.reason = FromWire(reply->reason());
  return to;
}

Result<std::vector<SettleResult>> Client::Settle(const std::string& queue,
                                                 const std::vector<Settlement>& settlements,
                                                 Deadline deadline) {
  v1::SettleRequest request;
  request.set_queue(queue);
  for (const Settlement& settlement : settlements) *request.add_settlements() = ToWire(settlement);
  const auto reply = UnaryCall<v1::SettleResponse>(transport_->stub(), kSettle, request, deadline);
  if (!reply.ok()) return reply.status();
  std::vector<SettleResult> results;
  for (const v1::SettleResult& result : reply->results()) results.push_back(FromWire(result));
  return results;
}

}  // namespace abi1
}  // namespace sluice
