// SPDX-License-Identifier: Apache-2.0
// When the messages of one producer are due. At a fixed rate that is a plan: a producer that is
// late sends at once what is overdue, and a latency counts from the time that was meant, so that a
// stall of the peer costs every message that it held up (no coordinated omission). At full speed a
// message is due when it is sent.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sluice::bench {

// Of the machine's monotonic clock.
std::uint64_t NowNs();

// Ends a run before its time; waits end at once.
class Halt {
 public:
  void Raise();
  bool is_raised() const { return is_raised_; }
  // True: it was raised.
  bool WaitUntil(std::uint64_t at_ns);

 private:
  std::mutex mutex_;
  std::condition_variable raised_cv_;
  std::atomic<bool> is_raised_{false};
};

struct PacePlan {
  double rate = 0;             // Messages a second of all producers; 0: full speed.
  std::uint64_t batch = 1;     // So many are due together.
  std::uint64_t messages = 0;  // Of this producer; 0: no limit.
  double duration_s = 0;       // 0: no limit.
  std::size_t producer = 0;    // This one, of ...
  std::size_t producers = 1;
  std::uint64_t begin_ns = 0;
};

class Pace {
 public:
  Pace(const PacePlan& plan, Halt& halt) : plan_(plan), halt_(halt) {}

  // Waits until the next message is due. False: there are no more.
  bool Next();
  std::uint64_t intended_ns() const { return intended_ns_; }
  std::uint64_t sequence() const { return next_ - 1; }
  // Messages so far.
  std::uint64_t count() const { return next_; }

 private:
  std::uint64_t DueNs(std::uint64_t sequence) const;

  const PacePlan plan_;
  Halt& halt_;
  std::uint64_t next_ = 0;
  std::uint64_t intended_ns_ = 0;
};

}  // namespace sluice::bench
