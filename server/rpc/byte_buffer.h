// SPDX-License-Identifier: Apache-2.0
// Between gRPC's byte buffers and our bytes.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/delivery.h"

namespace sluice::rpc {

// One request frame as contiguous bytes: a view of the buffer itself when it is one piece, else
// copied into `scratch`. Valid while both live.
class FlatFrame {
 public:
  FlatFrame(const grpc::ByteBuffer& buffer, std::string& scratch);
  std::string_view bytes() const noexcept { return bytes_; }

 private:
  grpc::Slice slice_;
  std::string_view bytes_;
};

// INVALID_ARGUMENT: reason MALFORMED, or OUT_OF_BOUNDS for a frame over kRequestFrameBytesMax.
Status Parse(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message);

// INVALID_ARGUMENT, reason MALFORMED: the bytes are not such a message.
Status MalformedRequest(const google::protobuf::MessageLite& message);

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message);

// The records of a delivery by reference, then `rest`: the other fields of the frame, encoded.
grpc::ByteBuffer MakeFrame(const broker::Delivery& delivery, std::string_view rest);

}  // namespace sluice::rpc
