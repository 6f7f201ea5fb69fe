// SPDX-License-Identifier: Apache-2.0
// Names to channels, and what all channels share: the one object that rpc/ and admin/ hold.
//
// Threads: every method may be called from any thread. The registry's lock is never held while a
// channel is called.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/limits.h"
#include "broker/queue.h"
#include "broker/sessions.h"
#include "broker/timers.h"

namespace sluice::broker {

struct BrokerOptions {
  Limits limits;
  bool auto_declare = false;  // an unknown name comes to life with defaults
};

class Broker {
 public:
  Broker(BrokerOptions options, const Clock& clock);
  ~Broker();

  const Limits& limits() const noexcept { return options_.limits; }
  const Clock& clock() const noexcept { return clock_; }
  Timers& timers() noexcept { return timers_; }
  Sessions& sessions() noexcept { return *sessions_; }

  struct Declared {
    std::shared_ptr<Queue> queue;
    bool created = false;
  };
  // N5: same name and effective spec, same queue; otherwise FAILED_PRECONDITION, reason
  // DECLARED_OTHERWISE, naming the first field that differs. An ended queue's name gives a new one,
  // with a new epoch; ended queues give way when there are too many. INVALID_ARGUMENT for the name
  // or the spec; RESOURCE_EXHAUSTED, reason TOO_MANY_CHANNELS; UNAVAILABLE, reason DRAINING.
  Result<Declared> DeclareQueue(const std::string& name, const QueueSpec& spec);
  // For looking and settling: NOT_FOUND, reason QUEUE_NOT_FOUND; declares nothing.
  Result<std::shared_ptr<Queue>> LookUpQueue(const std::string& name) const;
  // For using: as LookUpQueue, but with auto_declare an unknown name comes to life.
  Result<std::shared_ptr<Queue>> FindQueue(const std::string& name);
  // As an open does it: with a spec DeclareQueue, without FindQueue.
  Result<std::shared_ptr<Queue>> OpenQueue(const std::string& name,
                                           const std::optional<QueueSpec>& spec);
  // N4. The name is free at once. Returns how many messages were destroyed.
  Result<std::uint64_t> DeleteQueue(const std::string& name);
  // In order of name, from after `after`, at most `count`, names that begin with `prefix`.
  std::vector<std::shared_ptr<Queue>> ListQueues(const std::string& prefix,
                                                 const std::string& after, std::size_t count) const;

  // Live counts over everything, for ServerInfo and tests of "nothing leaks".
  struct Totals {
    std::uint64_t queues = 0;
    std::uint64_t waiting_sends = 0;
    std::uint64_t waiting_receives = 0;
    std::uint64_t sessions = 0;
    std::uint64_t leases = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t depth = 0;
    std::uint64_t retained_bytes = 0;
    std::uint64_t producers = 0;
    std::uint64_t consumers = 0;
  };
  Totals totals() const;

  // Refuses declarations and closes every channel, reason kShuttingDown (N41). Idempotent.
  void StartDrain();
  bool is_draining() const noexcept;
  // No channel with a consumer attached has anything left to deliver or settle.
  bool is_drained() const;
  struct Lost {
    std::string queue;
    std::uint64_t messages = 0;
  };
  // Past the grace: ends everybody, destroys what is left. Names what memory queues lose.
  std::vector<Lost> FinishDrain();

 private:
  void DropEnded() REQUIRES(mutex_);
  std::vector<std::shared_ptr<Queue>> AllQueues() const;

  BrokerOptions options_;
  const Clock& clock_;
  Timers timers_;
  std::shared_ptr<Sessions> sessions_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<Queue>> queues_ GUARDED_BY(mutex_);
  std::atomic<bool> is_draining_ = false;
};

}  // namespace sluice::broker
