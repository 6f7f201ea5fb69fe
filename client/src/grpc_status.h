// SPDX-License-Identifier: Apache-2.0
// gRPC's statuses, with the google.rpc details in their trailers, as ours.
#pragma once

#include <grpcpp/support/status.h>

#include "sluice/outcome.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

Status FromGrpc(const grpc::Status& status);

// A stream that ended with this status and without a Closed event.
StreamEnd EndOf(const grpc::Status& status);

}  // namespace abi1
}  // namespace sluice
