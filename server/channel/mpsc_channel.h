// SPDX-License-Identifier: Apache-2.0
// The middle of an mpsc channel: MpscState under a mutex, and those who wait for it. Its ends are
// in mpsc_sender.h, mpsc_permit.h and mpsc_receiver.h; what a caller must know is in mpsc.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "channel/mpsc_state.h"
#include "channel/operation_state.h"
#include "channel/outcome.h"

namespace sluice::channel::mpsc {

template <class T>
class Channel;

// All strong senders of a channel share one of these. It is gone with the last of them, and with it
// the stream; a weak sender upgrades exactly while it lives (M36, M47).
template <class T>
struct SenderSide {
  explicit SenderSide(std::shared_ptr<Channel<T>> owner) : channel(std::move(owner)) {}
  SenderSide(const SenderSide&) = delete;
  SenderSide& operator=(const SenderSide&) = delete;
  ~SenderSide() { channel->OnSendersGone(); }

  const std::shared_ptr<Channel<T>> channel;
};

template <class T>
using Senders = std::shared_ptr<SenderSide<T>>;

// Who stands in the one line for slots: send, send many, reserve, reserve(n) (M7).
template <class T>
class SlotRequest : public OperationState {
 public:
  using State = MpscState<T, SlotRequest>;

  // At the head of the line: takes what is free, up to what it wants. True: satisfied.
  virtual bool Serve(State& state) noexcept = 0;
  // Gives up what it has collected (M17, M33). Returns the number of slots.
  virtual std::size_t Forfeit() noexcept { return 0; }
  virtual void Refuse(Errc why) noexcept = 0;

 protected:
  using OperationState::OperationState;
  ~SlotRequest() = default;
};

template <class T>
class Channel {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>);

 public:
  explicit Channel(std::size_t slots) : state_(slots) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  Mutex& mutex() noexcept SLUICE_THREAD_ANNOTATION(lock_returned(mutex_)) { return mutex_; }

  // ---- For operations, which hold the lock.

  // Stands in line, and is decided at once if nobody is before it and what it wants is free.
  void Enter(SlotRequest<T>& request, WaiterList& ready) REQUIRES(mutex_) {
    if (state_.is_closed()) {
      request.Refuse(Errc::kClosed);
      request.Decide(ready);
      return;
    }
    state_.slots().Join(request);
    Settle(ready);
  }
  void Leave(SlotRequest<T>& request, WaiterList& ready) REQUIRES(mutex_) {
    state_.slots().Leave(request);
    state_.slots().Return(request.Forfeit());
    Settle(ready);
  }

  // The receiver's one waiting operation. It is woken when there is something to take, and takes it
  // when its completion runs; so one that is destroyed in between has consumed nothing (M43).
  void EnterReceiver(OperationState& request, WaiterList& ready) REQUIRES(mutex_) {
    SLUICE_CHECK(receiver_ == nullptr);  // one receive at a time (G13)
    receiver_ = &request;
    Settle(ready);
  }
  void LeaveReceiver() REQUIRES(mutex_) { receiver_ = nullptr; }

  void EnterClosed(OperationState& request, WaiterList& ready) REQUIRES(mutex_) {
    if (state_.is_closed()) return request.Decide(ready);
    closed_line_.PushBack(request);
  }
  void LeaveClosed(OperationState& request) REQUIRES(mutex_) { closed_line_.Erase(request); }

  bool is_closed_locked() const REQUIRES(mutex_) { return state_.is_closed(); }
  std::size_t max_capacity_locked() const REQUIRES(mutex_) { return state_.slots().max_capacity(); }

  // ---- For the sender's side.

  Sent<T> TrySend(T&& value) {
    Errc why = Errc::kClosed;
    {
      Step step(*this);
      if (!state_.is_closed()) {
        if (state_.slots().TryIssue(1)) {
          state_.Push(std::move(value));
          return std::monostate();
        }
        why = Errc::kFull;
      }
    }
    return Rejected<T>(why, std::move(value));
  }

  Sent<std::vector<T>> TrySendMany(std::vector<T>&& values) {
    Errc why = Errc::kClosed;
    std::size_t sent = 0;
    {
      Step step(*this);
      if (!state_.is_closed()) {
        while (sent < values.size() && state_.slots().TryIssue(1)) {
          state_.Push(std::move(values[sent++]));
        }
        if (sent == values.size()) return std::monostate();
        why = Errc::kFull;
      }
    }
    return Rejected<std::vector<T>>(why, Rest(values, sent));
  }

  Result<std::size_t, Errc> TryReserve(std::size_t n) {
    Step step(*this);
    if (state_.is_closed()) return Errc::kClosed;
    if (n > state_.slots().max_capacity()) return Errc::kTooMany;  // D4
    if (n > 0 && !state_.slots().TryIssue(n)) return Errc::kFull;  // M21: none is always there
    return n;
  }

  // A permit's value. After the receiver is gone it is destroyed here and now (D3).
  void Spend(T&& value) {
    Step step(*this);
    if (is_receiver_gone_) return state_.slots().Return(1);
    state_.Push(std::move(value));
  }

  void ReturnSlots(std::size_t n) {
    Step step(*this);
    state_.slots().Return(n);
  }

  void OnSendersGone() {
    Step step(*this);
    are_senders_gone_ = true;
  }

  // ---- For the receiver's side.

  Result<T, Errc> TryRecv() {
    Step step(*this);
    if (!state_.empty()) return state_.Pop();
    return has_ended() ? Errc::kClosed : Errc::kEmpty;
  }

  // Appends up to `limit` values to `out`. Their slots are returned together, since the line is
  // served once, at the end (M45).
  std::size_t TakeMany(std::vector<T>& out, std::size_t limit) {
    Step step(*this);
    std::size_t taken = 0;
    for (; taken < limit && !state_.empty(); ++taken) {
      out.push_back(std::move(state_.front()));
      state_.DropFront();
    }
    SLUICE_CHECK(taken > 0 || has_ended());
    return taken;
  }

  void Close() {
    Step step(*this);
    CloseLocked(step.ready);
  }

  void OnReceiverGone() {
    std::deque<T> values;  // outlives the lock (G6)
    {
      Step step(*this);
      CloseLocked(step.ready);
      is_receiver_gone_ = true;
      values = state_.PopAll();
    }
    while (!values.empty()) values.pop_front();  // in order (M38)
  }

  // ---- For both.

  // By the receiver, or gone (M35).
  bool is_closed() const {
    MutexLock lock(mutex_);
    return state_.is_closed();
  }
  bool is_closed_for_receiver() const {
    MutexLock lock(mutex_);
    return state_.is_closed() || are_senders_gone_;
  }
  std::size_t size() const {
    MutexLock lock(mutex_);
    return state_.size();
  }
  std::size_t capacity() const {
    MutexLock lock(mutex_);
    return state_.slots().capacity();
  }
  std::size_t max_capacity() const {
    MutexLock lock(mutex_);
    return state_.slots().max_capacity();
  }

  // Set once, before anybody else knows of the channel.
  void set_senders(const Senders<T>& senders) { senders_ = senders; }
  const std::weak_ptr<SenderSide<T>>& senders() const noexcept { return senders_; }
  std::atomic<std::size_t>& weak_count() noexcept { return weak_count_; }

  static std::vector<T> Rest(std::vector<T>& values, std::size_t from) {
    if (from == 0) return std::move(values);
    return std::vector<T>(
        std::make_move_iterator(values.begin() + static_cast<std::ptrdiff_t>(from)),
        std::make_move_iterator(values.end()));
  }

 private:
  // One change: under the lock; then whoever can go on because of it is decided; and their
  // completions run after the lock was let go.
  struct SLUICE_THREAD_ANNOTATION(scoped_lockable) Step {
    explicit Step(Channel& owner) SLUICE_THREAD_ANNOTATION(acquire_capability(owner.mutex_))
        : channel(owner) {
      channel.mutex_.Lock();
    }
    ~Step() SLUICE_THREAD_ANNOTATION(release_capability()) {
      channel.Settle(ready);
      channel.mutex_.Unlock();
      Complete(ready);
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

    Channel& channel;
    WaiterList ready;
  };

  // Serves the line from its head, then wakes the receiver if there is something for it: a value,
  // or the end, however it came about (M32).
  void Settle(WaiterList& ready) REQUIRES(mutex_) {
    using Request = SlotRequest<T>;
    auto* state = &state_;  // a name of its own for the lambda, which runs under the lock
    state_.slots().Advance([state](Request& request) { return request.Serve(*state); },
                           [&ready](Request& request) { request.Decide(ready); });
    if (receiver_ == nullptr || (state_.empty() && !has_ended())) return;
    std::exchange(receiver_, nullptr)->Decide(ready);
  }

  bool has_ended() const REQUIRES(mutex_) {
    return state_.has_ended(are_senders_gone_) || (is_receiver_gone_ && state_.empty());
  }

  void CloseLocked(WaiterList& ready) REQUIRES(mutex_) {
    if (state_.is_closed()) return;
    state_.Close();
    while (SlotRequest<T>* request = state_.slots().head()) {
      state_.slots().Leave(*request);
      state_.slots().Return(request->Forfeit());
      request->Refuse(Errc::kClosed);
      request->Decide(ready);
    }
    while (OperationState* request = closed_line_.PopFront()) request->Decide(ready);
  }

  mutable Mutex mutex_;  // guards the state, and the phase of every operation in a line of it
  MpscState<T, SlotRequest<T>> state_ GUARDED_BY(mutex_);
  OperationState* receiver_ GUARDED_BY(mutex_) = nullptr;  // the receive that waits
  IntrusiveList<OperationState> closed_line_ GUARDED_BY(mutex_);
  bool are_senders_gone_ GUARDED_BY(mutex_) = false;
  bool is_receiver_gone_ GUARDED_BY(mutex_) = false;

  std::weak_ptr<SenderSide<T>> senders_;
  std::atomic<std::size_t> weak_count_{0};
};

}  // namespace sluice::channel::mpsc
