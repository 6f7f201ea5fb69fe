// SPDX-License-Identifier: Apache-2.0
// What the workers count: calls and frames by method, refusals by reason, the ages of what was
// delivered, and how busy each worker is. No gRPC type in this header.
//
// Threads    a worker writes its own cells and nobody else's, without a lock; anybody reads. The
//            reasons of refusals have a lock for each worker: a refused call is not the common
//            path.
// Conserved  started - handled = open, for each method, when no call begins or ends meanwhile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cell.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/time_histogram.h"
#include "broker/delivery.h"

namespace sluice::rpc {

enum class CallType : std::uint8_t { kUnary, kClientStream, kServerStream, kBidiStream };

struct MethodName {
  std::string service;  // "sluice.v1.QueueService"
  std::string method;   // "Send"
  CallType type = CallType::kUnary;
};

inline constexpr std::size_t kCodes = 17;  // gRPC's canonical ones

// Of one method on one worker.
struct alignas(64) MethodCells {
  Cell started;
  Cell received;  // frames
  Cell received_bytes;
  Cell sent;
  Cell sent_bytes;
  std::array<Cell, kCodes> handled;  // by status
  TimeHistogram handling;            // unary calls
};

struct MethodFigures {
  MethodName name;
  std::uint64_t started = 0;
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::array<std::uint64_t, kCodes> handled{};
  TimeBuckets handling;
};

struct WorkerFigures {
  Duration busy{0};  // not waiting for events; counted when a wait begins
  std::uint64_t turns = 0;
  std::uint64_t events = 0;
};

// Of one worker.
class alignas(64) WorkerCells {
 public:
  explicit WorkerCells(std::size_t methods) : methods_(methods) {}

  MethodCells& method(std::size_t index) noexcept { return methods_[index]; }
  // Calls that ended with an error, by its reason. At most kReasonsMax are told apart.
  void CountRefused(const std::string& reason);

  // --- the loop ---
  void TurnBegins(TimePoint now) noexcept;
  void WaitEnds(TimePoint now) noexcept { woke_at_ = now; }
  void TurnEnds(std::uint64_t events) noexcept;

  // --- ages: from acceptance to the transport, each message of a run as old as the others ---
  void QueueDelivers(const std::vector<broker::Run>& runs, std::uint64_t now_unix_us) noexcept {
    Observe(runs, now_unix_us, queue_ages_);
  }
  void TopicDelivers(const std::vector<broker::Run>& runs, std::uint64_t now_unix_us) noexcept {
    Observe(runs, now_unix_us, topic_ages_);
  }

 private:
  friend class CallStats;
  static void Observe(const std::vector<broker::Run>& runs, std::uint64_t now_unix_us,
                      TimeHistogram& ages) noexcept;

  std::vector<MethodCells> methods_;
  Cell busy_ns_;
  Cell turns_;
  Cell events_;
  TimePoint woke_at_{};  // the worker's alone
  TimeHistogram queue_ages_;
  TimeHistogram topic_ages_;
  mutable Mutex mutex_;
  std::map<std::string, std::uint64_t> refused_ GUARDED_BY(mutex_);
};

class CallStats {
 public:
  static constexpr std::size_t kReasonsMax = 100;  // of refusals, of one worker
  static constexpr std::string_view kOtherReasons = "_other";

  CallStats(std::vector<MethodName> methods, std::size_t workers);

  WorkerCells& worker(std::size_t index) noexcept { return *workers_[index]; }

  // Sums over the workers, in the order of the methods.
  std::vector<MethodFigures> Methods() const;
  std::map<std::string, std::uint64_t> Refused() const;
  TimeBuckets QueueAges() const;
  TimeBuckets TopicAges() const;
  std::vector<WorkerFigures> Workers() const;

 private:
  const std::vector<MethodName> methods_;
  std::vector<std::unique_ptr<WorkerCells>> workers_;
};

}  // namespace sluice::rpc
