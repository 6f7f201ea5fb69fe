// SPDX-License-Identifier: Apache-2.0
// What the waits of a watch receiver ask of it (see operation.h for the shape of a request). They
// are woken by an update or the end, and look at what is current only when their completion runs:
// that coalesces (W7), and one that is destroyed in between has marked nothing (W26).
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "channel/operation_state.h"
#include "channel/outcome.h"
#include "channel/watch_state.h"

namespace sluice::channel::watch {

// What a WaitFor found: the very value its predicate accepted; or why there is none; or what the
// predicate threw, thrown again at whoever first looks (W20), so that a callback, which must not
// throw, can catch it.
template <class T>
class [[nodiscard]] Found {
 public:
  explicit Found(Snapshot<T> value) : outcome_(std::move(value)) {}
  explicit Found(Errc why) : outcome_(why) {}
  explicit Found(std::exception_ptr thrown)
      : outcome_(Errc::kCancelled), thrown_(std::move(thrown)) {}

  bool ok() const { return Looked().ok(); }
  explicit operator bool() const { return ok(); }
  const Snapshot<T>& operator*() const { return *Looked(); }
  const T* operator->() const { return Looked()->get(); }
  Errc error() const { return Looked().error(); }

 private:
  const Result<Snapshot<T>, Errc>& Looked() const {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    return outcome_;
  }

  Result<Snapshot<T>, Errc> outcome_;
  std::exception_ptr thrown_;
};

template <class T>
class SeatRequest : public OperationState {
 public:
  using OperationState::Face;

  Mutex& mutex() noexcept SLUICE_THREAD_ANNOTATION(lock_returned(seat_->state->mutex)) {
    return seat_->state->mutex;
  }
  void Leave(WaiterList&) REQUIRES(seat_->state->mutex) { seat_->state->LeaveWait(*this); }
  void Refuse(Errc why) noexcept { refused_ = why; }

 protected:
  SeatRequest(Face face, std::shared_ptr<Seat<T>> seat)
      : OperationState(face), seat_(std::move(seat)) {}
  ~SeatRequest() = default;

  const std::shared_ptr<Seat<T>> seat_;
  std::optional<Errc> refused_;
};

template <class T>
class ChangedRequest : public SeatRequest<T> {
 public:
  using Outcome = Result<Version, Errc>;

  ChangedRequest(typename ChangedRequest::Face face, std::shared_ptr<Seat<T>> seat)
      : SeatRequest<T>(face, std::move(seat)) {}

  void Enter(WaiterList& ready) REQUIRES(this->seat_->state->mutex) {
    this->seat_->state->EnterWait(*this, this->seat_->seen, ready);
  }
  Outcome Take() {
    if (this->refused_) return *this->refused_;
    Outcome outcome = this->seat_->state->TryChanged(this->seat_->seen);
    SLUICE_CHECK(outcome.ok() || outcome.error() == Errc::kClosed);  // one at a time (G13)
    return outcome;
  }

 protected:
  ~ChangedRequest() = default;
};

// Judges each version once, outside the lock: first the current one, even if it was seen (W17),
// then whatever is current whenever it is woken. Woken without a new version it has met the end
// (W18).
template <class T, class Predicate>
class WaitForRequest : public SeatRequest<T> {
 public:
  using Outcome = Found<T>;

  WaitForRequest(typename WaitForRequest::Face face, std::shared_ptr<Seat<T>> seat,
                 Predicate predicate)
      : SeatRequest<T>(face, std::move(seat)), predicate_(std::move(predicate)) {}

  void Enter(WaiterList& ready) REQUIRES(this->seat_->state->mutex) {
    this->seat_->state->EnterWait(*this, judged_, ready);
  }
  bool Judge() noexcept {
    Versioned<T> current = this->seat_->state->BorrowAndUpdate(this->seat_->seen);
    if (current.version == judged_) {
      this->Refuse(Errc::kClosed);
      return true;
    }
    judged_ = current.version;
    accepted_ = std::move(current.value);
    try {
      return predicate_(*accepted_);
    } catch (...) {
      thrown_ = std::current_exception();
      return true;
    }
  }
  Outcome Take() {
    if (this->refused_) return Found<T>(*this->refused_);
    if (thrown_ != nullptr) return Found<T>(std::move(thrown_));
    return Found<T>(std::move(accepted_));
  }

 protected:
  ~WaitForRequest() = default;

 private:
  Predicate predicate_;
  Version judged_ = kNothing;
  Snapshot<T> accepted_;  // of judged_: the one being judged, then the accepted one
  std::exception_ptr thrown_;
};

}  // namespace sluice::channel::watch
