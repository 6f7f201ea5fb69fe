// SPDX-License-Identifier: Apache-2.0
// What the two ends of a oneshot share. Whose the value is follows from the order of two steps
// under the lock, `is_sent` and `is_closed`: the first one decides (O4).
//
//   sent first     the value is the receiver's: it alone reads or destroys it, without the lock
//   closed first   the value is still the sender's: it alone takes it back, without the lock
//
// So no constructor or destructor of a value runs under the lock (G6).
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/intrusive_list.h"
#include "base/mutex.h"
#include "channel/operation_state.h"
#include "channel/outcome.h"

namespace sluice::channel::oneshot {

template <class T>
class RecvRequest;

template <class T>
class State {
 public:
  // Consumes the sender.
  Sent<T> Send(T value) {
    value_.emplace(std::move(value));  // nobody else looks at it before is_sent_
    WaiterList ready;
    bool is_refused;
    {
      MutexLock lock(mutex);
      is_refused = is_closed_;
      is_sent_ = !is_refused;
      if (is_sent_) WakeReceiver(ready);
    }
    if (is_refused) {
      Rejected<T> back(Errc::kClosed, std::move(*value_));
      value_.reset();
      return back;
    }
    Complete(ready);
    return std::monostate{};
  }

  void DropSender() noexcept {
    WaiterList ready;
    {
      MutexLock lock(mutex);
      is_sender_gone_ = true;
      WakeReceiver(ready);
    }
    Complete(ready);
  }

  // kEmpty, kClosed, or the value; after the latter two the receiver is terminated (O6).
  Result<T, Errc> TryRecv() {
    {
      MutexLock lock(mutex);
      if (is_terminated_) return Errc::kClosed;
      if (!is_ready()) return Errc::kEmpty;
      is_terminated_ = true;
      if (!is_sent_) return Errc::kClosed;
    }
    Result<T, Errc> received(std::move(*value_));
    value_.reset();
    return received;
  }

  void Close() noexcept {
    WaiterList ready;
    {
      MutexLock lock(mutex);
      CloseLocked(ready);
    }
    Complete(ready);
  }

  void DropReceiver() noexcept {
    WaiterList ready;
    bool is_unread;
    {
      MutexLock lock(mutex);
      CloseLocked(ready);
      is_unread = is_sent_ && !is_terminated_;
      if (is_unread) is_terminated_ = true;
    }
    if (is_unread) value_.reset();  // here and now, however long the sender's shell lives (O12)
    Complete(ready);
  }

  bool is_closed() {
    MutexLock lock(mutex);
    return is_closed_;
  }
  bool is_empty() {
    MutexLock lock(mutex);
    return !is_sent_ || is_terminated_;
  }
  bool is_terminated() {
    MutexLock lock(mutex);
    return is_terminated_;
  }

  Mutex mutex;  // guards all but value_
  IntrusiveList<OperationState> closing GUARDED_BY(mutex);
  bool has_no_receiver() const noexcept REQUIRES(mutex) { return is_closed_; }

 private:
  friend class RecvRequest<T>;

  // Something to tell a receiver, for good.
  bool is_ready() const noexcept REQUIRES(mutex) {
    return is_sent_ || is_sender_gone_ || is_closed_;
  }
  void WakeReceiver(WaiterList& ready) noexcept REQUIRES(mutex) {
    if (receiving_ != nullptr) std::exchange(receiving_, nullptr)->Decide(ready);
  }
  void CloseLocked(WaiterList& ready) noexcept REQUIRES(mutex) {
    is_closed_ = true;
    WakeReceiver(ready);
    while (auto* request = closing.PopFront()) request->Decide(ready);
  }

  std::optional<T> value_;  // see the top: the sender's, then the receiver's
  bool is_sent_ GUARDED_BY(mutex) = false;
  bool is_sender_gone_ GUARDED_BY(mutex) = false;  // unsent
  bool is_closed_ GUARDED_BY(mutex) = false;       // by the receiver, or it is gone
  bool is_terminated_ GUARDED_BY(mutex) = false;   // the receiver was told the value or the end
  RecvRequest<T>* receiving_ GUARDED_BY(mutex) = nullptr;
};

// The wait of Recv(). It is woken when there is something to tell, and takes it only when it tells
// it: one that is destroyed in between consumed nothing (O13).
template <class T>
class RecvRequest : public OperationState {
 public:
  using Outcome = Result<T, Errc>;

  RecvRequest(Face face, std::shared_ptr<State<T>> state)
      : OperationState(face), state_(std::move(state)) {}

  Mutex& mutex() noexcept SLUICE_THREAD_ANNOTATION(lock_returned(state_->mutex)) {
    return state_->mutex;
  }
  void Enter(WaiterList& ready) REQUIRES(state_->mutex) {
    is_misused_ = state_->is_terminated_;
    if (is_misused_ || state_->is_ready()) return Decide(ready);
    SLUICE_CHECK(state_->receiving_ == nullptr);  // a receiver is one at a time (G13)
    state_->receiving_ = this;
  }
  void Leave(WaiterList&) REQUIRES(state_->mutex) { state_->receiving_ = nullptr; }
  void Refuse(Errc why) noexcept { refused_ = why; }
  Outcome Take() {
    if (refused_) return *refused_;
    if (is_misused_) throw std::logic_error("oneshot: awaited after it had ended");
    return state_->TryRecv();
  }

 protected:
  ~RecvRequest() = default;

 private:
  const std::shared_ptr<State<T>> state_;
  bool is_misused_ = false;  // started on a terminated receiver (O10, D8)
  std::optional<Errc> refused_;
};

}  // namespace sluice::channel::oneshot
