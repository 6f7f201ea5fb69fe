// SPDX-License-Identifier: Apache-2.0
// Between the wire's generated classes for topics and the broker's plain structs.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <optional>

#include "base/result.h"
#include "broker/topic_spec.h"
#include "broker/topic_stats.h"
#include "broker/topic_subscription.h"
#include "sluice/v1/topic.pb.h"

namespace sluice::rpc {

// INVALID_ARGUMENT for an enum value that this version does not know.
Result<broker::TopicSpec> FromWire(const v1::TopicSpec& spec);
// Absent: none.
Result<std::optional<broker::TopicSpec>> SpecOf(bool is_present, const v1::TopicSpec& spec);
v1::TopicDescription ToWire(const broker::TopicStats& stats);
v1::SubscriberDescription ToWire(const broker::SubscriberStats& stats);

// What the request says of the subscriber; who it is at the other end is the caller's to fill in.
Result<broker::SubscriptionOptions> FromWire(const v1::SubscribeRequest& request);
grpc::ByteBuffer ToFrame(const broker::SubscriptionFrame& frame);

}  // namespace sluice::rpc
