// SPDX-License-Identifier: Apache-2.0
// The subscribing side: cursors, and what is read by them.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "broker/topic/core.h"

namespace sluice::broker {
namespace {

Announced PlaceOf(const SubscriberOptions& options, const Retained& retained, std::uint64_t epoch) {
  const std::uint64_t oldest = retained.oldest();
  switch (options.from) {
    case SubscribeFrom::kLatest:
      return {epoch, retained.next(), Continuity::kFresh, 0};
    case SubscribeFrom::kEarliest:
      return {epoch, oldest, Continuity::kFresh, 0};
    case SubscribeFrom::kBeginning:
      if (oldest > 1) return {epoch, oldest, Continuity::kGap, oldest - 1};
      return {epoch, 1, Continuity::kFresh, 0};
    case SubscribeFrom::kPosition:
      break;
  }
  const bool is_ours = options.epoch == 0 || options.epoch == epoch;
  const std::uint64_t wanted = options.position;
  if (!is_ours || wanted > retained.next()) return {epoch, oldest, Continuity::kReset, 0};
  if (wanted < oldest) return {epoch, oldest, Continuity::kGap, oldest - wanted};
  return {epoch, wanted, Continuity::kContinued, 0};
}

}  // namespace

Announced Topic::WhereItBegins(const SubscriberOptions& options) const {
  MutexLock lock(core_->mutex);
  return PlaceOf(options, core_->retained, core_->epoch);
}

Announced Topic::Subscribe(Subscriber& subscriber, SubscriberOptions options,
                           NotifierPtr notifier) {
  Turn turn(*this);
  Core& core = turn.core();
  SLUICE_CHECK(!subscriber.is_attached_);
  const Announced announced = PlaceOf(options, core.retained, core.epoch);
  subscriber.cursor_ = announced.next_position;
  subscriber.missed_ = announced.missed;
  core.missed += announced.missed;
  if (announced.missed != 0) ++core.lags;
  subscriber.options_ = std::move(options);
  if (core.is_deleted) {
    subscriber.end_ = ClosedReason::kDeleted;
    return announced;
  }
  subscriber.notifier_ = std::move(notifier);
  subscriber.is_attached_ = true;
  core.subscribers.PushBack(subscriber);
  turn.WaitFor(subscriber);
  return announced;
}

void Topic::Take(Subscriber& subscriber, std::uint64_t bytes_max, Taken& out) {
  out.Clear();
  Turn turn(*this);
  Core& core = turn.core();
  if (!subscriber.is_attached_) {
    out.ended = subscriber.end_;
    return;
  }
  if (std::exchange(subscriber.was_told_, false) && std::exchange(subscriber.is_excused_, false)) {
    turn.WaitFor(subscriber);
  }
  if (const std::uint64_t missed = core.retained.CatchUp(subscriber.cursor_); missed != 0) {
    if (subscriber.options_.end_on_lag || core.spec.policy == SlowPolicy::kDisconnect) {
      ++core.evicted;
      turn.End(subscriber, out.ended = ClosedReason::kLagged);
      return;
    }
    subscriber.missed_ += missed;
    core.missed += missed;
    ++core.lags;
    subscriber.was_told_ = true;
    out.missed = missed;
    out.next_position = subscriber.cursor_;
  }
  turn.Read(subscriber, bytes_max, out.delivery);
  if (out.delivery.messages != 0 || out.missed != 0) return;
  if (core.intake.is_closed()) {
    turn.End(subscriber, out.ended = core.intake.closed_reason());
  } else if (!subscriber.wait_.is_linked()) {
    core.waiting.PushBack(subscriber.wait_);
  }
}

void Topic::Unsubscribe(Subscriber& subscriber) {
  Turn turn(*this);
  if (subscriber.is_attached_) turn.Detach(subscriber);
}

void Topic::RememberSubscriber(TimePoint left_at) {
  MutexLock lock(core_->mutex);
  core_->left_at = std::max(core_->left_at.value_or(left_at), left_at);
}

void Topic::Turn::Read(Subscriber& subscriber, std::uint64_t bytes_max, Delivery& out) {
  const Retained& retained = core_.retained;
  std::uint64_t& cursor = subscriber.cursor_;
  for (; cursor < retained.next(); ++cursor) {
    const Message& message = retained.at(cursor);
    if (out.messages > 0 && out.bytes + message.size() > bytes_max) break;
    Append(message, cursor, /*attempts=*/0, /*failures=*/0, out);
  }
  subscriber.delivered_ += out.messages;
  core_.delivered += out.messages;
}

void Topic::Turn::WaitFor(const Subscriber& subscriber) {
  core_.wanted_from = std::min(core_.wanted_from, subscriber.cursor_);
}

void Topic::Turn::Detach(Subscriber& subscriber) {
  subscriber.is_attached_ = false;
  core_.subscribers.Erase(subscriber);
  if (subscriber.wait_.is_linked()) core_.waiting.Erase(subscriber.wait_);
  after_.LetGo(std::move(subscriber.notifier_));
  core_.left_at = now();
}

void Topic::Turn::End(Subscriber& subscriber, ClosedReason reason) {
  subscriber.end_ = reason;
  Detach(subscriber);
}

}  // namespace sluice::broker
