// SPDX-License-Identifier: Apache-2.0
// Slots that are owned: room for a message that is yet to be made. A permit is also a strong
// sender, so while one exists the stream has not ended (M24). What it is sent through is fixed by
// its channel; where the value comes out is fixed when it is sent (M6).
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/check.h"
#include "channel/mpsc_channel.h"

namespace sluice::channel::mpsc {

template <class T>
class Sender;

// One slot. Destroyed unspent, it gives the slot to the longest waiter (M19). Move-only; a
// moved-from one owns nothing.
template <class T>
class [[nodiscard]] Permit {
 public:
  // From the channel. Requires: the slot was issued.
  explicit Permit(Senders<T> senders) : senders_(std::move(senders)) {}
  Permit(Permit&&) noexcept = default;
  Permit& operator=(Permit&& other) noexcept {
    Permit(std::move(other)).senders_.swap(senders_);
    return *this;
  }
  ~Permit() {
    if (senders_ != nullptr) senders_->channel->ReturnSlots(1);
  }

  // Never waits and cannot fail, even after a close (M18). The sender comes back.
  Sender<T> Send(T value) && {
    Senders<T> senders = TakeSenders();
    senders->channel->Spend(std::move(value));
    return Sender<T>(std::move(senders));
  }
  // Gives the slot back, and keeps the sender.
  Sender<T> Release() && {
    Senders<T> senders = TakeSenders();
    senders->channel->ReturnSlots(1);
    return Sender<T>(std::move(senders));
  }

  bool SameChannel(const Permit& other) const noexcept { return senders_ == other.senders_; }

 private:
  Senders<T> TakeSenders() {
    SLUICE_CHECK(senders_ != nullptr);
    return std::exchange(senders_, nullptr);
  }

  Senders<T> senders_;
};

// `size()` slots, to be taken one by one (M20). Destroyed, it returns those left in it. Move-only.
template <class T>
class [[nodiscard]] Permits {
 public:
  // From the channel. Requires: that many slots were issued.
  Permits(Senders<T> senders, std::size_t size) : senders_(std::move(senders)), size_(size) {}
  Permits(Permits&& other) noexcept
      : senders_(std::move(other.senders_)), size_(std::exchange(other.size_, 0)) {}
  Permits& operator=(Permits&& other) noexcept {
    Permits taken(std::move(other));
    taken.senders_.swap(senders_);
    std::swap(taken.size_, size_);
    return *this;
  }
  ~Permits() {
    if (size_ > 0) senders_->channel->ReturnSlots(size_);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // None when empty.
  std::optional<Permit<T>> Next() {
    if (size_ == 0) return std::nullopt;
    --size_;
    return Permit<T>(senders_);
  }

  bool SameChannel(const Permits& other) const noexcept { return senders_ == other.senders_; }

 private:
  Senders<T> senders_;
  std::size_t size_;
};

}  // namespace sluice::channel::mpsc
