// SPDX-License-Identifier: Apache-2.0
#include "topic_convert.h"

#include "queue_convert.h"
#include "same_number.h"

namespace sluice {
inline namespace abi1 {
namespace {

static_assert(Same(SlowPolicy::kLag, v1::SLOW_POLICY_LAG) &&
              Same(SlowPolicy::kBlock, v1::SLOW_POLICY_BLOCK) &&
              Same(SlowPolicy::kDisconnect, v1::SLOW_POLICY_DISCONNECT) && v1::SlowPolicy_MAX == 3);
static_assert(Same(TopicState::kOpen, v1::TOPIC_STATE_OPEN) &&
              Same(TopicState::kEnded, v1::TOPIC_STATE_ENDED) && v1::TopicState_MAX == 3);
static_assert(Same(SubscribeStart::kLatest, v1::SUBSCRIBE_START_LATEST) &&
              Same(SubscribeStart::kEarliest, v1::SUBSCRIBE_START_EARLIEST) &&
              Same(SubscribeStart::kPosition, v1::SUBSCRIBE_START_POSITION));
static_assert(Same(Continuity::kContinued, v1::CONTINUITY_CONTINUED) &&
              Same(Continuity::kGap, v1::CONTINUITY_GAP) &&
              Same(Continuity::kReset, v1::CONTINUITY_RESET) &&
              Same(Continuity::kFresh, v1::CONTINUITY_FRESH) && v1::Continuity_MAX == 4);

TopicSpec FromWire(const v1::TopicSpec& from) {
  TopicSpec to;
  to.capacity = from.capacity();
  to.bytes_max = from.bytes_max();
  to.message_bytes_max = from.message_bytes_max();
  to.policy = static_cast<SlowPolicy>(from.policy());
  to.block = std::chrono::milliseconds(from.block_ms());
  if (from.has_resume_window_ms()) {
    to.resume_window = std::chrono::milliseconds(from.resume_window_ms());
  }
  to.lifetime = static_cast<Lifetime>(from.lifetime());
  to.durability = static_cast<Durability>(from.durability());
  return to;
}

}  // namespace

v1::TopicSpec ToWire(const TopicSpec& spec) {
  v1::TopicSpec wire;
  wire.set_capacity(spec.capacity);
  wire.set_bytes_max(spec.bytes_max);
  wire.set_message_bytes_max(spec.message_bytes_max);
  wire.set_policy(static_cast<v1::SlowPolicy>(spec.policy));
  wire.set_block_ms(ToWireMs(spec.block));
  if (spec.resume_window) wire.set_resume_window_ms(ToWireMs(*spec.resume_window));
  wire.set_lifetime(static_cast<v1::Lifetime>(spec.lifetime));
  wire.set_durability(static_cast<v1::Durability>(spec.durability));
  return wire;
}

v1::SubscribeStart ToWire(SubscribeStart start) { return static_cast<v1::SubscribeStart>(start); }
Continuity FromWire(v1::Continuity continuity) { return static_cast<Continuity>(continuity); }

v1::TopicPosition ToWire(const TopicPosition& position) {
  v1::TopicPosition wire;
  wire.set_topic(position.topic);
  wire.set_epoch(position.epoch);
  wire.set_next_position(position.next_position);
  return wire;
}

TopicDescription FromWire(const v1::TopicDescription& from) {
  TopicDescription to;
  to.name = from.name();
  to.spec = FromWire(from.spec());
  to.epoch = from.epoch();
  to.state = static_cast<TopicState>(from.state());
  to.closed_reason = FromWire(from.closed_reason());
  to.next_position = from.next_position();
  to.oldest_position = from.oldest_position();
  to.accepted = from.accepted();
  to.overwritten = from.overwritten();
  to.depth = from.depth();
  to.no_subscribers = from.no_subscribers();
  to.refused_full = from.refused_full();
  to.refused_closed = from.refused_closed();
  to.timed_out = from.timed_out();
  to.duplicates = from.duplicates();
  to.delivered = from.delivered();
  to.missed = from.missed();
  to.retained_bytes = from.retained_bytes();
  to.waiting_publishes = from.waiting_publishes();
  to.publishers = from.publishers();
  to.subscribers = from.subscribers();
  to.stores = from.stores();
  return to;
}

SubscriberDescription FromWire(const v1::SubscriberDescription& from) {
  SubscriberDescription to;
  to.stream_id = from.stream_id();
  to.subscriber = from.subscriber();
  to.peer = from.peer();
  to.pattern = from.pattern();
  to.next_position = from.next_position();
  to.behind = from.behind();
  to.delivered = from.delivered();
  to.missed = from.missed();
  return to;
}

}  // namespace abi1
}  // namespace sluice
