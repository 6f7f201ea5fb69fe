// SPDX-License-Identifier: Apache-2.0
// One ring, many receivers: each sees every value sent after it subscribed, or is told how many it
// missed.
//
// Lagging    Sending never waits: a full ring overwrites its oldest value. The ring holds N values,
//            the asked count rounded up to a power of two (B1), and may be bounded in bytes besides
//            (B27). A receiver whose next value was overwritten stays subscribed; its next receive
//            delivers no value but Lagged(n), exactly how many were overwritten, and its cursor
//            lands on the oldest retained value (B8, B9). Values + Σ missed = values accepted
//            (B10).
// Closing    Dropping the last Sender: each receiver still gets the lag and the values it is owed,
//            then kClosed, for ever (B16). Without receivers a Send is refused, stores nothing and
//            uses no position (B4); subscribing reopens (B19).
// Ordering   Accepted values are numbered 0, 1, 2, …; every receiver sees them in that order (B3).
// Threads    All calls of a Sender, from many threads at once. A Receiver needs exclusive access,
//            and may move between threads.
// Memory     One allocation a value, shared by all receivers; released when the last receiver that
//            was subscribed has read it or is gone, or when it is overwritten (B20). At most N
//            values, and at most the bound in bytes, or one value that alone exceeds it.
// Cost       Send: a lock, and one step for each receiver that waits. TryRecv: a lock. Neither
//            depends on the capacity or on how many receivers there are.
//
// Example    (the region [broadcast] of tests/channel/broadcast_test.cc)
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "channel/broadcast_request.h"
#include "channel/broadcast_ring.h"
#include "channel/broadcast_state.h"
#include "channel/closed_request.h"
#include "channel/operation.h"
#include "channel/outcome.h"

namespace sluice::channel::broadcast {

template <class T>
class WeakSender;

// Move-only. An operation keeps it subscribed; one at a time.
template <class T>
class Receiver {
 public:
  // Waits for a value; or Lagged; or kClosed.
  Operation<RecvRequest<T>> Recv() { return Operation<RecvRequest<T>>(seat_); }
  // Waits for at least one value, then appends what there is, up to `limit`, and tells how many. A
  // lag is told first and alone (B26). A limit of 0 is 0 at once. `values` must outlive the wait.
  Operation<RecvManyRequest<T>> RecvMany(std::vector<Value<T>>& values, std::size_t limit) {
    return Operation<RecvManyRequest<T>>(seat_, values, limit);
  }
  // A value, kEmpty, kClosed, or Lagged.
  Item<T> TryRecv() { return seat_->state->TryRecv(seat_->cursor); }

  // A receiver of what is sent from now on, whatever this one has still to read (B14).
  Receiver Resubscribe() const { return Receiver(seat_->state); }

  // Sent and not read by this one, what was overwritten included: more than the ring holds exactly
  // when the next receive is Lagged, in a ring bounded by count alone (B13).
  std::size_t size() const { return seat_->state->BehindNext(seat_->cursor); }
  bool empty() const { return size() == 0; }
  // The number of the value it wants next.
  Position position() const { return seat_->state->PositionOf(seat_->cursor); }
  // No Sender exists; values may remain (B17).
  bool is_closed() const { return seat_->state->senders() == 0; }
  std::size_t strong_count() const { return seat_->state->senders(); }
  std::size_t weak_count() const { return seat_->state->weak_senders(); }
  bool SameChannel(const Receiver& other) const { return seat_->state == other.seat_->state; }

 private:
  template <class>
  friend class Sender;
  explicit Receiver(std::shared_ptr<State<T>> state)
      : seat_(std::make_shared<Seat<T>>(std::move(state))) {}

  std::shared_ptr<Seat<T>> seat_;
};

// Copyable; dropping the last one closes.
template <class T>
class Sender {
 public:
  // A new channel without receivers (B2). Throws std::invalid_argument unless 1 ≤ count ≤ max/2.
  explicit Sender(std::size_t count) : Sender(count, Ring<T>::kUnbounded, nullptr) {}
  // Bounded in bytes besides: `weigh(value)` is what a value weighs. Throws std::invalid_argument
  // if bytes_max is 0 or `weigh` is empty.
  Sender(std::size_t count, std::size_t bytes_max, Weigh<T> weigh) {
    if (bytes_max != Ring<T>::kUnbounded && !weigh) {
      throw std::invalid_argument("broadcast: a bound in bytes needs a weight");
    }
    state_ = std::make_shared<State<T>>(count, bytes_max, std::move(weigh));
    state_->AddSender();
  }
  Sender(const Sender& other) : state_(other.state_) { state_->AddSender(); }
  Sender(Sender&& other) noexcept = default;
  Sender& operator=(Sender other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Sender() {
    if (state_ != nullptr) state_->DropSender();
  }

  // Never waits. How many receivers there are at this instant, which is no promise that they will
  // read it; or kClosed, and the value back: there are none.
  Result<std::size_t, Rejected<T>> Send(T value) const {
    Weighed<T> item = state_->Weighing(std::make_shared<T>(std::move(value)));
    const std::size_t receivers = state_->Publish({&item, 1});
    if (receivers == 0) return Rejected<T>(Errc::kClosed, Unshare(item));
    return receivers;
  }
  // The same for a value that is shared already. Requires: not null.
  Result<std::size_t, Rejected<Value<T>>> SendShared(Value<T> value) const {
    Weighed<T> item = state_->Weighing(std::move(value));
    const std::size_t receivers = state_->Publish({&item, 1});
    if (receivers == 0) return Rejected<Value<T>>(Errc::kClosed, std::move(item.value));
    return receivers;
  }
  // As one Send after the other, with nothing in between (B26): all are accepted, or handed back.
  Result<std::size_t, Rejected<std::vector<T>>> SendMany(std::vector<T> values) const {
    std::vector<Weighed<T>> items;
    items.reserve(values.size());
    for (T& value : values) {
      items.push_back(state_->Weighing(std::make_shared<T>(std::move(value))));
    }
    const std::size_t receivers = state_->Publish(items);
    if (receivers != 0 || items.empty()) return receivers;
    std::vector<T> back;
    back.reserve(items.size());
    for (Weighed<T>& item : items) back.push_back(Unshare(item));
    return Rejected<std::vector<T>>(Errc::kClosed, std::move(back));
  }

  Receiver<T> Subscribe() const { return Receiver<T>(state_); }
  // Waits until there is no receiver (B18, D11).
  Operation<ClosedRequest<State<T>>> Closed() const {
    return Operation<ClosedRequest<State<T>>>(state_);
  }
  WeakSender<T> Downgrade() const { return WeakSender<T>(state_); }

  // Values retained because somebody still wants them (B21).
  std::size_t size() const { return state_->size(); }
  bool empty() const { return size() == 0; }
  std::size_t capacity() const noexcept { return state_->capacity(); }  // N
  Position next_position() const { return state_->next(); }
  // Of the oldest value retained; next_position() if there is none.
  Position oldest_position() const { return state_->oldest(); }
  std::size_t receiver_count() const { return state_->receivers(); }
  std::size_t strong_count() const { return state_->senders(); }
  std::size_t weak_count() const { return state_->weak_senders(); }
  bool SameChannel(const Sender& other) const noexcept { return state_ == other.state_; }

 private:
  friend class WeakSender<T>;
  struct Adopted {};  // the sender was counted already
  Sender(Adopted, std::shared_ptr<State<T>> state) noexcept : state_(std::move(state)) {}

  // Out of its handle, which this call made of a T that is not const and nobody else has seen.
  static T&& Unshare(Weighed<T>& item) noexcept { return std::move(const_cast<T&>(*item.value)); }

  std::shared_ptr<State<T>> state_;
};

// Does not keep the channel open. Copyable.
template <class T>
class WeakSender {
 public:
  WeakSender(const WeakSender& other) : WeakSender(other.state_) {}
  WeakSender(WeakSender&& other) noexcept = default;
  WeakSender& operator=(WeakSender other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~WeakSender() {
    if (state_ != nullptr) state_->DropWeak();
  }

  // None once the last Sender is gone, and for ever after (B22).
  std::optional<Sender<T>> Upgrade() const {
    if (!state_->TryAddSender()) return std::nullopt;
    return Sender<T>(typename Sender<T>::Adopted(), state_);
  }
  std::size_t strong_count() const { return state_->senders(); }
  std::size_t weak_count() const { return state_->weak_senders(); }
  bool SameChannel(const WeakSender& other) const noexcept { return state_ == other.state_; }

 private:
  friend class Sender<T>;
  explicit WeakSender(std::shared_ptr<State<T>> state) : state_(std::move(state)) {
    state_->AddWeak();
  }

  std::shared_ptr<State<T>> state_;
};

// A channel with one receiver from the start. Throws as Sender's constructors do.
template <class T>
std::pair<Sender<T>, Receiver<T>> Channel(std::size_t count) {
  Sender<T> sender(count);
  Receiver<T> receiver = sender.Subscribe();
  return {std::move(sender), std::move(receiver)};
}
template <class T>
std::pair<Sender<T>, Receiver<T>> Channel(std::size_t count, std::size_t bytes_max,
                                          Weigh<T> weigh) {
  Sender<T> sender(count, bytes_max, std::move(weigh));
  Receiver<T> receiver = sender.Subscribe();
  return {std::move(sender), std::move(receiver)};
}

}  // namespace sluice::channel::broadcast
