// SPDX-License-Identifier: Apache-2.0
// The receiving end of an mpsc channel: one, move-only. It may move between threads, but only one
// receive may be in progress at a time (G13). A moved-from receiver is inert.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "channel/mpsc_channel.h"
#include "channel/mpsc_request.h"
#include "channel/operation.h"

namespace sluice::channel::mpsc {

template <class T>
class Receiver {
 public:
  // From the channel: mpsc::Bounded() and mpsc::Unbounded() make one.
  explicit Receiver(std::shared_ptr<Channel<T>> channel) : channel_(std::move(channel)) {}
  Receiver(Receiver&&) noexcept = default;
  Receiver& operator=(Receiver&& other) noexcept {
    Receiver(std::move(other)).channel_.swap(channel_);
    return *this;
  }
  // Closes, and destroys what is queued, here and now (M38). A receive in progress ends.
  ~Receiver() {
    if (channel_ != nullptr) channel_->OnReceiverGone();
  }

  // A value; or kClosed: the end, for good (M37).
  Operation<RecvRequest<T>> Recv() { return Operation<RecvRequest<T>>(checked()); }
  // Waits for at least one value, then appends all there are to `out`, at most `limit`. Their
  // number; 0 is the end, or a limit of 0 (M44). `out` must outlive the operation, and is not to be
  // touched while it is in progress.
  Operation<RecvManyRequest<T>> RecvMany(std::vector<T>& out, std::size_t limit) {
    return Operation<RecvManyRequest<T>>(checked(), out, limit);
  }
  // A value; kEmpty: nothing now; kClosed: nothing any more (M41). Never falsely kEmpty (M42).
  Result<T, Errc> TryRecv() { return checked()->TryRecv(); }

  // Refuses what comes from now on. What was accepted, and what permits still send, is received
  // (M30, M31). Idempotent.
  void Close() { checked()->Close(); }

  // Closed by Close(), or no strong sender is left; values may remain (M35).
  bool is_closed() const { return checked()->is_closed_for_receiver(); }
  std::size_t size() const { return checked()->size(); }  // queued values (M26)
  bool empty() const { return size() == 0; }
  std::size_t capacity() const { return checked()->capacity(); }
  std::size_t max_capacity() const { return checked()->max_capacity(); }
  std::size_t strong_count() const {
    return static_cast<std::size_t>(checked()->senders().use_count());
  }
  std::size_t weak_count() const { return checked()->weak_count(); }

 private:
  const std::shared_ptr<Channel<T>>& checked() const noexcept {
    SLUICE_CHECK(channel_ != nullptr);
    return channel_;
  }

  std::shared_ptr<Channel<T>> channel_;
};

}  // namespace sluice::channel::mpsc
