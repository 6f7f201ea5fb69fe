// SPDX-License-Identifier: Apache-2.0
// Frames of RequestService that carry messages, written by hand around the bytes of their senders.
#pragma once

#include <string>

#include "base/clock.h"
#include "broker/responder_call.h"
#include "broker/responder_worker.h"

namespace sluice::rpc {

// Whole frames.
std::string EncodeCallResponse(const broker::CallReply& reply);
std::string EncodeCallPartsResponse(const broker::CallReply& reply);
// One `replies` field of a CallStreamResponse.
void AppendCallReply(const broker::CallReply& reply, std::string& frame);
// One `assignments` field of a ServeResponse; of the call's time what is left at `now`.
void AppendAssignment(const broker::Assignment& assignment, TimePoint now, std::string& frame);

}  // namespace sluice::rpc
