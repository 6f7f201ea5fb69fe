// SPDX-License-Identifier: Apache-2.0
// The SendStream behind a QueueSender.
//
//   opening -> open -> finishing (no more is taken) -> half-closed -> ended
//
// One write at a time: the open frame, then the frames of the buffer, then the half-close. Whoever
// finds the wire free writes, the user's thread or the client's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "send_buffer.h"
#include "sluice/queue_sender.h"
#include "stream_call.h"

namespace sluice {
inline namespace abi1 {

class QueueSender::State final : public StreamCall {
 public:
  State(std::shared_ptr<Transport> transport, SenderOptions options);

  // Starts the stream and waits for SendOpened. Once.
  Status Open(Deadline deadline);
  // `sequence` 0: the next one.
  Result<std::uint64_t> Send(std::uint64_t sequence, const Message& message, Deadline deadline);
  Status Flush(Deadline deadline);
  Result<StreamEnd> Finish(Deadline deadline);

  const SenderOpened& opened() const { return opened_; }
  SendCounts counts() const;
  std::optional<StreamEnd> end() const;

 private:
  void OnStarted() override;
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritten() override;
  void OnEnd(const grpc::Status& status) override;

  // Writes what is next, if the wire is free. Unlocks for it, and leaves unlocked.
  void Pump(std::unique_lock<std::mutex>& lock);
  bool IsFull() const;
  // Whether to wake who waits for room: at three quarters, so that it is worth waking for.
  bool HasRoomAgain() const;
  // Waits for room. OK, or why the message is not taken.
  Status WaitForRoom(std::unique_lock<std::mutex>& lock, Deadline deadline);
  void Tell(const std::vector<SendOutcome>& outcomes);
  void Count(const SendOutcome& outcome, std::uint32_t messages);

  const SenderOptions options_;
  SenderOpened opened_;  // Written once, before is_open_.

  mutable std::mutex mutex_;
  std::condition_variable room_;     // There is room, or no more is taken.
  std::condition_variable changed_;  // Opened, outcomes, the end.
  // Guarded by mutex_:
  SendBuffer buffer_;
  SendCounts counts_;
  std::uint64_t next_sequence_ = 1;
  std::uint32_t room_waiters_ = 0;
  std::uint32_t change_waiters_ = 0;
  bool is_open_ = false;
  bool is_writing_ = false;
  bool is_finishing_ = false;
  bool is_half_closed_ = false;
  std::optional<ClosedReason> closed_;  // The daemon's word; the status follows.
  std::optional<Status> fault_;         // This end gave up on the stream, and why.
  std::optional<StreamEnd> end_;
};

}  // namespace abi1
}  // namespace sluice
