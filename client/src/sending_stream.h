// SPDX-License-Identifier: Apache-2.0
// The stream behind a Sender (SendStream) and a Publisher (PublishStream of one topic): the frames
// of the two differ in their first one alone.
//
//   opening -> open -> closing (no more is taken) -> half-closed -> ended
//
// A loss goes back to opening: what is out and has no outcome is put in front of what waits, and is
// written again when the daemon has told its epoch (sending_end.h says when not).
// Whoever finds the wire free writes, the user's thread or the client's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "persistent_stream.h"
#include "queue_convert.h"
#include "send_buffer.h"
#include "sluice/sending_end.h"

namespace sluice {
inline namespace abi1 {

// OK, or BAD_OPTION with the field.
Status Check(const SendingOptions& options);
// The options with a producer_id, if they ask for one.
SendingOptions WithProducerId(SendingOptions options);

// What SendOpen and PublishOpen say in the same words.
template <class Open>
void FillOpen(const SendingOptions& options, Open& open) {
  open.set_mode(ToWire(options.mode));
  open.set_wait_ms(ToWireMs(options.wait));
  open.set_producer_id(options.producer_id);
  open.set_session_id(options.session_id);
}

class SendingStream final : public PersistentStream {
 public:
  // `open_frame` is the encoded first frame of every attempt. Requires: checked options.
  SendingStream(std::shared_ptr<Transport> transport, std::string method, std::string open_frame,
                SendingOptions options);

  // `sequence` 0: the next one.
  Result<std::uint64_t> Post(std::uint64_t sequence, const Message& message, Deadline deadline);
  Operation<SendOutcome> Ask(const Message& message);
  Status Flush(Deadline deadline);
  Result<StreamEnd> Close(Deadline deadline);

  SenderOpened opened() const;
  SendCounts counts() const;
  SendStats stats() const;

 private:
  class SendQuestion;
  using Asked = std::shared_ptr<SendQuestion>;

  std::string OpenFrame() override { return open_frame_; }
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritable() override;
  bool WantsReopening() const override { return !is_closing_ || counts_.pending > 0; }
  void OnLost(const StreamEnd& why) override;
  void OnEnding(const StreamEnd& end) override;
  void OnEnded() override;

  // Writes what is next, if the wire is free. Unlocks for it, and leaves unlocked.
  void Pump(std::unique_lock<std::mutex>& lock);
  // Require the lock:
  bool IsFull() const;
  // Whether to wake who waits for room: at three quarters, so that it is worth waking for.
  bool HasRoomAgain() const;
  Status PendingFull() const;
  Status ClosingStatus() const;
  std::uint64_t Take(std::uint64_t sequence);
  void Admit(const Asked& asked);
  // Waits for room. OK, or why the message is not taken.
  Status WaitForRoom(std::unique_lock<std::mutex>& lock, Deadline deadline);

  void Start(const Asked& asked);
  void Forget(const SendQuestion& asked);

  // The transport's thread, without the lock:
  void OnOpened(const SenderOpened& opened);
  void Tell(std::vector<SendOutcome> outcomes);
  void TellUnknown(const std::vector<SendBuffer::Range>& ranges, Outcome outcome,
                   ClosedReason reason, const Status& why);
  // Requires the lock: those of the range that somebody waits for.
  void TakeAsked(const SendOutcome& outcome, std::vector<std::pair<Asked, SendOutcome>>& told);
  void Count(const SendOutcome& outcome, std::uint32_t messages);
  bool IsForTheNextDaemon(const SendOutcome& outcome) const;

  const SendingOptions options_;
  const std::string method_;
  const std::string open_frame_;
  bool was_opened_ = false;  // The transport's thread alone, as the next.
  bool has_resent_ = false;

  std::condition_variable room_;  // There is room, or no more is taken.
  // Guarded by mutex_:
  SendBuffer buffer_;
  SenderOpened opened_;
  SendCounts counts_;
  SendStats stats_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t last_spent_ = 0;            // Highest sequence that the daemon told to be spent.
  std::deque<Asked> line_;                  // Wait for room.
  std::map<std::uint64_t, Asked> awaited_;  // Taken, by sequence.
  std::uint32_t room_waiters_ = 0;
  bool is_closing_ = false;
  bool is_ending_ = false;  // Outcomes are given by the end, which is about to be told.
};

}  // namespace abi1
}  // namespace sluice
