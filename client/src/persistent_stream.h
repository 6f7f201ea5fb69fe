// SPDX-License-Identifier: Apache-2.0
// What every end stands on: a stream that is opened again when it is lost for a reason that may
// pass (stream_state.h). One life of it is an attempt.
//
//   Open -> [ OpenFrame -> OnFrame*, OnWritable* -> OnLost -> delay ]* -> OnEnding -> OnEnded
//
// Hooks      run on the transport's thread, one at a time, without a lock. OnEnding and OnEnded
//            come exactly once, as the last.
// The lock   mutex_ guards what is here and what the derived class adds. Hooks that are called
//            without it take it themselves.
// Writing    One write at a time. Whoever finds the wire free (may_write, under the lock) writes,
//            the user's thread or the transport's; when it is free again, OnWritable. A write on a
//            stream that is lost meanwhile goes nowhere: what must not be lost is kept by the
//            derived class until it is answered, and written again in the next attempt.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "backoff.h"
#include "sluice/deadline.h"
#include "sluice/stream_state.h"
#include "stream_call.h"
#include "timer.h"
#include "transport.h"
#include "wait_until.h"

namespace sluice {
inline namespace abi1 {

class PersistentStream : public std::enable_shared_from_this<PersistentStream> {
 public:
  // kServerStreaming: the open frame is the only one; the half-close follows it.
  enum class Shape { kBidirectional, kServerStreaming };
  struct Settings {
    std::string method;
    Shape shape = Shape::kBidirectional;
    ReconnectOptions reconnect;
    OnStreamState on_state;
  };

  PersistentStream(const PersistentStream&) = delete;
  PersistentStream& operator=(const PersistentStream&) = delete;

  // Starts, and waits until the daemon has accepted the stream (Accept). Once. DEADLINE, or why the
  // last attempt failed; WOULD_BLOCK.
  Status Open(Deadline deadline);
  // Ends it for good with CANCELLED, without the network's help. Any thread.
  void Cancel();
  // The same, for a stream that has no other end: closed, FINISHED.
  void FinishByCancelling();
  // The handle is gone: from now on no callback of its user's begins.
  void Silence() { is_silent_ = true; }
  // Until every hook has run. False: the deadline passed, or this is the transport's thread.
  bool WaitGone(Deadline deadline);
  // How it ended, as it was asked to. DEADLINE: it had not by then, and was cancelled. WOULD_BLOCK.
  Result<StreamEnd> AwaitEnd(Deadline deadline);

  // Whether this is the transport's thread.
  bool IsOwnThread() const { return is_on_thread_of_ == std::this_thread::get_id(); }
  StreamState state() const;
  std::optional<StreamEnd> end() const;
  std::uint64_t reconnects() const;  // Attempts after the first that were accepted.
  std::uint64_t exceptions() const { return exceptions_; }  // That callbacks threw.

 protected:
  using Reading = StreamCall::Reading;

  PersistentStream(std::shared_ptr<Transport> transport, Settings settings);
  ~PersistentStream() = default;

  // The encoded first frame of an attempt.
  virtual std::string OpenFrame() = 0;
  // The frame may be taken. After kPause the derived class calls ResumeReading.
  virtual Reading OnFrame(grpc::ByteBuffer& frame) = 0;
  // The open frame, or another, is out.
  virtual void OnWritable() = 0;
  // Asked under the lock when the stream was lost, and when the delay is over: false makes it the
  // end.
  virtual bool WantsReopening() const { return true; }
  // Asked under the lock about a loss that does not look as if it could pass: true opens the stream
  // again all the same, since the next attempt will not ask for what was refused.
  virtual bool GoesOnAfter(const StreamEnd& /*end*/) const { return false; }
  // This attempt is over, and another will follow.
  virtual void OnLost(const StreamEnd& why) = 0;
  // For good: whatever waits for an answer gets its last one. end_ is not set yet.
  virtual void OnEnding(const StreamEnd& end) = 0;
  // end_ is set, and who waits for changed_ was told.
  virtual void OnEnded() {}

  // A callback of the user's, if there is one and somebody to hear it. False: it threw, which is
  // counted and goes no further. Without the lock.
  template <class Callback, class... Args>
  bool CallBack(const Callback& callback, Args&&... args) {
    if (!callback || is_silent_) return true;
    try {
      callback(std::forward<Args>(args)...);
      return true;
    } catch (...) {
      ++exceptions_;
      return false;
    }
  }

  // For hooks, without the lock:
  void Accept();                         // The daemon has accepted the stream.
  void NoteClosed(ClosedReason reason);  // The daemon's last word; the status follows.
  void Fail(Status why);                 // This end gives up on the stream for good.
  // Any thread, without the lock:
  void ResumeReading();
  void StopReopening();  // WantsReopening has become false: no delay is waited.

  // Requires the lock. A stream is there, its open frame out, and no write under way.
  bool may_write() const { return call_ != nullptr && is_wire_free_ && !is_half_closed_; }
  bool is_half_closed() const { return is_half_closed_; }
  bool is_accepted() const { return is_accepted_; }  // In this attempt.
  bool reconnects_enabled() const { return settings_.reconnect.enabled; }

  // Require the lock and may_write(); unlock for it, and leave unlocked.
  void Write(std::unique_lock<std::mutex>& lock, const grpc::ByteBuffer& frame);
  void Write(std::unique_lock<std::mutex>& lock, std::string frame);
  void HalfClose(std::unique_lock<std::mutex>& lock);

  // Requires the lock, and that the stream is not gone.
  std::shared_ptr<Timer> StartTimer(Deadline at, Timer::Handler handler) {
    return Timer::Start(transport_->queue(), at, std::move(handler));
  }

  // Waits for changed_ until `holds`, or the end. OK, DEADLINE "the deadline passed: `what`",
  // WOULD_BLOCK. The end is for the caller to look at.
  template <class Predicate>
  Status Await(std::unique_lock<std::mutex>& lock, Deadline deadline, const char* what,
               Predicate holds) {
    if (end_ || holds()) return Status();
    if (IsOwnThread()) return WouldBlock();
    const auto is_over = [&] { return end_ || holds(); };
    return WaitUntil(changed_, lock, deadline, is_over) ? Status() : Missed(what);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<StreamEnd> end_;  // Guarded by mutex_.

 private:
  class Attempt;

  static Status WouldBlock();
  static Status Missed(const char* what);

  void Begin();
  void OnStarted();
  void OnWritten();
  void OnAttemptEnd(const grpc::Status& status, const std::optional<Status>& fault);
  StreamEnd EndOfAttempt(const grpc::Status& status, const std::optional<Status>& fault) const;
  void BackOff(const StreamEnd& why);
  StreamEnd EndOfDelay() const;
  void BoundConnecting(const std::shared_ptr<Attempt>& attempt);
  void EndWith(StreamEnd end);
  void Tell(StreamState state);

  const Settings settings_;
  const std::thread::id is_on_thread_of_;
  std::atomic<bool> is_silent_ = false;
  std::atomic<std::uint64_t> exceptions_ = 0;
  Backoff backoff_;                  // The transport's thread alone.
  Deadline::TimePoint ready_since_;  // The same.
  // Guarded by mutex_:
  std::shared_ptr<Transport> transport_;  // Until gone.
  std::shared_ptr<Attempt> call_;         // While there is a stream.
  std::shared_ptr<Timer> delay_;          // While backing off.
  std::shared_ptr<Timer> connecting_;     // While an attempt waits for the connection.
  StreamState state_;
  std::uint64_t accepted_attempts_ = 0;
  bool is_wire_free_ = false;
  bool is_open_sent_ = false;
  bool is_half_closed_ = false;
  bool is_accepted_ = false;
  bool is_cancelled_ = false;
  bool is_finished_by_cancel_ = false;
  bool has_failed_ = false;  // Fail was called.
  bool is_gone_ = true;      // Before it is opened, and after all hooks.
  std::optional<ClosedReason> closed_;
  std::optional<StreamEnd> lost_;  // How the last attempt ended, if it was lost.
};

}  // namespace abi1
}  // namespace sluice
