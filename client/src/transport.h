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

#include <memory>
#include <thread>

#include "sluice/client.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

// What a completion queue hands back. Owned by whoever started the operation.
class Completion {
 public:
  virtual void Complete(bool ok) = 0;

 protected:
  ~Completion() = default;
};

class Transport {
 public:
  // Waits for the connection. UNAVAILABLE, CANNOT_CONNECT.
  static Result<std::shared_ptr<Transport>> Connect(const ClientOptions& options);

  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  grpc::GenericStub& stub() { return polled_->stub; }
  grpc::CompletionQueue& queue() { return polled_->queue; }
  std::thread::id thread_id() const { return thread_.get_id(); }
  bool IsOwnThread() const { return thread_id() == std::this_thread::get_id(); }

 private:
  // What the thread needs; it holds it, too, for the case that the last stream dies on the thread
  // itself.
  struct Polled {
    explicit Polled(const std::shared_ptr<grpc::Channel>& channel) : stub(channel) {}
    grpc::CompletionQueue queue;
    grpc::GenericStub stub;
  };

  explicit Transport(const std::shared_ptr<grpc::Channel>& channel);
  static void Poll(const std::shared_ptr<Polled>& polled);

  std::shared_ptr<Polled> polled_;
  std::thread thread_;
};

}  // namespace abi1
}  // namespace sluice
