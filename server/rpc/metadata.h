// SPDX-License-Identifier: Apache-2.0
// How much metadata a call came with.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <cstdint>

namespace sluice::rpc {

// As HTTP/2 counts a header list (RFC 9113, 10.5.1): each field's name and value as they travel,
// and 32 bytes. What gRPC reads and keeps for itself (te, content-type, grpc-timeout ...) is left
// out.
std::uint64_t MetadataBytes(const grpc::GenericServerContext& context);

}  // namespace sluice::rpc
