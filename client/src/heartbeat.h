// SPDX-License-Identifier: Apache-2.0
// Watches one connection while streams are open on it. Nothing received for an interval: the daemon
// is asked for its health; any answer is a sign of life. Nothing for kSilentTicksMax intervals in a
// row: the streams are failed as lost, NO_HEARTBEAT. It notices a daemon that is stopped while its
// kernel keeps the connection, which keepalive does not.
//
// Threads: the polling thread alone. It lives as long as that thread.
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>

#include "timer.h"

namespace sluice {
inline namespace abi1 {

class StreamCall;

class Heartbeat {
 public:
  static constexpr int kSilentTicksMax = 3;

  // An interval of 0: it never looks.
  Heartbeat(grpc::GenericStub& stub, grpc::CompletionQueue& queue,
            std::chrono::milliseconds interval);

  void Add(StreamCall& stream);
  void Remove(StreamCall& stream);
  // A frame came, or an answer.
  void OnSignOfLife() { ++signs_; }

  // Times that streams were failed. From any thread.
  std::uint64_t losses() const { return losses_; }

 private:
  class Check;

  void Arm();
  void OnTick();

  grpc::GenericStub& stub_;
  grpc::CompletionQueue& queue_;
  const std::chrono::milliseconds interval_;
  std::set<StreamCall*> streams_;
  std::shared_ptr<Timer> timer_;
  std::shared_ptr<Check> check_;  // While one is under way.
  std::uint64_t signs_ = 0;
  std::uint64_t signs_at_tick_ = 0;
  int silent_ticks_ = 0;
  std::atomic<std::uint64_t> losses_{0};
};

}  // namespace abi1
}  // namespace sluice
