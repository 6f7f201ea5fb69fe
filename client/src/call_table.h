// SPDX-License-Identifier: Apache-2.0
// The account of a caller: calls that wait for the wire, calls that are open at the daemon, and
// the frames of a CallStream. Pure memory; its owner's lock guards it.
//
//   waiting -> open (written) -> answered, cancelled or lost
//
// A call has one call_id for its life, also when it is written again on another stream: what waits
// is written in the order of the ids, so they rise on every stream.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sluice/call.h"
#include "sluice/deadline.h"
#include "sluice/v1/request.pb.h"

namespace sluice {
inline namespace abi1 {

// Who waits for a call's replies; called without a lock, on the client's thread.
class CallSink {
 public:
  virtual ~CallSink() = default;
  virtual void Tell(CallPart part) = 0;
  // Nothing came of it: it was refused, and not begun.
  virtual void Refuse(const Status& why) = 0;
};

class CallTable {
 public:
  using Sink = std::shared_ptr<CallSink>;

  CallTable(std::size_t open_max, std::size_t bytes_max)
      : open_max_(open_max), bytes_max_(bytes_max) {}

  // Calls without their end, and the bytes of their requests.
  std::size_t size() const { return calls_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t open() const { return calls_.size() - waiting_.size(); }

  // The call, without an id so far; its id. It is overdue at `until`.
  std::uint64_t Add(v1::CallStart start, bool retry_safe, Deadline until, Sink sink);
  // False: it is over.
  bool Cancel(std::uint64_t id);
  bool Has(std::uint64_t id) const { return calls_.find(id) != calls_.end(); }
  // Parts allowed in all.
  void Allow(std::uint64_t id, std::uint64_t parts);

  bool has_frame() const;
  // Cancels and credit, or calls as far as open_max, bytes_max and one frame allow; one call passes
  // whatever its size. Requires: has_frame().
  std::string TakeFrame();

  // When the first call is overdue; Never.
  Deadline next_due() const;
  // One whose time is over, and who waits for it: it is not open any more, and if it was written
  // the daemon is told. Of a written one the daemon itself says so: for `grace` its word is waited
  // for.
  struct Overdue {
    Sink sink;
    bool was_written = false;  // On this stream, or on one that was lost: it may have been done.
  };
  std::optional<Overdue> TakeOverdue(Deadline::TimePoint now, std::chrono::milliseconds grace);

  // Who waits for it; nobody if it is over. With `last` it is over now.
  Sink Answered(std::uint64_t id, bool last);

  // The stream is gone. What was open and may be asked again waits again, the rest is over; those
  // who wait for it.
  struct Lost {
    std::vector<Sink> unknown;
    Sink refused;
    std::size_t again = 0;  // That were written and wait again.
  };
  enum class Loss {
    kInDoubt,   // What is open may have been done.
    kAnswered,  // The daemon had answered everything that it took.
  };
  Lost OnLost(Loss loss);
  // The same, because of this call: it is over, and nothing of the frame it was in was begun.
  Lost OnRefused(std::uint64_t id);
  // Everything, for the end of the caller: those who wait, and whether the call was written.
  std::vector<std::pair<Sink, bool>> TakeAll();

 private:
  struct Call {
    std::string encoded;      // CallStart.
    std::uint64_t frame = 0;  // That it was written in; 0: it waits.
    bool is_retry_safe = false;
    bool has_part = false;  // Of its reply: it cannot be asked again.
    Deadline::TimePoint due = Deadline::TimePoint::max();  // It stands in due_ with it.
    bool was_in_doubt = false;                             // It was open on a stream that was lost.
    bool is_overdue = false;                               // Only its grace is left.
    Sink sink;
  };
  using Calls = std::map<std::uint64_t, Call>;

  bool may_open() const;
  void WaitAgain(Calls::iterator at);
  Calls::iterator Erase(Calls::iterator at);

  const std::size_t open_max_;
  const std::size_t bytes_max_;
  std::uint64_t last_id_ = 0;
  std::uint64_t last_frame_ = 0;
  std::size_t bytes_ = 0;
  std::size_t open_bytes_ = 0;  // Of those written.
  Calls calls_;
  std::set<std::uint64_t> waiting_;
  std::set<std::pair<Deadline::TimePoint, std::uint64_t>> due_;  // Those that have a time.
  std::vector<std::uint64_t> cancels_;                           // For the wire.
  std::map<std::uint64_t, std::uint64_t> allow_;                 // The same.
};

}  // namespace abi1
}  // namespace sluice
