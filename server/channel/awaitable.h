// SPDX-License-Identifier: Apache-2.0
// co_await for every operation: `while (auto job = co_await receiver.Recv()) ...`. Found only where
// this header is included: the channels themselves know nothing of coroutines.
//
// Resuming    on the thread that completes the operation, and one after the other: a coroutine
//             whose channels are always ready goes behind the others that are ready on its thread,
//             after each co_await (G10), and the stack does not grow.
// Cancelling  destroying the suspended coroutine destroys the operation, which cancels it. A stop
//             token: `co_await sender.Send(v).StopOn(token)`.
// Compiler    g++ 12 destroys temporaries of aggregate type, lambdas with captures among them,
//             twice when they stand inside a co_await expression. Give such a value a name first.
//             Operations and outcomes have constructors and are safe there.
#pragma once

#include <coroutine>

#include "channel/operation.h"

namespace sluice::channel {

template <class Request>
class [[nodiscard]] Awaiter {
 public:
  explicit Awaiter(Operation<Request>& operation) noexcept : operation_(operation) {}

  bool await_ready() const noexcept { return false; }
  // The coroutine may have gone on, and this awaiter with it, before this returns.
  void await_suspend(std::coroutine_handle<> coroutine) { operation_.StartThen(coroutine); }
  typename Operation<Request>::Outcome await_resume() { return operation_.Take(); }

 private:
  Operation<Request>& operation_;
};

template <class Request>
Awaiter<Request> operator co_await(Operation<Request>& operation) noexcept {
  return Awaiter<Request>(operation);
}
template <class Request>
Awaiter<Request> operator co_await(Operation<Request>&& operation) noexcept {
  return Awaiter<Request>(operation);
}

}  // namespace sluice::channel
