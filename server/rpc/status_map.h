// SPDX-License-Identifier: Apache-2.0
// Status -> grpc::Status: the only such table. Every fault carries google.rpc.ErrorInfo (reason,
// domain "sluice", details), and RetryInfo where trying again helps.
#pragma once

#include <grpcpp/support/status.h>

#include "base/status.h"

namespace sluice::rpc {

grpc::Status ToGrpc(const Status& status);

}  // namespace sluice::rpc
