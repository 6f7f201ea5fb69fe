// SPDX-License-Identifier: Apache-2.0
// Every service of the daemon, and what they share. Each adds its methods to the table.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "broker/broker.h"
#include "rpc/bound.h"
#include "rpc/connections.h"
#include "rpc/health.h"
#include "rpc/method_table.h"
#include "rpc/stream_table.h"

namespace sluice::rpc {

// Outlives every call.
struct Services {
  broker::Broker& broker;
  StreamTable& streams;
  Connections& connections;
  Health& health;
  TimePoint started;
  std::uint64_t started_unix_us;
  bool remote_admin;
  std::chrono::milliseconds keepalive_time;
  std::chrono::milliseconds keepalive_timeout;
  std::chrono::milliseconds ping_interval_min;
  std::chrono::milliseconds drain_delay;
  std::chrono::milliseconds drain_grace;
  std::uint32_t workers;
  std::function<void(std::chrono::milliseconds grace)> drain_requested;
};

// As ServerInfo tells them.
std::vector<Bound> BoundsInForce(const Services& services);

void AddQueueService(const Services& services, MethodTable& methods);
void AddTopicService(const Services& services, MethodTable& methods);
void AddRequestService(const Services& services, MethodTable& methods);
void AddConfigService(const Services& services, MethodTable& methods);
void AddSessionService(const Services& services, MethodTable& methods);
void AddAdminService(const Services& services, MethodTable& methods);
void AddHealthService(const Services& services, MethodTable& methods);
void AddReflectionService(MethodTable& methods);

}  // namespace sluice::rpc
