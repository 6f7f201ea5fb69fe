// SPDX-License-Identifier: Apache-2.0
#include "unary.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <memory>
#include <utility>

#include "grpc_status.h"
#include "grpc_time.h"

namespace sluice {
inline namespace abi1 {

grpc::ByteBuffer ToByteBuffer(std::string bytes) {
  return ToByteBuffer(std::make_shared<const std::string>(std::move(bytes)));
}

grpc::ByteBuffer ToByteBuffer(std::shared_ptr<const std::string> bytes) {
  using Shared = std::shared_ptr<const std::string>;
  const auto held = new Shared(std::move(bytes));
  // gRPC calls the deleter with the last reference, also where it copied a short slice, and only
  // reads the bytes.
  const grpc::Slice slice(
      const_cast<char*>((*held)->data()), (*held)->size(),
      [](void* shared) { delete static_cast<Shared*>(shared); }, held);
  return grpc::ByteBuffer(&slice, 1);
}

bool Parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  grpc::ProtoBufferReader reader(&bytes);
  return reader.status().ok() && message.ParseFromZeroCopyStream(&reader);
}

Status MalformedReply(const std::string& method) {
  return Status(Code::kInternal, "MALFORMED_REPLY", "the reply of " + method + " cannot be read",
                {{"method", method}});
}

Result<grpc::ByteBuffer> UnaryCall(grpc::GenericStub& stub, const std::string& method,
                                   std::string request, Deadline deadline, Connecting connecting) {
  grpc::ClientContext context;
  context.set_deadline(ToGrpc(deadline));
  context.set_wait_for_ready(connecting == Connecting::kWait);
  grpc::CompletionQueue queue;
  const grpc::ByteBuffer outgoing = ToByteBuffer(std::move(request));
  grpc::ByteBuffer incoming;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, method, outgoing, &queue);
  call->StartCall();
  call->Finish(&incoming, &status, &queue);
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }  // Of one tag; the deadline brings it at the latest.
  if (!status.ok()) return FromGrpc(status);
  return incoming;
}

}  // namespace abi1
}  // namespace sluice
