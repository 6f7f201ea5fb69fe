// SPDX-License-Identifier: Apache-2.0
// What grpc.health.v1 answers: the daemon as a whole, one by one its services, and "liveness":
// whether it is alive, ready or not, for those who would restart it.
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
  static constexpr std::string_view kLiveness = "liveness";

  // Full names of the services that share the daemon's fate; "" is the daemon.
  static bool IsKnown(std::string_view service);

  bool is_serving() const noexcept { return is_ready_ && is_alive_; }
  // Requires: the service is known.
  bool is_serving(std::string_view service) const noexcept {
    return service == kLiveness ? is_alive_.load() : is_serving();
  }
  // Each is told by one thread; they are two, so that none undoes what the other said.
  void SetServing(bool is_serving) { Set(is_ready_, is_serving); }
  void SetAlive(bool is_alive) { Set(is_alive_, is_alive); }
  // Told of every change until it is gone.
  void Watch(const broker::NotifierPtr& watcher);

 private:
  void Set(std::atomic<bool>& what, bool value);

  std::atomic<bool> is_ready_ = false;
  std::atomic<bool> is_alive_ = true;
  Mutex mutex_;
  std::vector<std::weak_ptr<broker::Notifier>> watchers_ GUARDED_BY(mutex_);
};

}  // namespace sluice::rpc
