// SPDX-License-Identifier: Apache-2.0
// Whatever may have to wait, as a thing of its own: made without any effect, started once,
// completed once, and cancelled by being destroyed. All four primitives return this one type, over
// a request of their own that knows what is asked of the channel.
//
// Faces      Start(callback)   calls back with the outcome: on this thread if decided at once, else
//                              on the thread that caused it (D1). From within a callback the next
//                              one is queued, not nested (P38). Callbacks must not throw (G7) nor
//                              block.
//            Wait(), WaitUntil()   block this thread. Not from within a callback.
//            co_await          needs channel/awaitable.h.
// Ending     Cancel()          nothing happened and nothing will, if it returns true; else the
//                              completion comes, came, or the operation had been ended before.
//            StopOn(token)     a stop request ends it with kCancelled, the value handed back (D2).
//            Expire()          for the owner of a timer: ends it with kTimedOut.
//            ~Operation        cancels. If a completion on another thread was faster, waits until
//                              it has run; if that completion is this thread's own and has not
//                              begun, it is dropped with what it would have delivered (P05).
//                              Hence two callbacks that run at once must not destroy each other's
//                              operations.
// Callbacks  may destroy their operation, start others, and use the same channel: no lock is held
//            (G6). A stored callback is released as soon as it has run, or its operation was
//            cancelled or destroyed (G9).
// Threads    Start, Wait and the destructor belong to the owner. Cancel and Expire may be called by
//            any thread while the operation exists; Cancel not while Wait blocks (use StopOn).
// Memory     the operation is pinned: it stands in the channel's line itself. It keeps the handle
//            it came from alive: a send or reserve counts as a sender while it exists.
//
// A request derives from OperationState (its constructor takes a Face first) and provides:
//   using Outcome;
//   Mutex& mutex();                  the channel's, the same for its life
//   void Enter(WaiterList& ready);   under the lock: Decide(ready), or link itself into a line
//   void Leave(WaiterList& ready);   under the lock: out of the line; may decide others
//   void Refuse(Errc why);           under the lock: the outcome is this refusal
//   Outcome Take();                  no lock, once: the outcome; may use the channel; may throw
//   bool Judge();                    optional; no lock, after each decision that is not a refusal:
//                                    false means it was not this, wait on. Must not throw.
//   auto TakeBack();                 optional: what a cancelled send gives back
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "channel/operation_state.h"

namespace sluice::channel {

template <class Request>
class Awaiter;

template <class Request>
class [[nodiscard]] Operation final : private Request {
  using Phase = OperationState::Phase;

 public:
  using Outcome = typename Request::Outcome;

  // From a channel. Not from what converts to an operation: so an optional of one can be filled in
  // place.
  template <class First, class... Rest>
  requires(!requires(First & source) {
    source.operator Operation();
  }) explicit Operation(First&& first, Rest&&... rest)
      : Request(OperationState::Face{&Operation::Run, kJudges ? Phase::kJudging : Phase::kDecided},
                std::forward<First>(first), std::forward<Rest>(rest)...) {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() {
    if (is_started_ && !this->is_finished()) Retire();
  }

  // Before it is started: a stop requested on `token` ends it.
  Operation& StopOn(std::stop_token token) & {
    token_ = std::move(token);
    return *this;
  }
  Operation&& StopOn(std::stop_token token) && {
    token_ = std::move(token);
    return std::move(*this);
  }

  // Requires: not started before, as for the other faces.
  template <class Callback>
  requires std::invocable<Callback&, Outcome>
  void Start(Callback callback) {
    StartThen([this, callback = std::move(callback)]() mutable { callback(Request::Take()); });
  }

  Outcome Wait() { return WaitUntil(kNever); }
  // kTimedOut when `deadline` passes first. One that has passed already still takes what is there
  // at once (M13).
  Outcome WaitUntil(TimePoint deadline) {
    MarkStarted();
    WaiterList ready;
    bool is_decided = Enter(ready);
    if (is_decided) {
      ready.Erase(*this);
      is_decided = Judge(ready) == Verdict::kDecided;
    }
    Complete(ready);
    if (!is_decided && !this->AwaitFinished(deadline) &&
        End(Errc::kTimedOut, Telling::kNot) != Phase::kWaiting) {
      this->AwaitFinished(kNever);
    }
    stop_.reset();
    this->Finish();
    return Request::Take();
  }

  // Whether it won against a completion.
  bool Cancel() noexcept {
    WaiterList ready;
    Phase before;
    {
      MutexLock lock(this->mutex());
      before = this->phase_;
      if (before == Phase::kDecided || before == Phase::kEnded) return false;
      if (before == Phase::kWaiting) Request::Leave(ready);
      this->phase_ = Phase::kEnded;
      is_silent_ = before != Phase::kNew;
    }
    if (before == Phase::kNew) return true;
    if (before == Phase::kJudging && !Forget(*this)) this->AwaitFinished(kNever);
    // Released at the very end: what it holds may hold the operation.
    const std::function<void()> released = std::exchange(on_decided_, nullptr);
    this->Finish();
    Complete(ready);
    return true;
  }

  // Ends it with kTimedOut, as the callback will be told. Whether it won against a completion.
  bool Expire() noexcept {
    const Phase before = End(Errc::kTimedOut, Telling::kCallback);
    return before != Phase::kDecided && before != Phase::kEnded;
  }

  // After a Cancel() that won: what was to be sent.
  auto TakeBack() requires requires(Request& request) { request.TakeBack(); }
  { return Request::TakeBack(); }

 private:
  friend class Awaiter<Request>;
  static constexpr bool kJudges = requires(Request & request) { request.Judge(); };
  enum class Verdict { kDecided, kWaits, kCancelled };
  enum class Telling { kCallback, kNot };

  struct Stopper {
    Operation* operation;
    void operator()() const noexcept { operation->End(Errc::kCancelled, Telling::kCallback); }
  };

  void MarkStarted() {
    SLUICE_CHECK(!is_started_);
    is_started_ = true;
    // Before the channel knows of the operation: afterwards it may be completed, and gone, any
    // time.
    if (token_.stop_possible()) stop_.emplace(std::move(token_), Stopper{this});
  }

  // The face below Start(): `then` runs once, when Take() may be called.
  void StartThen(std::function<void()> then) {
    on_decided_ = std::move(then);
    MarkStarted();
    WaiterList ready;
    Enter(ready);
    Complete(ready);
  }

  // True: decided at once, and in `ready`.
  bool Enter(WaiterList& ready) {
    MutexLock lock(this->mutex());
    return EnterLocked(ready);
  }

  bool EnterLocked(WaiterList& ready) REQUIRES(this->mutex()) {
    if (this->phase_ == Phase::kEnded) {
      this->phase_ = Phase::kDecided;
      Request::Refuse(end_);
      ready.PushBack(*this);
      return true;
    }
    this->phase_ = Phase::kWaiting;
    Request::Enter(ready);
    return this->phase_ != Phase::kWaiting;
  }

  // Asks the request whether the decision is what it waited for. After kWaits the operation may be
  // gone.
  Verdict Judge(WaiterList& ready) {
    if constexpr (kJudges) {
      while (IsJudging()) {
        const bool is_accepted = Request::Judge();
        MutexLock lock(this->mutex());
        if (this->phase_ != Phase::kJudging) continue;
        if (is_accepted) {
          this->phase_ = Phase::kDecided;
        } else if (EnterLocked(ready)) {
          ready.Erase(*this);
        } else {
          return Verdict::kWaits;
        }
      }
      if (is_silent_) return Verdict::kCancelled;
    }
    return Verdict::kDecided;
  }

  bool IsJudging() {
    MutexLock lock(this->mutex());
    if (this->phase_ == Phase::kEnded && !is_silent_) {
      Request::Refuse(end_);
      this->phase_ = Phase::kDecided;
    }
    return this->phase_ == Phase::kJudging;
  }

  // The completion, on the thread that caused it.
  static void Run(Waiter& waiter) noexcept {
    Operation& self = static_cast<Operation&>(waiter);
    if constexpr (kJudges) {
      WaiterList ready;
      const Verdict verdict = self.Judge(ready);
      Complete(ready);
      if (verdict == Verdict::kWaits) return;
      if (verdict == Verdict::kCancelled) return self.Finish();
    }
    self.stop_.reset();
    if (self.on_decided_) {
      std::function<void()> on_decided = std::exchange(self.on_decided_, nullptr);
      on_decided();
      on_decided = nullptr;  // what it held may hold the operation
      if (!IsCompleting(waiter)) return;
    }
    self.Finish();
  }

  // Ends it with a refusal. Returns the phase it was in: kDecided or kEnded means it came too late.
  Phase End(Errc why, Telling telling) noexcept {
    WaiterList ready;
    Phase before;
    {
      MutexLock lock(this->mutex());
      before = this->phase_;
      if (before == Phase::kDecided || before == Phase::kEnded) return before;
      if (before == Phase::kWaiting) {
        Request::Leave(ready);
        Request::Refuse(why);
        this->phase_ = Phase::kDecided;
        if (telling == Telling::kCallback) ready.PushBack(*this);
      } else {
        this->phase_ = Phase::kEnded;
        end_ = why;
      }
    }
    Complete(ready);
    return before;
  }

  // From the destructor: afterwards nobody knows of the operation any more.
  void Retire() noexcept {
    if (IsCompleting(*this)) {  // destroyed by its own callback
      Forget(*this);
    } else if (!Cancel() && !Forget(*this)) {
      this->AwaitFinished(kNever);
    }
  }

  std::function<void()> on_decided_;  // empty: a thread waits for Finish()
  std::stop_token token_;
  std::optional<std::stop_callback<Stopper>> stop_;
  bool is_started_ = false;
  bool is_silent_ = false;       // kEnded by Cancel: nobody is told
  Errc end_ = Errc::kCancelled;  // why kEnded, or told
};

}  // namespace sluice::channel
