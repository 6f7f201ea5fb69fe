// SPDX-License-Identifier: Apache-2.0
// Tells a connection that makes gRPC hoard bytes of which no call ever hears: header blocks and
// messages without end, floods of frames that are no calls. gRPC 1.51 bounds none of these.
//
// The kernel knows how many bytes of a connection gRPC has taken. Its calls know what they were
// given. The difference leaks away when it is negative, and is judged: it may be what each open
// call is allowed to leave unread, and a burst of calls that are about to begin. More than that,
// while the daemon works and nothing of this connection begins or is read, is a hoard. No gRPC type
// in this header.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace sluice::rpc {

// What the calls of one connection were given. Written by their workers; the figures are no
// synchronisation.
class Traffic {
 public:
  void Began(std::uint64_t metadata_bytes) noexcept {
    Know(kCallBytes + metadata_bytes);
    open_.fetch_add(1, std::memory_order_relaxed);
    Progressed();
  }
  void Read(std::uint64_t bytes) noexcept {
    Know(kFrameBytes + bytes + bytes / kFramedBytes);
    Progressed();
  }
  // The peer answers what it is sent: it opens its windows, and acknowledges pings.
  void Wrote(std::uint64_t bytes) noexcept { Know(kFrameBytes + bytes / kAnsweredBytes); }
  void Ended() noexcept {
    open_.fetch_sub(1, std::memory_order_relaxed);
    ended_.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  friend class UnreadJudge;
  static constexpr std::uint64_t kCallBytes = 512;
  static constexpr std::uint64_t kFrameBytes = 256;
  static constexpr std::uint64_t kFramedBytes = 64;
  static constexpr std::uint64_t kAnsweredBytes = 16;

  void Know(std::uint64_t bytes) noexcept { known_.fetch_add(bytes, std::memory_order_relaxed); }
  void Progressed() noexcept { progress_.fetch_add(1, std::memory_order_relaxed); }

  std::atomic<std::uint64_t> known_ = 0;
  std::atomic<std::uint64_t> progress_ = 0;  // calls begun and frames read
  std::atomic<std::uint64_t> ended_ = 0;
  std::atomic<std::uint32_t> open_ = 0;
};

// Of one connection. Not thread-safe.
class UnreadJudge {
 public:
  // `taken`: bytes that gRPC has taken since the connection began. `worked`: processor time of the
  // daemon since it began. True: a hoard.
  bool Look(const Traffic& traffic, std::uint64_t taken, TimePoint now, Duration worked) noexcept;
  // Wants to look again soon, whether bytes come or not.
  bool is_suspicious() const noexcept { return is_suspicious_; }

 private:
  TimePoint looked_{};
  std::uint64_t taken_ = 0;
  std::uint64_t known_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t unread_ = 0;
  std::uint64_t forgivable_ = 0;  // may still come for calls that have ended
  bool is_suspicious_ = false;
  int looks_ = 0;               // since `since_`
  std::uint64_t progress_ = 0;  // at `since_`
  TimePoint since_{};
  Duration worked_since_{};
};

}  // namespace sluice::rpc
