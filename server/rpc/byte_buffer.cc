// SPDX-License-Identifier: Apache-2.0
#include "rpc/byte_buffer.h"

#include <grpcpp/support/slice.h>

#include <vector>

#include "rpc/limits.h"

namespace sluice::rpc {
namespace {

std::string_view View(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

// A reference to stored bytes, for as long as the transport needs them.
grpc::Slice Reference(const broker::BytesSlice& part) {
  auto* keep = new broker::Bytes(part.bytes);
  // gRPC's slices are not const, and it does not write to those it sends.
  auto* begin = const_cast<char*>(part.bytes->data()) + part.offset;
  return grpc::Slice(
      begin, part.size, [](void* bytes) { delete static_cast<broker::Bytes*>(bytes); }, keep);
}

}  // namespace

FlatFrame::FlatFrame(const grpc::ByteBuffer& buffer, std::string& scratch) {
  if (buffer.TrySingleSlice(&slice_).ok()) {
    bytes_ = View(slice_);
    return;
  }
  scratch.clear();
  scratch.reserve(buffer.Length());
  std::vector<grpc::Slice> slices;
  // An empty message has no slices and leaves nothing to view.
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) scratch.append(View(slice));
  }
  bytes_ = scratch;
}

Status Parse(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message) {
  if (buffer.Length() > kRequestFrameBytesMax) {
    return OutOfBounds("frame", "the most bytes of one request frame", kRequestFrameBytesMax,
                       buffer.Length());
  }
  std::string scratch;
  const FlatFrame frame(buffer, scratch);
  if (message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) {
    return Status();
  }
  return MalformedRequest(message);
}

Status MalformedRequest(const google::protobuf::MessageLite& message) {
  return Status(Code::kInvalidArgument, "MALFORMED",
                "the request is not a valid " + message.GetTypeName())
      .With("field", "frame");
}

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  const std::string bytes = message.SerializeAsString();
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer MakeFrame(const broker::Delivery& delivery, std::string_view rest) {
  std::vector<grpc::Slice> slices;
  slices.reserve(delivery.slices.size() + 1);
  for (const broker::BytesSlice& part : delivery.slices) slices.push_back(Reference(part));
  if (!rest.empty() || slices.empty()) slices.emplace_back(rest.data(), rest.size());
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace sluice::rpc
