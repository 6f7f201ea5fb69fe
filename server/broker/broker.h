// SPDX-License-Identifier: Apache-2.0
// The channels of every kind by name, and what they share: the one object that rpc/ and admin/
// hold.
//
// Threads: every method may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/channel_space.h"
#include "broker/config.h"
#include "broker/limits.h"
#include "broker/memory_budget.h"
#include "broker/queue.h"
#include "broker/registry.h"
#include "broker/responder.h"
#include "broker/sessions.h"
#include "broker/timers.h"
#include "broker/topics.h"

namespace sluice::broker {

struct BrokerOptions {
  Limits limits;              // bytes_max is lowered to a half of memory_bytes_max
  bool auto_declare = false;  // an unknown name comes to life with defaults
};

class Broker {
 public:
  Broker(BrokerOptions options, const Clock& clock);
  ~Broker();

  const Limits& limits() const noexcept { return space_.limits; }
  const Clock& clock() const noexcept { return clock_; }
  Timers& timers() noexcept { return timers_; }
  const MemoryBudget& memory() const noexcept { return memory_; }
  Sessions& sessions() noexcept { return *sessions_; }

  Registry<Queue>& queues() noexcept { return queues_; }
  const Registry<Queue>& queues() const noexcept { return queues_; }
  Topics& topics() noexcept { return topics_; }
  Registry<Responder>& responders() noexcept { return responders_; }
  const std::shared_ptr<Config>& config() const noexcept { return config_; }

  // Named channels of all kinds, config keys included.
  std::uint32_t channels() const noexcept { return space_.channels; }

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
    std::uint64_t topics = 0;
    std::uint64_t publishers = 0;
    std::uint64_t waiting_publishes = 0;
    std::uint64_t subscribers = 0;
    std::uint64_t responders = 0;
    std::uint64_t workers = 0;
    std::uint64_t queued_calls = 0;
    std::uint64_t calls_in_flight = 0;
    std::uint64_t keys = 0;
    std::uint64_t watchers = 0;
    std::uint64_t waiting_gets = 0;
  };
  Totals totals() const;

  // Refuses declarations and closes every channel, reason kShuttingDown (N41). Idempotent.
  void StartDrain();
  bool is_draining() const noexcept;
  // No channel with a consumer attached has anything left to deliver or settle, and no call is in
  // flight.
  bool is_drained() const;
  struct Lost {
    std::string queue;
    std::uint64_t messages = 0;
  };
  // Past the grace: ends everybody, destroys what is left. Names what memory queues lose.
  std::vector<Lost> FinishDrain();

 private:
  class Forgetting;

  const Clock& clock_;
  Timers timers_;
  MemoryBudget memory_;
  ChannelSpace space_;
  std::shared_ptr<Sessions> sessions_;
  Registry<Queue> queues_;
  Topics topics_;
  Registry<Responder> responders_;
  const std::shared_ptr<Config> config_;
  const std::shared_ptr<Forgetting> forgetting_;
};

}  // namespace sluice::broker
