// SPDX-License-Identifier: Apache-2.0
#include "handler_pool.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::chrono::milliseconds kDestructorWait{1000};

// The request whose handler this thread runs.
thread_local Assigned* handled = nullptr;

}  // namespace

HandlerPool::HandlerPool(std::shared_ptr<ServeStream> stream, Handler handler, std::size_t threads)
    : shared_(std::make_shared<Shared>()) {
  shared_->stream = std::move(stream);
  shared_->handler = std::move(handler);
  shared_->running = threads;
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([shared = shared_] { Run(shared); });
  }
}

HandlerPool::~HandlerPool() {
  // Destroyed by a handler, it would wait for itself.
  bool have_returned = std::none_of(
      threads_.begin(), threads_.end(),
      [](const std::thread& thread) { return thread.get_id() == std::this_thread::get_id(); });
  if (have_returned) {
    std::unique_lock lock(shared_->mutex);
    have_returned =
        shared_->returned.wait_for(lock, kDestructorWait, [this] { return shared_->running == 0; });
  }
  for (std::thread& thread : threads_) {
    if (have_returned) {
      thread.join();
    } else {
      thread.detach();
    }
  }
}

bool HandlerPool::IsHandling(Assigned& request) {
  if (handled != &request) return false;
  request.is_dropped = true;
  return true;
}

void HandlerPool::Run(const std::shared_ptr<Shared>& shared) {
  while (const ServeStream::Held request = shared->stream->NextToHandle()) {
    Handle(*shared, request);
  }
  std::lock_guard lock(shared->mutex);
  --shared->running;
  shared->returned.notify_all();
}

void HandlerPool::Handle(Shared& shared, const ServeStream::Held& request) {
  std::optional<std::string> thrown;
  handled = request.get();
  try {
    Request asked(request);
    shared.handler(asked, Reply(request));
  } catch (const std::exception& error) {
    thrown = error.what();
  } catch (...) {
    thrown = "something that is not a std::exception";
  }
  handled = nullptr;
  if (thrown) shared.stream->CountException();
  if (!request->is_dropped) return;  // Answered, or in other hands.
  if (thrown) {
    (void)Reply(request).Fail("EXCEPTION", *thrown);
  } else {
    shared.stream->Abandon(*request);
  }
}

}  // namespace abi1
}  // namespace sluice
