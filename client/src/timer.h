// SPDX-License-Identifier: Apache-2.0
// Something to do at a point in time, on the thread that polls a completion queue.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <functional>
#include <memory>

#include "completion.h"
#include "sluice/deadline.h"

namespace sluice {
inline namespace abi1 {

class Timer final : public Completion {
 public:
  // What to do; false: it was cancelled before its time.
  using Handler = std::function<void(bool is_time)>;

  // The handler is called exactly once, whoever still holds the timer.
  static std::shared_ptr<Timer> Start(grpc::CompletionQueue& queue, Deadline at, Handler handler);

  // From any thread; the handler follows at once, on its own.
  void Cancel() { alarm_.Cancel(); }

 private:
  explicit Timer(Handler handler);
  void Complete(bool ok) override;

  grpc::Alarm alarm_;
  Handler handler_;
  std::shared_ptr<Timer> self_;  // Until the handler has run.
};

}  // namespace abi1
}  // namespace sluice
