// SPDX-License-Identifier: Apache-2.0
// The library's types of topics from and to the generated ones, as queue_convert.h has it.
#pragma once

#include "sluice/subscriber.h"
#include "sluice/topic_spec.h"
#include "sluice/v1/topic.pb.h"

namespace sluice {
inline namespace abi1 {

v1::TopicSpec ToWire(const TopicSpec& spec);
v1::SubscribeStart ToWire(SubscribeStart start);
v1::TopicPosition ToWire(const TopicPosition& position);

TopicDescription FromWire(const v1::TopicDescription& description);
SubscriberDescription FromWire(const v1::SubscriberDescription& description);
Continuity FromWire(v1::Continuity continuity);

}  // namespace abi1
}  // namespace sluice
