// SPDX-License-Identifier: Apache-2.0
// What the receives of a broadcast ask of it (see operation.h for the shape of a request). A
// waiting one is woken by the send, and reads when its completion runs: one that is destroyed in
// between has read nothing (B25), and one that is slow may be told a lag.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "channel/broadcast_state.h"
#include "channel/operation_state.h"
#include "channel/outcome.h"

namespace sluice::channel::broadcast {

template <class T>
class SeatRequest : public OperationState {
 public:
  using OperationState::Face;

  Mutex& mutex() noexcept SLUICE_THREAD_ANNOTATION(lock_returned(seat_->state->mutex)) {
    return seat_->state->mutex;
  }
  void Enter(WaiterList& ready) REQUIRES(seat_->state->mutex) {
    seat_->state->EnterReceive(*this, seat_->cursor, ready);
  }
  void Leave(WaiterList&) REQUIRES(seat_->state->mutex) { seat_->state->LeaveReceive(*this); }
  void Refuse(Errc why) noexcept { refused_ = why; }

 protected:
  SeatRequest(Face face, std::shared_ptr<Seat<T>> seat)
      : OperationState(face), seat_(std::move(seat)) {}
  ~SeatRequest() = default;

  // Nobody else may have read meanwhile: a receiver is one at a time (G13).
  template <class Outcome>
  static Outcome Found(Outcome outcome) {
    SLUICE_CHECK(outcome.ok() || outcome.error() != NoValue(Errc::kEmpty));
    return outcome;
  }

  const std::shared_ptr<Seat<T>> seat_;
  std::optional<Errc> refused_;
};

template <class T>
class RecvRequest : public SeatRequest<T> {
 public:
  using Outcome = Item<T>;

  RecvRequest(typename RecvRequest::Face face, std::shared_ptr<Seat<T>> seat)
      : SeatRequest<T>(face, std::move(seat)) {}

  Outcome Take() {
    if (this->refused_) return NoValue(*this->refused_);
    return this->Found(this->seat_->state->TryRecv(this->seat_->cursor));
  }

 protected:
  ~RecvRequest() = default;
};

template <class T>
class RecvManyRequest : public SeatRequest<T> {
 public:
  using Outcome = Result<std::size_t, NoValue>;

  RecvManyRequest(typename RecvManyRequest::Face face, std::shared_ptr<Seat<T>> seat,
                  std::vector<Value<T>>& values, std::size_t limit)
      : SeatRequest<T>(face, std::move(seat)), values_(values), limit_(limit) {}

  void Enter(WaiterList& ready) REQUIRES(this->seat_->state->mutex) {
    if (limit_ == 0) return this->Decide(ready);
    SeatRequest<T>::Enter(ready);
  }
  Outcome Take() {
    if (this->refused_) return NoValue(*this->refused_);
    if (limit_ == 0) return std::size_t{0};
    return this->Found(this->seat_->state->TryRecvMany(this->seat_->cursor, values_, limit_));
  }

 protected:
  ~RecvManyRequest() = default;

 private:
  std::vector<Value<T>>& values_;
  const std::size_t limit_;
};

}  // namespace sluice::channel::broadcast
