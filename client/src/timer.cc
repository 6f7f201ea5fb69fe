// SPDX-License-Identifier: Apache-2.0
#include "timer.h"

#include <utility>

#include "grpc_time.h"

namespace sluice {
inline namespace abi1 {

Timer::Timer(Handler handler) : handler_(std::move(handler)) {}

std::shared_ptr<Timer> Timer::Start(grpc::CompletionQueue& queue, Deadline at, Handler handler) {
  std::shared_ptr<Timer> timer(new Timer(std::move(handler)));
  timer->self_ = timer;
  timer->alarm_.Set(&queue, ToGrpc(at), static_cast<Completion*>(timer.get()));
  return timer;
}

void Timer::Complete(bool ok) {
  const std::shared_ptr<Timer> self = std::move(self_);
  const Handler handler = std::move(handler_);
  handler(ok);
}

}  // namespace abi1
}  // namespace sluice
