// SPDX-License-Identifier: Apache-2.0
// Between the generated classes of request.proto and the broker's plain structs.
#pragma once

#include "base/result.h"
#include "broker/responder_spec.h"
#include "broker/responder_stats.h"
#include "broker/responder_worker.h"
#include "sluice/v1/request.pb.h"

namespace sluice::rpc {

broker::ResponderSpec FromWire(const v1::ResponderSpec& spec);
v1::ResponderDescription ToWire(const broker::ResponderStats& stats);
v1::WorkerDescription ToWire(const broker::WorkerStats& stats);

// Less its message, which stands apart (message_items.h). INVALID_ARGUMENT, with the call_id, for
// one that says nothing and is not the last, and for a failure beyond its bounds or with a code of
// the broker's own.
Result<broker::WorkerReply> FromWire(v1::WorkerReply& reply);

}  // namespace sluice::rpc
