// SPDX-License-Identifier: Apache-2.0
// The plain types of request/reply from and to the generated ones. Enums have the same numbers on
// both sides, which request_convert.cc asserts; a number that this library does not know is kept.
#pragma once

#include "sluice/call.h"
#include "sluice/responder_spec.h"
#include "sluice/v1/message.pb.h"
#include "sluice/v1/request.pb.h"

namespace sluice {
inline namespace abi1 {

v1::Message ToWire(const Message& message);
// Takes the strings out of `message`.
OwnedMessage TakeFromWire(v1::Message& message);

v1::ResponderSpec ToWire(const ResponderSpec& spec);
ResponderDescription FromWire(const v1::ResponderDescription& description);
WorkerDescription FromWire(const v1::WorkerDescription& description);

// Takes the message out of a CallResponse, CallReply or CallPartsResponse: `reply` but for `last`.
template <class Wire>
void TakeReply(Wire& from, CallReply& to);

}  // namespace abi1
}  // namespace sluice
