// SPDX-License-Identifier: Apache-2.0
// Every call that is open, who made it and how it does: the bound on their number, and what
// ListStreams shows. A call's figures are written by its worker and read by anybody.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace sluice::rpc {

// Threads: the constant parts are safe to read; the atomics are figures, not synchronisation; the
// channel is set once, under the table's lock.
struct StreamInfo {
  // In nanoseconds of the monotonic clock.
  void WriteBegan(TimePoint now, std::uint64_t bytes) noexcept {
    write_bytes.store(bytes, std::memory_order_relaxed);
    write_began.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void WriteEnded() noexcept { write_began.store(0, std::memory_order_relaxed); }

  std::uint64_t id = 0;
  std::string method;
  std::string peer;
  bool is_stream = false;
  TimePoint began{};
  std::string channel;  // guarded by the table's lock; empty: none yet
  std::atomic<const char*> state = "open";
  std::atomic<Duration::rep> write_began = 0;  // 0: no write is in flight
  std::atomic<std::uint64_t> write_bytes = 0;
  std::atomic<std::uint64_t> held_messages = 0;     // delivered and not settled
  std::atomic<std::uint64_t> credit_messages = 0;   // the window
  std::atomic<std::uint64_t> waiting_messages = 0;  // read from the client, not yet placed
};

// What one look saw.
struct StreamView {
  std::uint64_t id = 0;
  std::string method;
  std::string peer;
  std::string channel;
  std::string state;
  Duration age{0};
  Duration write_stalled{0};
  std::uint64_t write_bytes = 0;
  std::uint64_t held_messages = 0;
  std::uint64_t credit_messages = 0;
  std::uint64_t waiting_messages = 0;
};

struct StreamLimits {
  std::uint32_t streams_max = 10'000;
  std::uint32_t streams_per_connection_max = 1'000;
  std::uint32_t streams_per_address_max = 0;  // 0: no bound
};

// Thread-safe. A leaf lock.
class StreamTable {
 public:
  explicit StreamTable(StreamLimits limits) : limits_(limits) {}

  // RESOURCE_EXHAUSTED, reason TOO_MANY_STREAMS, naming which limit. Unary calls count, too.
  Result<std::shared_ptr<StreamInfo>> Add(const std::string& method, const std::string& peer,
                                          bool is_stream, TimePoint now);
  void Remove(const std::shared_ptr<StreamInfo>& info);
  void SetChannel(StreamInfo& info, const std::string& channel);

  const StreamLimits& limits() const noexcept { return limits_; }
  std::size_t size() const;     // every open call
  std::size_t streams() const;  // those that are not unary
  // The longest stalled first, then the oldest.
  std::vector<StreamView> List(TimePoint now) const;

 private:
  const StreamLimits limits_;
  mutable Mutex mutex_;
  std::uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  std::size_t streams_ GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<StreamInfo>> infos_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::uint32_t> per_connection_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::uint32_t> per_address_ GUARDED_BY(mutex_);
};

}  // namespace sluice::rpc
