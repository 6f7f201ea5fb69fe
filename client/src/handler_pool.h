// SPDX-License-Identifier: Apache-2.0
// The threads that run a responder's handler. What a handler throws goes no further.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "serve_stream.h"
#include "sluice/request.h"

namespace sluice {
inline namespace abi1 {

class HandlerPool {
 public:
  using Handler = std::function<void(Request&, Reply)>;

  HandlerPool(std::shared_ptr<ServeStream> stream, Handler handler, std::size_t threads);
  // Requires: the stream is ending. Joins the threads that return within the time; one that does
  // not, or that this is, goes on by itself to the end of its handler.
  ~HandlerPool();
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  // Called when a Reply is dropped unanswered. True: its handler is still running on this thread,
  // and what became of it is judged after.
  static bool IsHandling(Assigned& request);

 private:
  // What a thread needs, also behind the pool.
  struct Shared {
    std::shared_ptr<ServeStream> stream;
    Handler handler;
    std::mutex mutex;
    std::condition_variable returned;
    std::size_t running = 0;  // Guarded by mutex.
  };

  static void Run(const std::shared_ptr<Shared>& shared);
  static void Handle(Shared& shared, const ServeStream::Held& request);

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace abi1
}  // namespace sluice
