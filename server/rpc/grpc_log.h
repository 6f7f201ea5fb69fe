// SPDX-License-Identifier: Apache-2.0
// gRPC's own log, as lines of ours.
#pragma once

namespace sluice::rpc {

// Before any other call of gRPC. Errors become warnings: a remote peer can provoke them. The rest
// is dropped.
void TakeGrpcLog();

}  // namespace sluice::rpc
