// SPDX-License-Identifier: Apache-2.0
// One value, once, from whoever promised it to whoever waits for it.
//
// Closing    The sender closes by being dropped unsent: the receiver is told kClosed at once (O5).
//            The receiver closes by Close(), or by being dropped: what is sent later is handed
//            back, what was sent before stays readable after Close() (O7) and is destroyed by the
//            drop, at once (O12). A receiver that was told the value or the end is terminated:
//            TryRecv says kClosed for ever, and awaiting it again throws std::logic_error (O10,
//            D8).
// Ordering   What the sender did before Send happens before what the receiver does with the value
//            (G5). Of Send and Close one is first, for both sides alike (O4).
// Threads    The two ends may be used at the same time. Of a Sender, is_closed() and Closed() may
// be
//            called from many threads at once; Send, move and drop are its last use. A Receiver
//            needs exclusive access, and may move between threads.
// Memory     One allocation a channel, which holds the value; nothing more to wait. A value that
// was
//            accepted is destroyed on the receiver's side, never by the sender (O3).
// Cost       One uncontended lock each for Send, Recv and each drop.
//
// Example    (the region [oneshot] of tests/channel/oneshot_test.cc)
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>

#include "base/check.h"
#include "channel/closed_request.h"
#include "channel/oneshot_state.h"
#include "channel/operation.h"
#include "channel/outcome.h"

namespace sluice::channel::oneshot {

template <class T>
class Sender;
template <class T>
class Receiver;
template <class T>
std::pair<Sender<T>, Receiver<T>> Channel();

// Move-only. One that was moved from or has sent is inert: its drop means nothing (O15).
template <class T>
class Sender {
 public:
  Sender(Sender&& other) noexcept = default;
  Sender& operator=(Sender&& other) noexcept {
    Sender dropped(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
  }
  ~Sender() {
    if (state_ != nullptr) state_->DropSender();
  }

  // Never waits. kClosed, and the value back: the receiver is closed or gone, or this is inert.
  Sent<T> Send(T value) && {
    const std::shared_ptr<State<T>> state = std::move(state_);
    if (state == nullptr) return Rejected<T>(Errc::kClosed, std::move(value));
    return state->Send(std::move(value));
  }

  // True: Send will be refused (O11).
  bool is_closed() const noexcept { return state_ == nullptr || state_->is_closed(); }

  // Waits until the receiver is closed or dropped. Requires: not inert. Sending and dropping are
  // possible while it waits.
  Operation<ClosedRequest<State<T>>> Closed() const {
    SLUICE_CHECK(state_ != nullptr);
    return Operation<ClosedRequest<State<T>>>(state_);
  }

 private:
  friend std::pair<Sender<T>, Receiver<T>> Channel<T>();
  explicit Sender(std::shared_ptr<State<T>> state) noexcept : state_(std::move(state)) {}

  std::shared_ptr<State<T>> state_;
};

// Move-only. Requires, for every call but move and drop: not moved from.
template <class T>
class Receiver {
 public:
  Receiver(Receiver&& other) noexcept = default;
  Receiver& operator=(Receiver&& other) noexcept {
    Receiver dropped(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
  }
  ~Receiver() {
    if (state_ != nullptr) state_->DropReceiver();
  }

  // Waits for the value, or kClosed. Closing or dropping the receiver ends the wait with kClosed.
  // Throws std::logic_error, here or when it is awaited, if the receiver is terminated.
  Operation<RecvRequest<T>> Recv() {
    if (state_->is_terminated()) throw std::logic_error("oneshot: awaited after it had ended");
    return Operation<RecvRequest<T>>(state_);
  }

  // The value, kEmpty or kClosed; never spuriously kEmpty.
  Result<T, Errc> TryRecv() { return state_->TryRecv(); }

  // Refuses what is sent later. Idempotent.
  void Close() noexcept { state_->Close(); }

  // False only between send and read (O9). Empty does not mean that it may be awaited.
  bool empty() const noexcept { return state_->is_empty(); }
  bool is_terminated() const noexcept { return state_->is_terminated(); }

 private:
  friend std::pair<Sender<T>, Receiver<T>> Channel<T>();
  explicit Receiver(std::shared_ptr<State<T>> state) noexcept : state_(std::move(state)) {}

  std::shared_ptr<State<T>> state_;
};

template <class T>
std::pair<Sender<T>, Receiver<T>> Channel() {
  auto state = std::make_shared<State<T>>();
  return {Sender<T>(state), Receiver<T>(state)};
}

}  // namespace sluice::channel::oneshot
