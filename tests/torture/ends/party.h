// SPDX-License-Identifier: Apache-2.0
// One pair of ends at work on a channel of its own, over the client's public headers alone, while
// the daemon is killed and started again under it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sluice/client.h"

namespace sluice::torture {

inline constexpr std::chrono::seconds kPatience{60};

// As fast as a daemon comes back.
inline ReconnectOptions Quick() {
  ReconnectOptions quick;
  quick.base = std::chrono::milliseconds(20);
  quick.cap = std::chrono::milliseconds(200);
  return quick;
}

class Party {
 public:
  explicit Party(std::string name) : name_(std::move(name)) {}
  virtual ~Party() = default;
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  const std::string& name() const { return name_; }
  // Things that went through from one end to the other.
  std::uint64_t progress() const { return progress_.load(); }
  // Ends the work, lets everything that is under way come to its end, and looks at the sums.
  virtual void Stop() = 0;
  // What is known of it, for people.
  virtual std::string told() const = 0;

  std::vector<std::string> violations() const {
    std::lock_guard lock(mutex_);
    return violations_;
  }

 protected:
  void Progress() { ++progress_; }
  void Require(bool holds, const std::string& promise) {
    if (holds) return;
    std::lock_guard lock(mutex_);
    if (violations_.size() < 20) violations_.push_back(name_ + ": " + promise);
  }
  bool is_over() const { return is_over_.load(); }
  void End() { is_over_ = true; }

 private:
  const std::string name_;
  std::atomic<std::uint64_t> progress_ = 0;
  std::atomic<bool> is_over_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> violations_;
};

// Throw std::runtime_error if an end cannot be opened. The client outlives them.
std::unique_ptr<Party> MakeQueueParty(Client& client);
std::unique_ptr<Party> MakeTopicParty(Client& client);
std::unique_ptr<Party> MakeRequestParty(Client& client);
std::unique_ptr<Party> MakeConfigParty(Client& client);

// The value, or an exception with the status.
template <class T>
T Opened(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

}  // namespace sluice::torture
