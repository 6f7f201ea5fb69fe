// SPDX-License-Identifier: Apache-2.0
// What grpc.health.v1 answers: the daemon as a whole, one by one its services, and nothing else.
#pragma once

#include <atomic>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "broker/notifier.h"

namespace sluice::rpc {

// Thread-safe.
class Health {
 public:
  // Full names of the services that share the daemon's fate; "" is the daemon.
  static bool IsKnown(std::string_view service);

  bool is_serving() const noexcept { return is_serving_.load(std::memory_order_acquire); }
  void SetServing(bool is_serving);
  // Told of every change until it is gone.
  void Watch(const broker::NotifierPtr& watcher);

 private:
  std::atomic<bool> is_serving_ = false;
  Mutex mutex_;
  std::vector<std::weak_ptr<broker::Notifier>> watchers_ GUARDED_BY(mutex_);
};

}  // namespace sluice::rpc
