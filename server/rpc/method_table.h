// SPDX-License-Identifier: Apache-2.0
// Which methods this daemon serves, by full name. One table for every service, since every call
// arrives through one generic service (docs/decisions).
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace sluice::rpc {

class Call;
class Handler;

struct Method {
  std::function<std::unique_ptr<Handler>(Call&)> make;
  bool is_stream = false;
  // What empties or observes the daemon goes on while it drains; the rest is refused.
  bool is_served_while_draining = false;
  std::size_t index = 0;  // from 1, given by Add
};

// Filled before the server starts; then read by every worker.
class MethodTable {
 public:
  // `name` as on the wire: "/sluice.v1.QueueService/Send".
  void Add(std::string name, Method method) {
    method.index = methods_.size() + 1;
    methods_.emplace(std::move(name), std::move(method));
  }
  const Method* Find(const std::string& name) const {
    const auto it = methods_.find(name);
    return it == methods_.end() ? nullptr : &it->second;
  }

  const std::unordered_map<std::string, Method>& all() const noexcept { return methods_; }

  void StartDrain() { is_draining_.store(true, std::memory_order_relaxed); }
  bool is_draining() const { return is_draining_.load(std::memory_order_relaxed); }

 private:
  std::unordered_map<std::string, Method> methods_;
  std::atomic<bool> is_draining_ = false;
};

}  // namespace sluice::rpc
