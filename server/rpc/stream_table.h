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
#include "rpc/own_peer.h"

namespace sluice::rpc {

// Threads: the constant parts are safe to read; the figures are no synchronisation; the channel is
// set at most once, and read only when `has_channel`.
struct StreamInfo {
  // In nanoseconds of the monotonic clock.
  void WriteBegan(TimePoint now, std::uint64_t bytes) noexcept {
    write_bytes.store(bytes, std::memory_order_relaxed);
    write_began.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void WriteEnded() noexcept { write_began.store(0, std::memory_order_relaxed); }

  std::uint64_t id = 0;  // 0: it is not shown
  std::string method;
  std::string peer;
  bool is_stream = false;
  bool is_counted = false;  // against the bound of its connection
  TimePoint began{};
  std::string channel;
  std::atomic<bool> has_channel = false;
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

// What all of them come to.
struct StreamFigures {
  std::uint64_t streams = 0;
  std::uint64_t unary = 0;
  std::uint64_t stalled = 0;         // whose write has waited longer than kStalled
  Duration stalled_max{0};           // the longest such wait
  std::uint32_t per_connection = 0;  // open calls of the connection that has the most
  std::uint32_t per_address = 0;
};
inline constexpr Duration kStalled = std::chrono::seconds(1);

struct StreamLimits {
  std::uint32_t streams_max = 10'000;
  std::uint32_t streams_per_connection_max = 1'000;
  std::uint32_t streams_per_address_max = 0;  // 0: no bound
};

// Thread-safe. A leaf lock.
class StreamTable {
 public:
  // Calls of `own` are neither bounded nor shown: their id is 0.
  explicit StreamTable(StreamLimits limits, const OwnPeer* own = nullptr)
      : limits_(limits), own_(own) {}

  // RESOURCE_EXHAUSTED, reason TOO_MANY_STREAMS, naming which limit. Unary calls count, too.
  //
  // `info` is to be removed when the call has ended, also that of a call which is refused for what
  // others do: whoever begins calls without end, and does not read that they are refused, meets
  // the bound of his own connection. Null: he has met it.
  Status Add(const std::string& method, const std::string& peer, bool is_stream, TimePoint now,
             std::shared_ptr<StreamInfo>& info);
  void Remove(StreamInfo& info);
  // By the worker of the call, once.
  static void SetChannel(StreamInfo& info, const std::string& channel);

  const StreamLimits& limits() const noexcept { return limits_; }
  std::size_t size() const;     // every open call
  std::size_t streams() const;  // those that are not unary
  StreamFigures Figures(TimePoint now) const;
  // The longest stalled first, then the oldest. Calls begin and end meanwhile: the lock is held
  // only to see which there are.
  std::vector<StreamView> List(TimePoint now) const;

 private:
  const StreamLimits limits_;
  const OwnPeer* const own_;
  mutable Mutex mutex_;
  std::uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  std::size_t streams_ GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<StreamInfo>> infos_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::uint32_t> per_connection_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::uint32_t> per_address_ GUARDED_BY(mutex_);
};

}  // namespace sluice::rpc
