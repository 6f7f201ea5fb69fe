// SPDX-License-Identifier: Apache-2.0
// One value that changes, and many who follow it: each sees the latest, and is told that there is a
// newer one; those in between may never be seen by anybody.
//
// Lagging    There is none: any number of updates while a receiver does not look are one (W7).
// Closing    Dropping the last Sender: a receiver is still told an unseen final value, once, and
// then
//            kClosed, for ever (W6, W9). The value stays readable (W3, W25). Without receivers Send
//            is refused and stores nothing (W11); the other updates store all the same.
// Ordering   Updates have versions 1, 2, 3, …, whoever makes them (W23); a receiver never sees an
//            older one after a newer one.
// Threads    All calls of a Sender, from many threads at once. A Receiver needs exclusive access,
// and
//            may move between threads; copies are independent.
// Memory     One allocation a value, shared by all who look at it; released when it was replaced
// and
//            its last Snapshot is gone. A Snapshot holds no lock: nobody waits for a reader (D10).
// Cost       Each call a lock; an update besides one step for each receiver that waits.
//
// Example    (the region [watch] of tests/channel/watch_test.cc)
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>

#include "channel/closed_request.h"
#include "channel/operation.h"
#include "channel/outcome.h"
#include "channel/watch_request.h"
#include "channel/watch_state.h"

namespace sluice::channel::watch {

// A value as it was when it was borrowed. Copyable; valid for ever.
template <class T>
class Ref {
 public:
  const T& operator*() const noexcept { return *borrowed_.value; }
  const T* operator->() const noexcept { return borrowed_.value.get(); }
  const Snapshot<T>& snapshot() const noexcept { return borrowed_.value; }
  Version version() const noexcept { return borrowed_.version; }
  // It was unseen by its receiver when it was borrowed; false if borrowed from a Sender (W4).
  bool has_changed() const noexcept { return borrowed_.was_unseen; }

 private:
  template <class>
  friend class Sender;
  template <class>
  friend class Receiver;
  explicit Ref(Versioned<T> borrowed) noexcept : borrowed_(std::move(borrowed)) {}

  Versioned<T> borrowed_;
};

// Copyable: a copy has seen what this one has (W15). An operation keeps it alive; one at a time.
template <class T>
class Receiver {
 public:
  Receiver(const Receiver& other) : seat_(std::make_shared<Seat<T>>(*other.seat_)) {}
  Receiver(Receiver&& other) noexcept = default;
  Receiver& operator=(Receiver other) noexcept {
    std::swap(seat_, other.seat_);
    return *this;
  }
  ~Receiver() = default;

  // The current value; does not mark it seen.
  Ref<T> Borrow() const { return Ref<T>(seat_->state->Borrow(seat_->seen)); }
  // The current value, and marks exactly that one seen.
  Ref<T> BorrowAndUpdate() { return Ref<T>(seat_->state->BorrowAndUpdate(seat_->seen)); }

  // Whether the current value is unseen; kClosed if there is no Sender, even if it is (W5).
  Result<bool, Errc> HasChanged() const { return seat_->state->HasChanged(seat_->seen); }
  // Waits for an unseen value, and marks it; its version. Or kClosed (W6). What is borrowed
  // afterwards may be newer still (W8).
  Operation<ChangedRequest<T>> Changed() { return Operation<ChangedRequest<T>>(seat_); }
  // Waits for a value that `predicate(const T&)` accepts, the current one first. What it was shown
  // is seen. The predicate runs outside locks, on the thread that starts the wait or on those that
  // update; it may be slow or throw, but must not destroy or cancel the wait.
  template <std::predicate<const T&> Predicate>
  Operation<WaitForRequest<T, Predicate>> WaitFor(Predicate predicate) {
    return Operation<WaitForRequest<T, Predicate>>(seat_, std::move(predicate));
  }

  // Makes the current value unseen, or seen, for this receiver (W16).
  void MarkChanged() { seat_->state->Mark(seat_->seen, false); }
  void MarkUnchanged() { seat_->state->Mark(seat_->seen, true); }

  bool SameChannel(const Receiver& other) const noexcept {
    return seat_->state == other.seat_->state;
  }

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
  // A new channel without receivers (W1).
  explicit Sender(T initial)
      : state_(std::make_shared<State<T>>(std::make_shared<T>(std::move(initial)))) {
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

  // Never waits. kClosed, and the value back: there is no receiver, and nothing is stored (W11).
  Sent<T> Send(T value) const {
    auto made = std::make_shared<T>(std::move(value));
    Snapshot<T> next = made;
    if (!state_->ReplaceIfReceived(next)) return Rejected<T>(Errc::kClosed, std::move(*made));
    return std::monostate();
  }
  // Stores always; the previous value (W12).
  Snapshot<T> SendReplace(T value) const {
    return state_->Replace(std::make_shared<const T>(std::move(value)));
  }
  // Changes a copy of the current value by `change(T&)`, and publishes the copy if that value is
  // still current; else once more from the newer one. So it may run several times, outside locks,
  // and only its last run counts: all or nothing (D5). What it throws is passed on, and nothing
  // happened. If it always updates this channel itself, it never ends.
  template <std::invocable<T&> Change>
  void Modify(Change&& change) const {
    ModifyIf([&change](T& value) {
      change(value);
      return true;
    });
  }
  // The same, if `change(T&)` returns true; else the copy is discarded. Returns that (W14).
  template <std::predicate<T&> Change>
  bool ModifyIf(Change&& change) const {
    for (;;) {
      const Versioned<T> current = state_->Current();
      auto made = std::make_shared<T>(*current.value);
      if (!change(*made)) return false;
      Snapshot<T> next = std::move(made);
      if (state_->ReplaceIfVersion(current.version, next)) return true;
    }
  }

  Ref<T> Borrow() const { return Ref<T>(state_->Current()); }
  // A receiver that has seen the current value.
  Receiver<T> Subscribe() const { return Receiver<T>(state_); }
  // Waits until there is no receiver (W21, D11).
  Operation<ClosedRequest<State<T>>> Closed() const {
    return Operation<ClosedRequest<State<T>>>(state_);
  }
  bool is_closed() const { return receiver_count() == 0; }
  std::size_t receiver_count() const { return state_->receivers(); }
  std::size_t sender_count() const { return state_->senders(); }
  bool SameChannel(const Sender& other) const noexcept { return state_ == other.state_; }

 private:
  std::shared_ptr<State<T>> state_;
};

// A channel with one receiver, which has seen `initial`.
template <class T>
std::pair<Sender<T>, Receiver<T>> Channel(T initial) {
  Sender<T> sender(std::move(initial));
  Receiver<T> receiver = sender.Subscribe();
  return {std::move(sender), std::move(receiver)};
}

}  // namespace sluice::channel::watch
