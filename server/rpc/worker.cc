// SPDX-License-Identifier: Apache-2.0
#include "rpc/worker.h"

#include <grpc/support/time.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "broker/timers.h"
#include "rpc/call.h"
#include "rpc/call_stats.h"

namespace sluice::rpc {
namespace {

// Events taken in one turn before the inbox is looked at: what arrives together is answered
// together, and no stream waits long behind a busy one.
constexpr std::uint64_t kEventsPerTurn = 256;

thread_local Worker* current_worker = nullptr;

class Task final : public InboxItem {
 public:
  explicit Task(std::function<void()> run) : run_(std::move(run)) {}
  void RunOnWorker() override { run_(); }

 private:
  std::function<void()> run_;
};

gpr_timespec DeadlineAt(TimePoint when, TimePoint now) {
  if (when == kNever) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  const auto wait = std::max(when - now, Duration::zero());
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(ns, GPR_TIMESPAN));
}

}  // namespace

Worker::Worker(std::unique_ptr<grpc::ServerCompletionQueue> queue, const Clock& clock,
               broker::Timers* timers, WorkerCells& cells)
    : queue_(std::move(queue)),
      clock_(clock),
      timers_(timers),
      cells_(cells),
      alarm_event_(this, [](void* self, bool) {
        auto& worker = *static_cast<Worker*>(self);
        MutexLock lock(worker.mutex_);
        worker.is_alarm_set_ = false;
      }) {}

Worker::~Worker() = default;

void Worker::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::ArmAlarm() {
  if (is_alarm_set_ || is_closed_) return;
  is_alarm_set_ = true;
  alarm_.Set(queue_.get(), gpr_time_0(GPR_CLOCK_MONOTONIC), &alarm_event_);
}

void Worker::Post(std::shared_ptr<InboxItem> item) {
  if (current_worker == this) {
    local_.push_back(std::move(item));
    return;
  }
  MutexLock lock(mutex_);
  if (is_closed_) return;
  inbox_.push_back(std::move(item));
  ArmAlarm();
}

void Worker::PostTask(std::function<void()> task) { Post(std::make_shared<Task>(std::move(task))); }

void Worker::Wake() {
  if (current_worker == this) return;
  MutexLock lock(mutex_);
  ArmAlarm();
}

void Worker::Close() {
  is_closing_ = true;
  MutexLock lock(mutex_);
  ArmAlarm();
}

void Worker::EndIfIdle() {
  if (!is_closing() || requests_ != 0 || !calls_.empty()) return;
  std::vector<std::shared_ptr<InboxItem>> dropped;
  MutexLock lock(mutex_);
  if (is_closed_) return;
  is_closed_ = true;
  dropped.swap(inbox_);
  if (is_alarm_set_) alarm_.Cancel();
  queue_->Shutdown();
}

void Worker::RunInbox() {
  std::vector<std::shared_ptr<InboxItem>> items;
  {
    MutexLock lock(mutex_);
    items.swap(inbox_);
  }
  for (const auto& item : items) item->RunOnWorker();
  // News made by this thread while it worked, and by working on that. Bounded: what an item posts
  // is run in this turn at most once, then events are looked at again.
  items.clear();
  items.swap(local_);
  for (const auto& item : items) item->RunOnWorker();
}

bool Worker::RunEvents() {
  const TimePoint now = clock_.Now();
  cells_.TurnBegins(now);
  TimePoint due = timers_ != nullptr ? timers_->next() : kNever;
  if (!local_.empty()) due = now;
  gpr_timespec deadline = DeadlineAt(due, now);
  for (std::uint64_t i = 0; i < kEventsPerTurn; ++i) {
    void* tag = nullptr;
    bool ok = false;
    const auto got = queue_->AsyncNext(&tag, &ok, deadline);
    if (i == 0) cells_.WaitEnds(clock_.Now());  // the later ones do not wait
    switch (got) {
      case grpc::CompletionQueue::SHUTDOWN:
        return false;
      case grpc::CompletionQueue::TIMEOUT:
        cells_.TurnEnds(i);
        return true;
      case grpc::CompletionQueue::GOT_EVENT:
        static_cast<Event*>(tag)->Run(ok);
        deadline = gpr_time_0(GPR_CLOCK_MONOTONIC);
        break;
    }
  }
  cells_.TurnEnds(kEventsPerTurn);
  return true;
}

void Worker::Loop() {
  pthread_setname_np(pthread_self(), "worker");
  current_worker = this;
  while (RunEvents()) {
    RunInbox();
    if (timers_ != nullptr && timers_->next() <= clock_.Now()) timers_->RunDue(clock_.Now());
    EndIfIdle();
  }
  local_.clear();
  current_worker = nullptr;
}

}  // namespace sluice::rpc
