// SPDX-License-Identifier: Apache-2.0
// The CallStream behind a Caller.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "call_table.h"
#include "persistent_stream.h"
#include "sluice/caller.h"

namespace sluice {
inline namespace abi1 {

class CallerStream final : public PersistentStream {
 public:
  CallerStream(std::shared_ptr<Transport> transport, CallerOptions options);

  // Without an id so far.
  v1::CallStart Make(const Message& message, const CallOptions& options) const;
  // Takes the call, and has `sink` told what becomes of it; its id. 0: it was refused at once, and
  // `sink` was told.
  std::uint64_t Start(v1::CallStart start, bool retry_safe, CallTable::Sink sink);
  void Withdraw(std::uint64_t id);
  void Allow(std::uint64_t id, std::uint64_t parts);
  Result<StreamEnd> Close(Deadline deadline);
  CallerStats stats() const;
  using PersistentStream::IsOwnThread;

 private:
  using Told = std::vector<std::pair<CallTable::Sink, CallPart>>;

  std::string OpenFrame() override { return {}; }
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritable() override;
  bool WantsReopening() const override { return !is_closing_ || table_.size() > 0; }
  bool GoesOnAfter(const StreamEnd& end) const override;
  void OnLost(const StreamEnd& why) override;
  void OnEnding(const StreamEnd& end) override;

  // Requires the lock: has OnTime called when the next call is overdue.
  void Arm();
  void OnTime();
  // Writes what is next, if the wire is free. Unlocks for it, and leaves unlocked.
  void Pump(std::unique_lock<std::mutex>& lock);
  Status Refusal() const;
  // The call that the daemon refused, and ended the stream for; 0: none that is open.
  std::uint64_t RefusedCall(const StreamEnd& end) const;

  const CallerOptions options_;

  // Guarded by mutex_:
  CallTable table_;
  std::shared_ptr<Timer> timer_;
  Deadline timer_at_ = Deadline::Never();
  CallerStats stats_;
  bool is_closing_ = false;
};

}  // namespace abi1
}  // namespace sluice
