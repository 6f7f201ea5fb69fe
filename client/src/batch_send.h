// SPDX-License-Identifier: Apache-2.0
// The unary Send of queues and Publish of topics: requests and replies have the same fields beside
// the channel's name and spec.
#pragma once

#include <grpcpp/generic/generic_stub.h>

#include <string>

#include "queue_convert.h"
#include "send_buffer.h"
#include "sluice/queue_calls.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {

// `request` has the name and the spec already.
template <class Response, class From, class Request>
Result<SendReply> SendBatch(grpc::GenericStub& stub, const char* method, const From& from,
                            Request& request, Deadline deadline) {
  request.set_first_sequence(from.first_sequence);
  request.set_atomic(from.atomic);
  request.set_mode(ToWire(from.mode));
  request.set_wait_ms(ToWireMs(from.wait));
  request.set_producer_id(from.producer_id);
  request.set_session_id(from.session_id);
  std::string bytes;
  for (const Message& message : from.messages) bytes += SendBuffer::Encode(message);
  request.AppendToString(&bytes);
  auto reply = UnaryCall(stub, method, std::move(bytes), deadline);
  if (!reply.ok()) return reply.status();
  Response response;
  if (!Parse(*reply, response)) return MalformedReply(method);
  SendReply to{response.epoch(), response.capacity(), {}};
  for (const v1::Ack& ack : response.acks()) to.outcomes.push_back(FromWire(ack));
  return to;
}

}  // namespace abi1
}  // namespace sluice
