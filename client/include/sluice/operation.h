// SPDX-License-Identifier: Apache-2.0
/// Something that is asked of a remote channel and may have to wait, as a thing of its own: made
/// without any effect, started once, answered once.
///
/// Faces     Wait(deadline)    blocks this thread. Called from a callback it answers WOULD_BLOCK,
///                             and nothing was done; something that is there already is given.
///           Start(callback)   calls back with the outcome: on this thread if it is decided at
///                             once, else on the client's thread. It must not wait nor throw.
///           co_await          resumes on the client's thread, or goes on at once.
/// Ending    The destructor gives up the wait; what was sent already stays sent, what was not is
///           not, and a message is not taken from its channel. If the callback is running on
///           another thread, it waits for it to return. So a coroutine that is suspended here may
///           be destroyed on the client's thread alone: on another one it may be resuming.
/// Threads   One owner at a time. Move-only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "sluice/deadline.h"
#include "sluice/status.h"

namespace sluice {
inline namespace abi1 {

/// Says what the program did wrong on stderr, and aborts.
[[noreturn]] void DieOfMisuse(const char* what);

template <class Outcome>
class Operation;
template <class From, class To, class Change>
class MappedQuestion;

/// The library's side of an operation: what is asked, shared by the operation and by the stream
/// that answers it. Users meet Operation alone.
template <class Outcome>
class Question {
 public:
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  virtual ~Question() = default;

  /// Fixes that it will be answered now: no deadline and no destructor comes between any more.
  /// False: nobody waits. May be called under the stream's lock; Answer may not. One at a time: a
  /// callback may destroy another operation, which then must not be claimed already.
  bool Claim() {
    std::lock_guard lock(mutex_);
    if (phase_ != Phase::kAsked) return false;
    phase_ = Phase::kClaimed;
    answering_ = std::this_thread::get_id();
    return true;
  }

  /// Requires: claimed.
  void Answer(Outcome outcome) {
    std::function<void(Outcome)> callback;
    {
      std::lock_guard lock(mutex_);
      callback.swap(callback_);
      answering_ = std::this_thread::get_id();
      if (!callback) outcome_.emplace(std::move(outcome));
    }
    if (callback) callback(std::move(outcome));
    callback = nullptr;  // What it held may hold the operation.
    std::lock_guard lock(mutex_);
    phase_ = Phase::kDone;
    changed_.notify_all();
  }

 protected:
  Question() = default;

 private:
  friend class Operation<Outcome>;
  template <class From, class To, class Change>
  friend class MappedQuestion;
  enum class Phase { kNew, kAsked, kClaimed, kDone };

  /// Once; may claim and answer at once.
  virtual void Ask() = 0;
  /// It will not be answered: out of the line, if it stands in one.
  virtual void Withdraw() = 0;
  /// The outcome of a question that was withdrawn: DEADLINE or WOULD_BLOCK.
  virtual Outcome Failed(Status why) = 0;
  /// Whether this thread is the one that answers.
  virtual bool IsAnsweringThread() const = 0;
  /// Whether asking does something that giving up does not undo.
  virtual bool acts() const { return false; }

  void Begin(std::function<void(Outcome)> callback) {
    {
      std::lock_guard lock(mutex_);
      if (phase_ != Phase::kNew) DieOfMisuse("an operation was started twice");
      phase_ = Phase::kAsked;
      callback_ = std::move(callback);
    }
    Ask();
  }

  /// False: it is being answered, or was.
  bool GiveUp() {
    std::function<void(Outcome)> released;
    {
      std::lock_guard lock(mutex_);
      if (phase_ != Phase::kAsked) return false;
      phase_ = Phase::kDone;
      released.swap(callback_);
    }
    Withdraw();
    return true;
  }

  Outcome BeginAndAwait(Deadline deadline) {
    if (acts() && IsAnsweringThread()) return Failed(WhyNot(true));
    Begin(nullptr);
    return Await(deadline);
  }

  Outcome Await(Deadline deadline) {
    std::unique_lock lock(mutex_);
    const auto is_done = [this] { return phase_ == Phase::kDone; };
    if (!is_done() && phase_ != Phase::kClaimed) {
      const bool would_block = IsAnsweringThread();
      if (!would_block) {
        if (deadline.is_never()) {
          changed_.wait(lock, is_done);
        } else {
          changed_.wait_until(lock, deadline.at(), is_done);
        }
      }
      if (phase_ == Phase::kAsked) {
        lock.unlock();
        if (GiveUp()) return Failed(WhyNot(would_block));
        lock.lock();
      }
    }
    changed_.wait(lock, is_done);  // Claimed: the answer is on its way.
    return *std::move(outcome_);
  }

  void Release() {
    if (GiveUp()) return;
    std::unique_lock lock(mutex_);
    if (phase_ != Phase::kClaimed || answering_ == std::this_thread::get_id()) return;
    changed_.wait(lock, [this] { return phase_ == Phase::kDone; });
  }

  static Status WhyNot(bool would_block) {
    if (would_block) {
      return Status(Code::kFailedPrecondition, "WOULD_BLOCK",
                    "this would wait for the client's own thread, on which it was called");
    }
    return Status(Code::kDeadlineExceeded, "DEADLINE", "the deadline passed before the answer");
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Phase phase_ = Phase::kNew;
  std::thread::id answering_;
  std::function<void(Outcome)> callback_;
  std::optional<Outcome> outcome_;
};

template <class Outcome>
class [[nodiscard]] Operation {
 public:
  /// From an end: its functions make operations.
  explicit Operation(std::shared_ptr<Question<Outcome>> question)
      : question_(std::move(question)) {}
  Operation(Operation&&) noexcept = default;
  Operation& operator=(Operation&& other) noexcept {
    Operation old(std::move(*this));
    question_ = std::move(other.question_);
    return *this;
  }
  ~Operation() {
    if (question_ != nullptr) question_->Release();
  }

  /// Requires, as the other faces: not started before. The program ends if it was.
  Outcome Wait(Deadline deadline = Deadline::Never()) { return question_->BeginAndAwait(deadline); }
  void Start(std::function<void(Outcome)> callback) { question_->Begin(std::move(callback)); }

  /// What is asked, for an operation over this one (operation_map.h).
  std::shared_ptr<Question<Outcome>> question() && { return std::move(question_); }

  class Awaiter {
   public:
    explicit Awaiter(Question<Outcome>& question) : question_(question) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> coroutine) {
      question_.Begin([this, coroutine](Outcome outcome) {
        outcome_.emplace(std::move(outcome));
        // Whoever comes second goes on: this one by resuming, await_suspend by not suspending.
        if (has_other_come_.exchange(true)) coroutine.resume();
      });
      return !has_other_come_.exchange(true);
    }
    Outcome await_resume() { return *std::move(outcome_); }

   private:
    Question<Outcome>& question_;
    std::optional<Outcome> outcome_;
    std::atomic<bool> has_other_come_{false};
  };
  Awaiter operator co_await() & { return Awaiter(*question_); }
  Awaiter operator co_await() && { return Awaiter(*question_); }

 private:
  std::shared_ptr<Question<Outcome>> question_;
};

}  // namespace abi1
}  // namespace sluice
