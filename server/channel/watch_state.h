// SPDX-License-Identifier: Apache-2.0
// What the ends of a watch share: the current value with its version, who waits for the next one,
// and how many handles of each kind there are. One lock, never held while a value is made, copied
// or destroyed, while somebody's function looks at one, or while a completion runs (G6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/intrusive_list.h"
#include "base/mutex.h"
#include "channel/operation_state.h"
#include "channel/outcome.h"

namespace sluice::channel::watch {

// An immutable value: readers hold no lock, and keep it as long as they like (D10).
template <class T>
using Snapshot = std::shared_ptr<const T>;

// The initial value is version 0; every update is the next one (W2).
using Version = std::uint64_t;

// What a receiver has seen when it is told to see the current value as new (W16). No version.
inline constexpr Version kNothing = std::numeric_limits<Version>::max();

template <class T>
struct Versioned {
  Snapshot<T> value;
  Version version = 0;
  bool was_unseen = false;  // when it was looked at
};

template <class T>
class State {
 public:
  explicit State(Snapshot<T> initial) : value_(std::move(initial)) {}

  Versioned<T> Current() {
    MutexLock lock(mutex);
    return {value_, version_, false};
  }
  // As a receiver that has seen `seen` finds it.
  Versioned<T> Borrow(const Version& seen) {
    MutexLock lock(mutex);
    return {value_, version_, seen != version_};
  }
  // The value and its version are read together, so that exactly what is shown is marked (W3).
  Versioned<T> BorrowAndUpdate(Version& seen) {
    MutexLock lock(mutex);
    return {value_, version_, std::exchange(seen, version_) != version_};
  }

  // Puts `next` in the place of the current value, which it returns.
  Snapshot<T> Replace(Snapshot<T> next) {
    WaiterList ready;
    {
      MutexLock lock(mutex);
      ReplaceLocked(next, ready);
    }
    Complete(ready);
    return next;
  }
  // The same if there is a receiver (W11), or if the current version is `expected` (D5). Else
  // false, and nothing happens. On success `next` holds the previous value.
  bool ReplaceIfReceived(Snapshot<T>& next) {
    return ReplaceIf([this]() REQUIRES(mutex) { return receivers_ != 0; }, next);
  }
  bool ReplaceIfVersion(Version expected, Snapshot<T>& next) {
    return ReplaceIf([this, expected]() REQUIRES(mutex) { return version_ == expected; }, next);
  }

  // Without senders: kClosed, even if a value is unseen (W5).
  Result<bool, Errc> HasChanged(const Version& seen) {
    MutexLock lock(mutex);
    if (senders_ == 0) return Errc::kClosed;
    return seen != version_;
  }
  // What Changed() tells when it need not wait: unseen beats closed (W6). Marks what it tells.
  // kEmpty: it must wait.
  Result<Version, Errc> TryChanged(Version& seen) {
    MutexLock lock(mutex);
    if (seen != version_) return seen = version_;
    return senders_ == 0 ? Errc::kClosed : Errc::kEmpty;
  }
  void Mark(Version& seen, bool is_seen) {
    MutexLock lock(mutex);
    seen = is_seen ? version_ : kNothing;
  }

  // A wait stands in line, unless there is a version other than `seen`, or the end.
  void EnterWait(OperationState& request, Version seen, WaiterList& ready) REQUIRES(mutex) {
    if (seen != version_ || senders_ == 0) return request.Decide(ready);
    waiting_.PushBack(request);
  }
  void LeaveWait(OperationState& request) REQUIRES(mutex) { waiting_.Erase(request); }

  void AddSender() {
    MutexLock lock(mutex);
    ++senders_;
  }
  void DropSender() {
    WaiterList ready;
    {
      MutexLock lock(mutex);
      if (--senders_ == 0) WakeReceivers(ready);
    }
    Complete(ready);
  }
  // A receiver that has seen the current value, or what another has seen (W15).
  void AddReceiver(Version& seen, const Version* like) {
    MutexLock lock(mutex);
    ++receivers_;
    seen = like != nullptr ? *like : version_;
  }
  void DropReceiver() {
    WaiterList ready;
    {
      MutexLock lock(mutex);
      if (--receivers_ == 0) {
        while (OperationState* request = closing.PopFront()) request->Decide(ready);
      }
    }
    Complete(ready);
  }
  std::size_t senders() {
    MutexLock lock(mutex);
    return senders_;
  }
  std::size_t receivers() {
    MutexLock lock(mutex);
    return receivers_;
  }

  Mutex mutex;
  IntrusiveList<OperationState> closing GUARDED_BY(mutex);
  bool has_no_receiver() const noexcept REQUIRES(mutex) { return receivers_ == 0; }

 private:
  template <class Condition>
  bool ReplaceIf(Condition condition, Snapshot<T>& next) {
    WaiterList ready;
    {
      MutexLock lock(mutex);
      if (!condition()) return false;
      ReplaceLocked(next, ready);
    }
    Complete(ready);
    return true;
  }
  void ReplaceLocked(Snapshot<T>& next, WaiterList& ready) REQUIRES(mutex) {
    value_.swap(next);
    ++version_;
    WakeReceivers(ready);
  }
  // They look at what is current as their completions run (W7).
  void WakeReceivers(WaiterList& ready) REQUIRES(mutex) {
    while (OperationState* request = waiting_.PopFront()) request->Decide(ready);
  }

  Snapshot<T> value_ GUARDED_BY(mutex);  // never null; lives until all ends are gone (W25)
  Version version_ GUARDED_BY(mutex) = 0;
  IntrusiveList<OperationState> waiting_ GUARDED_BY(mutex);  // have seen version_
  std::size_t senders_ GUARDED_BY(mutex) = 0;
  std::size_t receivers_ GUARDED_BY(mutex) = 0;
};

// A receiver's place in the channel. Shared between the Receiver and its operations, so that a
// waiting one never loses what it has seen.
template <class T>
class Seat {
 public:
  explicit Seat(std::shared_ptr<State<T>> channel) : state(std::move(channel)) {
    state->AddReceiver(seen, nullptr);
  }
  Seat(const Seat& other) : state(other.state) { state->AddReceiver(seen, &other.seen); }
  Seat& operator=(const Seat&) = delete;
  ~Seat() { state->DropReceiver(); }

  const std::shared_ptr<State<T>> state;
  Version seen = 0;  // guarded by state->mutex
};

}  // namespace sluice::channel::watch
