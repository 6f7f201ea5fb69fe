// SPDX-License-Identifier: Apache-2.0
// The sending ends of an mpsc channel. Every call is safe from many threads at once, on one object
// too (G13). A moved-from sender is inert: it may only be destroyed or assigned to.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "channel/mpsc_channel.h"
#include "channel/mpsc_permit.h"
#include "channel/mpsc_request.h"
#include "channel/operation.h"

namespace sluice::channel::mpsc {

// Does not keep the stream open; `Strong` is what it upgrades to.
template <class T, template <class> class Strong>
class Weak {
 public:
  explicit Weak(std::shared_ptr<Channel<T>> channel) : channel_(std::move(channel)) { Count(+1); }
  Weak(const Weak& other) : channel_(other.channel_) { Count(+1); }
  Weak(Weak&&) noexcept = default;
  Weak& operator=(Weak other) noexcept {
    channel_.swap(other.channel_);
    return *this;
  }
  ~Weak() { Count(-1); }

  // None once the last strong sender is gone, and for ever after (M47).
  std::optional<Strong<T>> Upgrade() const {
    Senders<T> senders = channel_->senders().lock();
    if (senders == nullptr) return std::nullopt;
    return Strong<T>(std::move(senders));
  }
  std::size_t strong_count() const noexcept { return StrongCount(*channel_); }
  std::size_t weak_count() const noexcept { return channel_->weak_count(); }
  bool SameChannel(const Weak& other) const noexcept { return channel_ == other.channel_; }

  static std::size_t StrongCount(const Channel<T>& channel) noexcept {
    return static_cast<std::size_t>(channel.senders().use_count());
  }

 private:
  void Count(int by) noexcept {
    if (channel_ != nullptr) channel_->weak_count() += static_cast<std::size_t>(by);
  }

  std::shared_ptr<Channel<T>> channel_;
};

// What a sender of a bounded and of an unbounded channel have in common.
template <class T, template <class> class Self>
class SenderEnd {
 public:
  // Completes when the receiver closes or is gone; queued values do not delay it (M40).
  Operation<ClosedRequest<T>> Closed() const { return Operation<ClosedRequest<T>>(side().channel); }
  bool is_closed() const { return channel().is_closed(); }
  std::size_t strong_count() const noexcept { return Weak<T, Self>::StrongCount(channel()); }
  std::size_t weak_count() const noexcept { return channel().weak_count(); }
  Weak<T, Self> Downgrade() const { return Weak<T, Self>(side().channel); }
  bool SameChannel(const Self<T>& other) const noexcept { return senders_ == other.senders_; }

 protected:
  explicit SenderEnd(Senders<T> senders) : senders_(std::move(senders)) {}
  ~SenderEnd() = default;
  SenderEnd(const SenderEnd&) = default;
  SenderEnd(SenderEnd&&) noexcept = default;
  SenderEnd& operator=(const SenderEnd&) = default;
  SenderEnd& operator=(SenderEnd&&) noexcept = default;

  const Senders<T>& senders() const noexcept {
    SLUICE_CHECK(senders_ != nullptr);
    return senders_;
  }
  const SenderSide<T>& side() const noexcept { return *senders(); }
  Channel<T>& channel() const noexcept { return *side().channel; }

 private:
  Senders<T> senders_;
};

// Of a bounded channel. A copy is another producer; dropping the last ends the stream.
template <class T>
class Sender : public SenderEnd<T, Sender> {
 public:
  // From the channel: mpsc::Bounded() makes one.
  explicit Sender(Senders<T> senders) : SenderEnd<T, mpsc::Sender>(std::move(senders)) {}

  // Waits for a slot, in line. Accepted, or handed back with kClosed (M11).
  Operation<SendRequest<T>> Send(T value) const {
    return Operation<SendRequest<T>>(this->senders(), std::move(value));
  }
  // kFull, kClosed (M12).
  Sent<T> TrySend(T value) const { return this->channel().TrySend(std::move(value)); }
  // Blocks this thread for at most `limit`: kTimedOut, kClosed. With a free slot it succeeds even
  // if `limit` is zero (M13).
  Sent<T> SendFor(T value, Duration limit) const {
    return Send(std::move(value)).WaitUntil(Later(SystemClock().Now(), limit));
  }

  // As that many sends back to back, with one lock and one wake. Refused or cancelled, what is not
  // yet in the channel comes back (M50). None at all is accepted by any open channel at once.
  Operation<SendManyRequest<T>> SendMany(std::vector<T> values) const {
    return Operation<SendManyRequest<T>>(this->senders(), std::move(values));
  }
  Sent<std::vector<T>> TrySendMany(std::vector<T> values) const {
    return this->channel().TrySendMany(std::move(values));
  }

  // Waits for a slot, or for n, in the same line. kClosed; kTooMany if n exceeds the capacity
  // (M22).
  Operation<ReserveRequest<T, Permit<T>>> Reserve() const {
    return Operation<ReserveRequest<T, Permit<T>>>(this->senders(), std::size_t{1});
  }
  Operation<ReserveRequest<T, Permits<T>>> Reserve(std::size_t n) const {
    return Operation<ReserveRequest<T, Permits<T>>>(this->senders(), n);
  }
  // kFull, kClosed, kTooMany.
  Result<Permit<T>, Errc> TryReserve() const {
    const Result<std::size_t, Errc> slots = this->channel().TryReserve(1);
    if (!slots.ok()) return slots.error();
    return Permit<T>(this->senders());
  }
  Result<Permits<T>, Errc> TryReserve(std::size_t n) const {
    const Result<std::size_t, Errc> slots = this->channel().TryReserve(n);
    if (!slots.ok()) return slots.error();
    return Permits<T>(this->senders(), n);
  }

  std::size_t capacity() const { return this->channel().capacity(); }  // free slots now (M25)
  std::size_t max_capacity() const { return this->channel().max_capacity(); }
};

template <class T>
using WeakSender = Weak<T, Sender>;

// Of an unbounded channel: never waits, has no slots to reserve (M2).
template <class T>
class UnboundedSender : public SenderEnd<T, UnboundedSender> {
 public:
  // From the channel: mpsc::Unbounded() makes one.
  explicit UnboundedSender(Senders<T> senders)
      : SenderEnd<T, mpsc::UnboundedSender>(std::move(senders)) {}

  // kClosed.
  Sent<T> Send(T value) const { return this->channel().TrySend(std::move(value)); }
  Sent<std::vector<T>> SendMany(std::vector<T> values) const {
    return this->channel().TrySendMany(std::move(values));
  }
};

template <class T>
using WeakUnboundedSender = Weak<T, UnboundedSender>;

}  // namespace sluice::channel::mpsc
