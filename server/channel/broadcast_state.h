// SPDX-License-Identifier: Apache-2.0
// What the ends of a broadcast share: the ring, who waits for its next value, and how many of each
// kind of handle there are. One lock, never held while a value dies or a completion runs (G6).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "base/intrusive_list.h"
#include "base/mutex.h"
#include "channel/broadcast_ring.h"
#include "channel/operation_state.h"
#include "channel/outcome.h"

namespace sluice::channel::broadcast {

// Why a receive brought no value: kEmpty, kClosed, kTimedOut, kCancelled, or how many were missed.
using NoValue = std::variant<Errc, Lagged>;

template <class T>
using Item = Result<Value<T>, NoValue>;

// What one value weighs against the ring's bound in bytes. Runs without a lock.
template <class T>
using Weigh = std::function<std::size_t(const T&)>;

template <class T>
class State {
 public:
  State(std::size_t count, std::size_t bytes_max, Weigh<T> weigh)
      : weigh_(std::move(weigh)), ring_(count, bytes_max) {}

  Weighed<T> Weighing(Value<T> value) const {
    const std::size_t bytes = weigh_ ? weigh_(*value) : 0;
    return {std::move(value), bytes};
  }

  // Accepts all of `items`, moving from them, or none if there are no receivers. Returns how many
  // receivers there are (B4).
  std::size_t Publish(std::span<Weighed<T>> items) {
    WaiterList ready;
    Dead<T> dead;
    std::size_t receivers;
    {
      MutexLock lock(mutex);
      receivers = receivers_;
      if (receivers == 0) return 0;
      for (Weighed<T>& item : items) {
        ring_.Push(std::move(item), dead);
      }
      if (!items.empty()) WakeReceivers(ready);
    }
    Complete(ready);
    return receivers;
  }

  // A receiver's cursor joins at the end, or goes.
  void Join(Position& cursor) {
    MutexLock lock(mutex);
    ring_.Join(cursor);
    ++receivers_;
  }
  void Leave(const Position& cursor) {
    WaiterList ready;
    Dead<T> dead;
    {
      MutexLock lock(mutex);
      ring_.Leave(cursor, dead);
      if (--receivers_ == 0) {
        while (auto* request = closing.PopFront()) request->Decide(ready);
      }
    }
    Complete(ready);
  }

  Item<T> TryRecv(Position& cursor) {
    MutexLock lock(mutex);
    if (std::optional<NoValue> none = WhyNone(cursor)) return *none;
    return ring_.Read(cursor);
  }
  // Appends what there is, up to `limit` ≥ 1 values, and tells how many.
  Result<std::size_t, NoValue> TryRecvMany(Position& cursor, std::vector<Value<T>>& values,
                                           std::size_t limit) {
    MutexLock lock(mutex);
    if (std::optional<NoValue> none = WhyNone(cursor)) return *none;
    std::size_t taken = 0;
    for (; taken < limit && cursor != ring_.next(); ++taken) values.push_back(ring_.Read(cursor));
    return taken;
  }

  // A receive stands in line, unless it would find something.
  void EnterReceive(OperationState& request, const Position& cursor, WaiterList& ready)
      REQUIRES(mutex) {
    if (cursor != ring_.next() || senders_ == 0) return request.Decide(ready);
    waiting_.PushBack(request);
  }
  void LeaveReceive(OperationState& request) REQUIRES(mutex) { waiting_.Erase(request); }

  // B13: sent and not read by this receiver, what was overwritten included.
  Position BehindNext(const Position& cursor) {
    MutexLock lock(mutex);
    return ring_.next() - cursor;
  }
  Position PositionOf(const Position& cursor) {
    MutexLock lock(mutex);
    return cursor;
  }

  void AddSender() {
    MutexLock lock(mutex);
    ++senders_;
  }
  // Only if there is one, in this very instant (M47).
  bool TryAddSender() {
    MutexLock lock(mutex);
    if (senders_ == 0) return false;
    ++senders_;
    return true;
  }
  void DropSender() {
    WaiterList ready;
    {
      MutexLock lock(mutex);
      if (--senders_ == 0) WakeReceivers(ready);
    }
    Complete(ready);
  }
  void AddWeak() {
    MutexLock lock(mutex);
    ++weak_senders_;
  }
  void DropWeak() {
    MutexLock lock(mutex);
    --weak_senders_;
  }

  std::size_t senders() { return Locked(senders_); }
  std::size_t weak_senders() { return Locked(weak_senders_); }
  std::size_t receivers() { return Locked(receivers_); }
  std::size_t size() {
    MutexLock lock(mutex);
    return ring_.size();
  }
  Position next() {
    MutexLock lock(mutex);
    return ring_.next();
  }
  Position oldest() {
    MutexLock lock(mutex);
    return ring_.oldest();
  }
  std::size_t capacity() const noexcept { return ring_.capacity(); }

  mutable Mutex mutex;
  IntrusiveList<OperationState> closing GUARDED_BY(mutex);
  bool has_no_receiver() const noexcept REQUIRES(mutex) { return receivers_ == 0; }

 private:
  // What stands before the next value of `cursor`, if anything does (B6, B8).
  std::optional<NoValue> WhyNone(Position& cursor) REQUIRES(mutex) {
    if (const Position missed = ring_.CatchUp(cursor); missed != 0) return Lagged(missed);
    if (cursor != ring_.next()) return std::nullopt;
    return senders_ == 0 ? Errc::kClosed : Errc::kEmpty;
  }

  // They take what they were woken for as their completions run; until then it is owed to them.
  void WakeReceivers(WaiterList& ready) REQUIRES(mutex) {
    while (OperationState* request = waiting_.PopFront()) request->Decide(ready);
  }

  std::size_t Locked(const std::size_t& count) {
    MutexLock lock(mutex);
    return count;
  }

  const Weigh<T> weigh_;
  Ring<T> ring_;  // guarded by mutex, but for its capacity
  IntrusiveList<OperationState> waiting_ GUARDED_BY(mutex);  // receives whose cursor is at the end
  std::size_t senders_ GUARDED_BY(mutex) = 0;
  std::size_t weak_senders_ GUARDED_BY(mutex) = 0;
  std::size_t receivers_ GUARDED_BY(mutex) = 0;
};

// A receiver's place in the channel. Shared between the Receiver and its operations, so that a
// waiting one never loses its cursor.
template <class T>
class Seat {
 public:
  explicit Seat(std::shared_ptr<State<T>> channel) : state(std::move(channel)) {
    state->Join(cursor);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { state->Leave(cursor); }

  const std::shared_ptr<State<T>> state;
  Position cursor = 0;  // guarded by state->mutex
};

}  // namespace sluice::channel::broadcast
