// SPDX-License-Identifier: Apache-2.0
#include "subscribing_stream.h"

#include <utility>

#include "batch_reader.h"
#include "queue_convert.h"
#include "stream_status.h"
#include "topic_convert.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.TopicService/Subscribe";

PersistentStream::Settings SettingsOf(const SubscriberOptions& options) {
  return {kMethod, PersistentStream::Shape::kServerStreaming, options.reconnect, options.on_state};
}

// What says neither a message nor that one is missing.
bool IsNoNews(const SubscriberEvent& event) {
  if (event.kind == SubscriberEvent::Kind::kTopicClosed) return true;
  return event.kind == SubscriberEvent::Kind::kSubscribed &&
         (event.continuity == Continuity::kFresh || event.continuity == Continuity::kContinued);
}

}  // namespace

SubscribingStream::SubscribingStream(std::shared_ptr<Transport> transport,
                                     SubscriberOptions options)
    : TakingStream(std::move(transport), SettingsOf(options), options.buffered_bytes_max),
      options_(std::move(options)) {}

std::string SubscribingStream::OpenFrame() {
  v1::SubscribeRequest request;
  request.set_topic(options_.topic);
  request.set_pattern(options_.pattern);
  request.set_start(ToWire(options_.start));
  request.set_start_position(options_.start_position);
  request.set_start_epoch(options_.start_epoch);
  if (options_.spec) *request.mutable_spec() = ToWire(*options_.spec);
  request.set_end_on_lag(options_.end_on_lag);
  request.set_subscriber(options_.subscriber);
  refs_.clear();
  if (was_ready_) {
    v1::SubscribeResume& resume = *request.mutable_resume();
    std::lock_guard lock(mutex_);
    for (const auto& [name, position] : topics_) *resume.add_topics() = ToWire(position);
  } else if (options_.resume) {
    v1::SubscribeResume& resume = *request.mutable_resume();
    for (const TopicPosition& position : *options_.resume) *resume.add_topics() = ToWire(position);
  }
  return request.SerializeAsString();
}

StreamCall::Reading SubscribingStream::OnFrame(grpc::ByteBuffer& frame) {
  const std::size_t bytes = frame.Length();
  Batch batch;
  {
    std::lock_guard lock(mutex_);
    batch = std::move(spare_.batch);
  }
  v1::SubscribeResponse response;
  if (!BatchReader::Read(frame, batch, other_) || !response.ParseFromString(other_)) {
    Fail(MalformedReply(kMethod));
    return Reading::kContinue;
  }
  reading_ = Reading::kContinue;
  if (response.has_subscribed()) OnSubscribed(response.subscribed(), bytes);
  if (response.has_lagged()) OnLagged(response, bytes);
  if (response.has_closed()) OnClosed(response.closed(), bytes);
  if (response.has_ready()) {
    was_ready_ = true;
    Accept();
  }
  if (!batch.empty()) OnMessages(response.topic_ref(), std::move(batch));
  return reading_;
}

TopicPosition* SubscribingStream::TopicOf(std::uint32_t topic_ref) {
  const auto named = refs_.find(topic_ref);
  if (named == refs_.end()) return nullptr;
  const auto topic = topics_.find(named->second);
  return topic == topics_.end() ? nullptr : &topic->second;
}

void SubscribingStream::OnSubscribed(const v1::Subscribed& subscribed, std::size_t bytes) {
  SubscriberEvent event;
  event.kind = SubscriberEvent::Kind::kSubscribed;
  event.topic = subscribed.topic();
  event.epoch = subscribed.epoch();
  event.next_position = subscribed.next_position();
  event.continuity = FromWire(subscribed.continuity());
  event.missed = subscribed.missed();
  refs_[subscribed.topic_ref()] = event.topic;
  {
    std::lock_guard lock(mutex_);
    topics_[event.topic] = {event.topic, event.epoch, event.next_position};
    stats_.missed += event.missed;
    if (event.continuity == Continuity::kReset) ++stats_.resets;
  }
  Tell(std::move(event), bytes);
}

void SubscribingStream::OnLagged(const v1::SubscribeResponse& response, std::size_t bytes) {
  SubscriberEvent event;
  {
    std::lock_guard lock(mutex_);
    TopicPosition* const topic = TopicOf(response.topic_ref());
    if (topic == nullptr) return;
    topic->next_position = response.lagged().next_position();
    event.topic = topic->topic;
    event.epoch = topic->epoch;
    ++stats_.lags;
    stats_.missed += response.lagged().missed();
  }
  event.kind = SubscriberEvent::Kind::kLagged;
  event.missed = response.lagged().missed();
  event.next_position = response.lagged().next_position();
  Tell(std::move(event), bytes);
}

void SubscribingStream::OnClosed(const v1::Closed& closed, std::size_t bytes) {
  const ClosedReason reason = FromWire(closed.reason());
  if (closed.topic_ref() == 0) return NoteClosed(reason);
  // The daemon goes down, and the stream with it; the next one tells what became of the topic.
  if (reason == ClosedReason::kShuttingDown && reconnects_enabled()) return;
  SubscriberEvent event;
  event.kind = SubscriberEvent::Kind::kTopicClosed;
  event.reason = reason;
  {
    std::lock_guard lock(mutex_);
    const TopicPosition* const topic = TopicOf(closed.topic_ref());
    if (topic == nullptr) return;
    event.topic = topic->topic;
    event.epoch = topic->epoch;
    event.next_position = topic->next_position;
    topics_.erase(event.topic);
  }
  refs_.erase(closed.topic_ref());
  Tell(std::move(event), bytes);
}

void SubscribingStream::OnMessages(std::uint32_t topic_ref, Batch&& batch) {
  SubscriberEvent event;
  const std::size_t bytes = batch.bytes();
  {
    std::lock_guard lock(mutex_);
    TopicPosition* const topic = TopicOf(topic_ref);
    if (topic == nullptr) return;
    topic->next_position = batch[batch.size() - 1].position + 1;
    event.topic = topic->topic;
    event.epoch = topic->epoch;
    event.next_position = topic->next_position;
    ++stats_.batches;
    stats_.messages += batch.size();
  }
  event.batch = std::move(batch);
  Tell(std::move(event), bytes);
}

void SubscribingStream::Tell(SubscriberEvent&& event, std::size_t bytes) {
  if (options_.only_messages && IsNoNews(event)) return;
  if (!options_.on_event) {
    reading_ = Give(std::move(event), bytes);
    return;
  }
  CallBack(options_.on_event, event);
  std::lock_guard lock(mutex_);
  spare_ = std::move(event);
}

Result<StreamEnd> SubscribingStream::Close(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  FinishByCancelling();
  return AwaitEnd(deadline);
}

std::vector<TopicPosition> SubscribingStream::positions() const {
  std::lock_guard lock(mutex_);
  std::vector<TopicPosition> positions;
  for (const auto& [name, position] : topics_) positions.push_back(position);
  return positions;
}

SubscribeStats SubscribingStream::stats() const {
  const std::uint64_t again = reconnects();
  std::lock_guard lock(mutex_);
  SubscribeStats stats = stats_;
  stats.buffered_bytes = ready_.bytes();
  stats.reconnects = again;
  stats.exceptions = exceptions();
  return stats;
}

void SubscribingStream::OnLost(const StreamEnd& /*why*/) {
  if (was_ready_) return;
  // It begins anew: what was announced is announced again.
  std::lock_guard lock(mutex_);
  (void)ready_.Drop();
  topics_.clear();
}

}  // namespace abi1
}  // namespace sluice
