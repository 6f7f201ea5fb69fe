// SPDX-License-Identifier: Apache-2.0
#include "rpc/topic_convert.h"

#include <string>
#include <utility>
#include <vector>

#include "rpc/byte_buffer.h"
#include "rpc/convert.h"

namespace sluice::rpc {
namespace {

static_assert(SameNumber(broker::Outcome::kNoSubscribers, v1::OUTCOME_NO_SUBSCRIBERS));
static_assert(SameNumber(broker::Outcome::kAbsent, v1::OUTCOME_ABSENT));
static_assert(SameNumber(broker::ClosedReason::kLagged, v1::CLOSED_REASON_LAGGED));
static_assert(SameNumber(broker::SlowPolicy::kLag, v1::SLOW_POLICY_LAG));
static_assert(SameNumber(broker::SlowPolicy::kBlock, v1::SLOW_POLICY_BLOCK));
static_assert(SameNumber(broker::SlowPolicy::kDisconnect, v1::SLOW_POLICY_DISCONNECT));
static_assert(v1::SlowPolicy_MAX == v1::SLOW_POLICY_DISCONNECT);
static_assert(SameNumber(broker::Continuity::kContinued, v1::CONTINUITY_CONTINUED));
static_assert(SameNumber(broker::Continuity::kGap, v1::CONTINUITY_GAP));
static_assert(SameNumber(broker::Continuity::kReset, v1::CONTINUITY_RESET));
static_assert(SameNumber(broker::Continuity::kFresh, v1::CONTINUITY_FRESH));

v1::TopicState ToWire(broker::TopicState state) {
  switch (state) {
    case broker::TopicState::kOpen:
      return v1::TOPIC_STATE_OPEN;
    case broker::TopicState::kClosed:
      return v1::TOPIC_STATE_CLOSED;
    case broker::TopicState::kEnded:
      return v1::TOPIC_STATE_ENDED;
  }
  return v1::TOPIC_STATE_UNSPECIFIED;
}

}  // namespace

Result<broker::TopicSpec> FromWire(const v1::TopicSpec& spec) {
  if (!v1::SlowPolicy_IsValid(spec.policy())) return UnknownValue("spec.policy", spec.policy());
  if (!v1::Lifetime_IsValid(spec.lifetime())) return UnknownValue("spec.lifetime", spec.lifetime());
  if (!v1::Durability_IsValid(spec.durability())) {
    return UnknownValue("spec.durability", spec.durability());
  }
  broker::TopicSpec out;
  out.capacity = spec.capacity();
  out.bytes_max = spec.bytes_max();
  out.message_bytes_max = spec.message_bytes_max();
  out.policy = static_cast<broker::SlowPolicy>(spec.policy());
  out.block_ms = spec.block_ms();
  if (spec.has_resume_window_ms()) out.resume_window_ms = spec.resume_window_ms();
  out.lifetime = static_cast<broker::Lifetime>(spec.lifetime());
  out.durability = static_cast<broker::Durability>(spec.durability());
  return out;
}

Result<std::optional<broker::TopicSpec>> SpecOf(bool is_present, const v1::TopicSpec& spec) {
  if (!is_present) return std::optional<broker::TopicSpec>();
  Result<broker::TopicSpec> parsed = FromWire(spec);
  if (!parsed) return parsed.error();
  return std::optional<broker::TopicSpec>(*parsed);
}

v1::TopicDescription ToWire(const broker::TopicStats& s) {
  v1::TopicDescription out;
  out.set_name(s.name);
  v1::TopicSpec& spec = *out.mutable_spec();
  spec.set_capacity(s.spec.capacity);
  spec.set_bytes_max(s.spec.bytes_max);
  spec.set_message_bytes_max(s.spec.message_bytes_max);
  spec.set_policy(static_cast<v1::SlowPolicy>(s.spec.policy));
  spec.set_block_ms(s.spec.block_ms);
  spec.set_resume_window_ms(s.spec.resume_window_ms.value_or(0));
  spec.set_lifetime(static_cast<v1::Lifetime>(s.spec.lifetime));
  spec.set_durability(static_cast<v1::Durability>(s.spec.durability));
  out.set_epoch(s.epoch);
  out.set_state(ToWire(s.state));
  out.set_closed_reason(ToWire(s.closed_reason));
  out.set_next_position(s.next_position);
  out.set_oldest_position(s.oldest_position);
  out.set_accepted(s.accepted);
  out.set_overwritten(s.overwritten);
  out.set_depth(s.depth);
  out.set_no_subscribers(s.no_subscribers);
  out.set_refused_full(s.refused_full);
  out.set_refused_closed(s.refused_closed);
  out.set_timed_out(s.timed_out);
  out.set_duplicates(s.duplicates);
  out.set_delivered(s.delivered);
  out.set_missed(s.missed);
  out.set_retained_bytes(s.retained_bytes);
  out.set_waiting_publishes(s.waiting_publishes);
  out.set_publishers(s.publishers);
  out.set_subscribers(s.subscribers);
  out.set_stores(s.stores);
  return out;
}

v1::SubscriberDescription ToWire(const broker::SubscriberStats& s) {
  v1::SubscriberDescription out;
  out.set_stream_id(s.stream_id);
  out.set_subscriber(s.subscriber);
  out.set_peer(s.peer);
  out.set_pattern(s.pattern);
  out.set_next_position(s.next_position);
  out.set_behind(s.behind);
  out.set_delivered(s.delivered);
  out.set_missed(s.missed);
  return out;
}

Result<broker::SubscriptionOptions> FromWire(const v1::SubscribeRequest& request) {
  broker::SubscriptionOptions out;
  out.topic = request.topic();
  out.pattern = request.pattern();
  switch (request.start()) {
    case v1::SUBSCRIBE_START_UNSPECIFIED:
    case v1::SUBSCRIBE_START_LATEST:
      out.from = broker::SubscribeFrom::kLatest;
      break;
    case v1::SUBSCRIBE_START_EARLIEST:
      out.from = broker::SubscribeFrom::kEarliest;
      break;
    case v1::SUBSCRIBE_START_POSITION:
      out.from = broker::SubscribeFrom::kPosition;
      break;
    default:
      return UnknownValue("start", request.start());
  }
  out.start_position = request.start_position();
  out.start_epoch = request.start_epoch();
  out.end_on_lag = request.end_on_lag();
  out.subscriber = request.subscriber();
  if (!request.has_resume()) return out;
  std::vector<broker::TopicPosition>& resume = out.resume.emplace();
  for (const v1::TopicPosition& known : request.resume().topics()) {
    resume.push_back({known.topic(), known.epoch(), known.next_position()});
  }
  return out;
}

grpc::ByteBuffer ToFrame(const broker::SubscriptionFrame& frame) {
  using Event = broker::SubscriptionFrame::Event;
  v1::SubscribeResponse event;
  switch (frame.event) {
    case Event::kNone:
      break;
    case Event::kSubscribed: {
      v1::Subscribed& subscribed = *event.mutable_subscribed();
      subscribed.set_topic_ref(frame.topic_ref);
      subscribed.set_topic(frame.topic);
      subscribed.set_epoch(frame.announced.epoch);
      subscribed.set_next_position(frame.announced.next_position);
      subscribed.set_continuity(static_cast<v1::Continuity>(frame.announced.continuity));
      subscribed.set_missed(frame.announced.missed);
      break;
    }
    case Event::kReady:
      event.mutable_ready()->set_topics(frame.topics);
      break;
    case Event::kLagged:
      event.mutable_lagged()->set_missed(frame.taken.missed);
      event.mutable_lagged()->set_next_position(frame.taken.next_position);
      break;
    case Event::kClosed:
      event.mutable_closed()->set_reason(ToWire(frame.reason));
      event.mutable_closed()->set_topic_ref(frame.topic_ref);
      break;
  }
  event.set_topic_ref(frame.topic_ref);
  std::string rest;
  AppendRuns(frame.taken.delivery, rest);
  event.AppendToString(&rest);
  return MakeFrame(frame.taken.delivery, rest);
}

}  // namespace sluice::rpc
