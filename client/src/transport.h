// SPDX-License-Identifier: Apache-2.0
// One connection: a channel with the library's arguments, its completion queue, and the one thread
// that polls it. Streams hold it; it goes with the last of them.
//
// Threads: the thread runs completions, and through them the users' callbacks; nothing else of the
// library blocks on it. Unary calls bring a queue of their own, so they may be made from callbacks,
// too.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "completion.h"
#include "heartbeat.h"
#include "sluice/client.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

class Transport {
 public:
  // What the streams of a connection count, each for itself.
  struct Counters {
    std::atomic<std::uint64_t> streams{0};  // Open now.
    std::atomic<std::uint64_t> reconnects{0};
    std::atomic<std::uint64_t> frames_sent{0};
    std::atomic<std::uint64_t> bytes_sent{0};
    std::atomic<std::uint64_t> frames_received{0};
    std::atomic<std::uint64_t> bytes_received{0};
  };

  // Waits for the connection. UNAVAILABLE CANNOT_CONNECT, INVALID_ARGUMENT BAD_OPTION.
  static Result<std::shared_ptr<Transport>> Connect(const ClientOptions& options);

  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  grpc::GenericStub& stub() { return polled_->stub; }
  grpc::CompletionQueue& queue() { return polled_->queue; }
  // Of the transport's thread, and to be used by it alone.
  Heartbeat& heartbeat() { return polled_->heartbeat; }
  Counters& counters() { return counters_; }
  const std::string& address() const { return options_.address; }
  std::thread::id thread_id() const { return thread_.get_id(); }
  bool IsOwnThread() const { return thread_id() == std::this_thread::get_id(); }

  // The same daemon over another connection, with a small window: for streams of which only the
  // newest counts, since what is in the window is not replaced by what is newer. One for all who
  // ask while it is there; it connects by and by.
  std::shared_ptr<Transport> Narrow();

  // Of the connection, not of the streams.
  ConnectionState state() const;
  // DEADLINE.
  Status WaitForReady(Deadline deadline);
  // The next attempt to connect does not wait for the time that the channel has set itself. However
  // many streams ask for it, it is done ever more rarely, down to once a second, until there is a
  // connection.
  void HurryConnecting();
  // With those of the narrow connection.
  ClientStats stats() const;

 private:
  // What the thread needs; it holds it, too, for the case that the last stream dies on the thread
  // itself.
  struct Polled {
    Polled(const std::shared_ptr<grpc::Channel>& with, std::chrono::milliseconds interval)
        : channel(with), stub(with), heartbeat(stub, queue, interval) {}
    std::shared_ptr<grpc::Channel> channel;
    grpc::CompletionQueue queue;
    grpc::GenericStub stub;
    Heartbeat heartbeat;
  };

  Transport(const std::shared_ptr<grpc::Channel>& channel, const ClientOptions& options);
  static constexpr std::chrono::milliseconds kHurrySpacingMin{50};

  ClientStats own_stats() const;
  static void Poll(const std::shared_ptr<Polled>& polled);

  const ClientOptions options_;
  Counters counters_;
  std::shared_ptr<Polled> polled_;
  std::thread thread_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::weak_ptr<Transport> narrow_;
  Deadline::TimePoint next_hurry_;
  std::chrono::milliseconds hurry_spacing_ = kHurrySpacingMin;
};

}  // namespace abi1
}  // namespace sluice
