// SPDX-License-Identifier: Apache-2.0
// One request, one reply, as bytes or as generated classes, blocking until the deadline.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <string>

#include "sluice/deadline.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

// `method` is the full path: "/sluice.v1.QueueService/SendStream".
Result<grpc::ByteBuffer> UnaryCall(grpc::GenericStub& stub, const std::string& method,
                                   std::string request, Deadline deadline);

Status MalformedReply(const std::string& method);

// The bytes as a buffer, without a copy.
grpc::ByteBuffer ToByteBuffer(std::string bytes);

// False: these are not the bytes of such a message.
bool Parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

template <class Response>
Result<Response> UnaryCall(grpc::GenericStub& stub, const std::string& method,
                           const google::protobuf::MessageLite& request, Deadline deadline) {
  auto reply = UnaryCall(stub, method, request.SerializeAsString(), deadline);
  if (!reply.ok()) return reply.status();
  Response response;
  if (!Parse(*reply, response)) return MalformedReply(method);
  return response;
}

}  // namespace abi1
}  // namespace sluice
