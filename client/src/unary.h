// SPDX-License-Identifier: Apache-2.0
// One request, one reply, as bytes or as generated classes, blocking until the deadline.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <string>

#include "sluice/deadline.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

// What a call does without a connection.
enum class Connecting { kFailFast, kWait };

// `method` is the full path: "/sluice.v1.QueueService/SendStream".
Result<grpc::ByteBuffer> UnaryCall(grpc::GenericStub& stub, const std::string& method,
                                   std::string request, Deadline deadline,
                                   Connecting connecting = Connecting::kFailFast);

Status MalformedReply(const std::string& method);

// The bytes as a buffer, without a copy.
grpc::ByteBuffer ToByteBuffer(std::string bytes);
grpc::ByteBuffer ToByteBuffer(std::shared_ptr<const std::string> bytes);

// False: these are not the bytes of such a message.
bool Parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

template <class Response>
Result<Response> UnaryCall(grpc::GenericStub& stub, const std::string& method,
                           const google::protobuf::MessageLite& request, Deadline deadline,
                           Connecting connecting = Connecting::kFailFast) {
  auto reply = UnaryCall(stub, method, request.SerializeAsString(), deadline, connecting);
  if (!reply.ok()) return reply.status();
  Response response;
  if (!Parse(*reply, response)) return MalformedReply(method);
  return response;
}

}  // namespace abi1
}  // namespace sluice
