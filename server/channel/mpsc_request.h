// SPDX-License-Identifier: Apache-2.0
// What the operations of an mpsc channel ask of it (see operation.h for the shape of a request).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "channel/mpsc_channel.h"
#include "channel/mpsc_permit.h"
#include "channel/operation.h"

namespace sluice::channel::mpsc {

// What all that stand in the line for slots have in common. It holds a strong sender, as a send in
// progress is a sender in use.
template <class T>
class SenderRequest : public SlotRequest<T> {
 public:
  using Face = OperationState::Face;

  Mutex& mutex() noexcept SLUICE_THREAD_ANNOTATION(lock_returned(channel().mutex())) {
    return channel().mutex();
  }
  void Enter(WaiterList& ready) REQUIRES(channel().mutex()) { channel().Enter(*this, ready); }
  void Leave(WaiterList& ready) REQUIRES(channel().mutex()) { channel().Leave(*this, ready); }
  void Refuse(Errc why) noexcept override { refused_ = why; }

 protected:
  SenderRequest(Face face, Senders<T> senders)
      : SlotRequest<T>(face), senders_(std::move(senders)) {}
  ~SenderRequest() = default;

  Channel<T>& channel() const noexcept { return *senders_->channel; }

  const Senders<T> senders_;
  std::optional<Errc> refused_;
};

// Whoever frees the slot enqueues the value (D1).
template <class T>
class SendRequest : public SenderRequest<T> {
 public:
  using Outcome = Sent<T>;

  SendRequest(typename SendRequest::Face face, Senders<T> senders, T&& value)
      : SenderRequest<T>(face, std::move(senders)), value_(std::move(value)) {}

  bool Serve(typename SendRequest::State& state) noexcept override {
    if (state.slots().IssueUpTo(1) == 0) return false;
    state.Push(std::move(value_));
    return true;
  }
  Outcome Take() {
    if (this->refused_) return Rejected<T>(*this->refused_, std::move(value_));
    return std::monostate();
  }
  T TakeBack() { return std::move(value_); }

 protected:
  ~SendRequest() = default;

 private:
  T value_;
};

// Enters one by one as room comes, and keeps its place at the head until all are in (M50).
template <class T>
class SendManyRequest : public SenderRequest<T> {
 public:
  using Outcome = Sent<std::vector<T>>;

  SendManyRequest(typename SendManyRequest::Face face, Senders<T> senders, std::vector<T>&& values)
      : SenderRequest<T>(face, std::move(senders)), values_(std::move(values)) {}

  void Enter(WaiterList& ready) REQUIRES(this->channel().mutex()) {
    if (values_.empty() && !this->channel().is_closed_locked()) return this->Decide(ready);
    SenderRequest<T>::Enter(ready);
  }
  bool Serve(typename SendManyRequest::State& state) noexcept override {
    for (std::size_t n = state.slots().IssueUpTo(values_.size() - sent_); n > 0; --n) {
      state.Push(std::move(values_[sent_++]));
    }
    return sent_ == values_.size();
  }
  Outcome Take() {
    if (this->refused_) return Rejected<std::vector<T>>(*this->refused_, TakeBack());
    return std::monostate();
  }
  std::vector<T> TakeBack() { return Channel<T>::Rest(values_, sent_); }

 protected:
  ~SendManyRequest() = default;

 private:
  std::vector<T> values_;
  std::size_t sent_ = 0;  // values_[0, sent_) are in the channel
};

// `Grant` is Permit or Permits. The slots belong to the request from the moment they are issued
// (D1).
template <class T, class Grant>
class ReserveRequest : public SenderRequest<T> {
 public:
  using Outcome = Result<Grant, Errc>;

  ReserveRequest(typename ReserveRequest::Face face, Senders<T> senders, std::size_t wanted)
      : SenderRequest<T>(face, std::move(senders)), wanted_(wanted) {}

  void Enter(WaiterList& ready) REQUIRES(this->channel().mutex()) {
    const bool is_too_many = wanted_ > this->channel().max_capacity_locked();
    if (this->channel().is_closed_locked() || (wanted_ > 0 && !is_too_many)) {
      return SenderRequest<T>::Enter(ready);
    }
    if (is_too_many) this->Refuse(Errc::kTooMany);
    this->Decide(ready);
  }
  bool Serve(typename ReserveRequest::State& state) noexcept override {
    held_ += state.slots().IssueUpTo(wanted_ - held_);
    return held_ == wanted_;
  }
  std::size_t Forfeit() noexcept override { return std::exchange(held_, 0); }
  Outcome Take() {
    if (this->refused_) return *this->refused_;
    const std::size_t held = std::exchange(held_, 0);
    if constexpr (std::is_same_v<Grant, Permit<T>>) {
      return Grant(this->senders_);
    } else {
      return Grant(this->senders_, held);
    }
  }

 protected:
  // Issued, and destroyed before anybody was told: the slots go to the next in line (M16).
  ~ReserveRequest() {
    if (held_ > 0) this->channel().ReturnSlots(held_);
  }

 private:
  const std::size_t wanted_;
  std::size_t held_ = 0;
};

// What a request that is not in the line for slots holds: the channel, but no sender.
template <class T>
class ChannelRequest : public OperationState {
 public:
  using OperationState::Face;

  Mutex& mutex() noexcept SLUICE_THREAD_ANNOTATION(lock_returned(channel_->mutex())) {
    return channel_->mutex();
  }
  void Refuse(Errc why) noexcept { refused_ = why; }

 protected:
  ChannelRequest(Face face, std::shared_ptr<Channel<T>> channel)
      : OperationState(face), channel_(std::move(channel)) {}
  ~ChannelRequest() = default;

  const std::shared_ptr<Channel<T>> channel_;
  std::optional<Errc> refused_;
};

template <class T>
class ClosedRequest : public ChannelRequest<T> {
 public:
  using Outcome = Waited;
  using ChannelRequest<T>::ChannelRequest;

  void Enter(WaiterList& ready) REQUIRES(this->channel_->mutex()) {
    this->channel_->EnterClosed(*this, ready);
  }
  void Leave(WaiterList&) REQUIRES(this->channel_->mutex()) { this->channel_->LeaveClosed(*this); }
  Outcome Take() {
    if (this->refused_) return *this->refused_;
    return std::monostate();
  }
};

template <class T>
class RecvRequest : public ChannelRequest<T> {
 public:
  using Outcome = Result<T, Errc>;
  using ChannelRequest<T>::ChannelRequest;

  void Enter(WaiterList& ready) REQUIRES(this->channel_->mutex()) {
    this->channel_->EnterReceiver(*this, ready);
  }
  void Leave(WaiterList&) REQUIRES(this->channel_->mutex()) { this->channel_->LeaveReceiver(); }
  Outcome Take() {
    if (this->refused_) return *this->refused_;
    Outcome outcome = this->channel_->TryRecv();
    // Nobody else may have taken it: one receive at a time (G13).
    SLUICE_CHECK(outcome.ok() || outcome.error() == Errc::kClosed);
    return outcome;
  }
};

template <class T>
class RecvManyRequest : public ChannelRequest<T> {
 public:
  using Outcome = Result<std::size_t, Errc>;

  RecvManyRequest(typename RecvManyRequest::Face face, std::shared_ptr<Channel<T>> channel,
                  std::vector<T>& out, std::size_t limit)
      : ChannelRequest<T>(face, std::move(channel)), out_(out), limit_(limit) {}

  void Enter(WaiterList& ready) REQUIRES(this->channel_->mutex()) {
    if (limit_ == 0) return this->Decide(ready);
    this->channel_->EnterReceiver(*this, ready);
  }
  void Leave(WaiterList&) REQUIRES(this->channel_->mutex()) { this->channel_->LeaveReceiver(); }
  Outcome Take() {
    if (this->refused_) return *this->refused_;
    if (limit_ == 0) return std::size_t{0};
    return this->channel_->TakeMany(out_, limit_);
  }

 private:
  std::vector<T>& out_;
  const std::size_t limit_;
};

}  // namespace sluice::channel::mpsc
