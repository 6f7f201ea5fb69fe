// SPDX-License-Identifier: Apache-2.0
// One thread, one completion queue, and everything that lives on it: the calls it accepted and no
// others. A call is touched by its worker alone, so calls need no locks.
//
// Inbox   News for a call may be made by any thread. It is put into the inbox of the call's worker,
//         and wakes it by one Alarm however much there is (docs/concurrency.md).
// Time    One worker, the timekeeper, also runs the broker's timers from the deadline of its Next.
// End     Close() is asked for when the server has shut down. Every call is told by its tags, as
//         ever; the worker shuts the queue down when none is left: an operation begun on a queue
//         that has ended would abort the process.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/mutex.h"

namespace sluice::broker {
class Timers;
}

namespace sluice::rpc {

class Call;
class WorkerCells;

// What a completion queue's tag points to: a fixed member of the object the event belongs to.
class Event {
 public:
  using Function = void (*)(void* owner, bool ok);
  Event(void* owner, Function run) : owner_(owner), run_(run) {}
  void Run(bool ok) { run_(owner_, ok); }

 private:
  void* owner_;
  Function run_;
};

// What can be put into a worker's inbox: run once, on the worker's thread.
class InboxItem {
 public:
  virtual ~InboxItem() = default;
  virtual void RunOnWorker() = 0;
};

class Worker {
 public:
  // `timers` makes this worker the timekeeper; `clock` is theirs. `cells` are its own.
  Worker(std::unique_ptr<grpc::ServerCompletionQueue> queue, const Clock& clock,
         broker::Timers* timers, WorkerCells& cells);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  grpc::ServerCompletionQueue* queue() const noexcept { return queue_.get(); }
  const Clock& clock() const noexcept { return clock_; }
  // The worker's thread only.
  WorkerCells& cells() const noexcept { return cells_; }

  void Start();
  // Any thread. Dropped when the worker is closing.
  void Post(std::shared_ptr<InboxItem> item);
  // Any thread: runs `task` once on the worker's thread.
  void PostTask(std::function<void()> task);
  // Any thread: makes the worker look at the timers.
  void Wake();
  // Any thread, once the server is shut down: the thread ends when every call is gone.
  void Close();
  void Join();

  // The worker's thread only: the calls that have begun.
  IntrusiveList<Call>& calls() noexcept { return calls_; }
  // Likewise: the calls that were asked for and have not begun. (Before Start: anybody's.)
  std::size_t& requests() noexcept { return requests_; }
  // Scratch for flattening a frame, reused.
  std::string& scratch() noexcept { return scratch_; }
  bool is_closing() const noexcept { return is_closing_.load(std::memory_order_relaxed); }

 private:
  void Loop();
  bool RunEvents();  // false: the queue has ended
  void RunInbox();
  void EndIfIdle();
  void ArmAlarm() REQUIRES(mutex_);

  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  const Clock& clock_;
  broker::Timers* const timers_;
  WorkerCells& cells_;
  std::thread thread_;
  std::string scratch_;
  IntrusiveList<Call> calls_;
  std::size_t requests_ = 0;
  std::vector<std::shared_ptr<InboxItem>> local_;  // posted by this thread itself

  std::atomic<bool> is_closing_ = false;
  Mutex mutex_;
  std::vector<std::shared_ptr<InboxItem>> inbox_ GUARDED_BY(mutex_);
  bool is_alarm_set_ GUARDED_BY(mutex_) = false;
  bool is_closed_ GUARDED_BY(mutex_) = false;
  grpc::Alarm alarm_ GUARDED_BY(mutex_);
  Event alarm_event_;
};

}  // namespace sluice::rpc
