// SPDX-License-Identifier: Apache-2.0
// mpsc.h: one queue, many senders, one receiver; bounded by slots, or not at all.
//
// Closing    By the receiver: Close() refuses new values, fails everybody in line, and lets what
//            was accepted and what permits still send be received; destroying the receiver also
//            destroys what is queued. By the senders: dropping the last strong one, permits
//            included, ends the stream once the queue is drained. Either is for good (M30-M40).
// Ordering   One total order per channel: values come out as they were enqueued, each sender's own
//            in the order it sent them. Waiting sends and reserves share one line, served strictly
//            from its head: nobody barges in, and a large request holds back small ones (M5-M10).
//            A value's place is fixed when it is enqueued, not when its slot was reserved.
// Waiting    A slot issued is an operation completed: whoever frees it enqueues the waiting value
//            (D1). A cancelled send is not sent, and the value comes back (D2). A cancelled receive
//            has consumed nothing.
// Threads    Sender: any number at once, on one object too. Receiver: one receive at a time; it may
//            move between threads. Callbacks run on the thread that caused them, without a lock.
// Memory     Grows with what is queued, not with the capacity (M4). T needs a nothrow move and a
//            nothrow destructor, nothing else; its move, and the destructor of what it was moved
//            out of, run under the channel's lock and must not use the channel.
// Cost       Send and Recv: one mutex and O(1), plus one step for each waiter they complete. Close:
//            one step for each waiter.
//
// Example    (the region [mpsc] of tests/channel/mpsc_test.cc)
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

#include "channel/mpsc_channel.h"
#include "channel/mpsc_permit.h"
#include "channel/mpsc_receiver.h"
#include "channel/mpsc_sender.h"

namespace sluice::channel::mpsc {

inline constexpr std::size_t kCapacityMax = std::numeric_limits<std::size_t>::max() >> 3;

template <class T, class End>
std::pair<End, Receiver<T>> MakeChannel(std::size_t slots) {
  auto channel = std::make_shared<Channel<T>>(slots);
  auto senders = std::make_shared<SenderSide<T>>(channel);
  channel->set_senders(senders);
  return {End(std::move(senders)), Receiver<T>(std::move(channel))};
}

// A channel of exactly `capacity` slots. Throws std::invalid_argument unless it is in
// 1..kCapacityMax (M1, D7).
template <class T>
std::pair<Sender<T>, Receiver<T>> Bounded(std::size_t capacity) {
  if (capacity == 0 || capacity > kCapacityMax) {
    throw std::invalid_argument("the capacity of an mpsc channel is at least 1 and at most 2^61-1");
  }
  return MakeChannel<T, Sender<T>>(capacity);
}

// A channel whose sends never wait (M2).
template <class T>
std::pair<UnboundedSender<T>, Receiver<T>> Unbounded() {
  return MakeChannel<T, UnboundedSender<T>>(std::numeric_limits<std::size_t>::max());
}

}  // namespace sluice::channel::mpsc
