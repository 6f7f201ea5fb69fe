// SPDX-License-Identifier: Apache-2.0
// The library's plain types from and to the generated ones. Enums have the same numbers on both
// sides, which queue_convert.cc asserts; a number that this library does not know is kept.
#pragma once

#include <chrono>
#include <cstdint>

#include "sluice/queue_spec.h"
#include "sluice/receiver.h"
#include "sluice/sending_end.h"
#include "sluice/settlement.h"
#include "sluice/v1/message.pb.h"
#include "sluice/v1/queue.pb.h"

namespace sluice {
inline namespace abi1 {

v1::QueueSpec ToWire(const QueueSpec& spec);
v1::SendMode ToWire(SendMode mode);
v1::Credit ToWire(const Credit& credit);
v1::AttachMode ToWire(AttachMode mode);
v1::Settlement ToWire(const Settlement& settlement);
// A duration as a field of 32 bits: negative ones are 0, those too long the longest.
std::uint32_t ToWireMs(std::chrono::milliseconds duration);

ClosedReason FromWire(v1::ClosedReason reason);
Outcome FromWire(v1::Outcome outcome);
SendOutcome FromWire(const v1::Ack& ack);
SenderOpened FromWire(const v1::SendOpened& opened);
Attachment FromWire(const v1::Attached& attached);
SettleResult FromWire(const v1::SettleResult& result);
QueueDescription FromWire(const v1::QueueDescription& description);

}  // namespace abi1
}  // namespace sluice
