// SPDX-License-Identifier: Apache-2.0
// Whether this daemon answers, asked as a client would: a new connection to our own listening
// address, and grpc.health.v1.Health/Check on it. New each time: over one that is kept, a listener
// that accepts no more would never be noticed. No gRPC type in this header.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mutex.h"
#include "base/status.h"

namespace sluice::rpc {

class OwnPeer;

// Check by one thread at a time; Cancel by any.
class SelfProbe {
 public:
  // `listen` as it was given, HOST:PORT or unix:PATH; `port` the one it was given for port 0. Both
  // outlive the probe: `clock`, and `own`, which is told of each connection before it is made.
  SelfProbe(const std::string& listen, int port, const Clock& clock, OwnPeer& own);
  ~SelfProbe();

  // Blocks until `deadline` at most. OK: there was an answer, whatever it says.
  // RESOURCE_EXHAUSTED, reason CANNOT_ASK: this process has no file descriptor left to ask with,
  // which tells nothing. UNAVAILABLE, reason NO_ANSWER: the sentence says how.
  Status Check(TimePoint deadline);
  // Ends a Check under way, and every one to come.
  void Cancel();

 private:
  struct Call;
  Status Connect(TimePoint deadline, Fd& out);
  Status Ask(Fd fd, TimePoint deadline);
  Status NoAnswer(const std::string& why) const;
  Status Failed(int error) const;  // NoAnswer, or CANNOT_ASK

  const Clock& clock_;
  OwnPeer& own_;
  std::string name_;
  sockaddr_storage address_{};
  socklen_t address_size_ = 0;  // 0: it cannot be resolved
  std::atomic<bool> is_cancelled_ = false;
  Mutex mutex_;
  Call* call_ GUARDED_BY(mutex_) = nullptr;  // under way
};

}  // namespace sluice::rpc
