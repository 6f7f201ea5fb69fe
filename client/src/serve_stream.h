// SPDX-License-Identifier: Apache-2.0
// The Serve behind a Responder: the stream, the desk, and who is waiting for requests.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assigned.h"
#include "persistent_stream.h"
#include "question_line.h"
#include "serve_desk.h"
#include "sluice/responder.h"

namespace sluice {
inline namespace abi1 {

class HandlerPool;

class ServeStream final : public PersistentStream {
 public:
  using Outcome = Result<ReceivedRequest>;
  using Held = ServeDesk::Held;

  ServeStream(std::shared_ptr<Transport> transport, ResponderOptions options);

  // For NextQuestion.
  void Wait(QuestionLine<Outcome>::Item question);
  void Forget(const Question<Outcome>& question);
  using PersistentStream::IsOwnThread;

  // For Reply.
  Status Answer(Assigned& request, v1::WorkerReply reply);
  Status AnswerPart(Assigned& request, const Message& message, Deadline deadline);
  // Nobody will answer it any more: NO_ANSWER, or a release if nobody wants a reply.
  void Abandon(Assigned& request);

  Status SetCredit(Credit credit);
  Result<StreamEnd> Close(Deadline deadline);
  ResponderStats stats() const;

  // Of the pool: the next request that is worth handling; null when there will be none. Blocks.
  Held NextToHandle();
  void CountException();

 private:
  std::string OpenFrame() override;
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritable() override;
  bool WantsReopening() const override { return !wants_finish_; }
  void OnLost(const StreamEnd& why) override;
  void OnEnding(const StreamEnd& end) override;
  void OnEnded() override { HandOut(); }

  void Pump(std::unique_lock<std::mutex>& lock);
  // Requires the lock. The oldest that was not begun, without those nobody wants any more: they are
  // released here.
  Held TakeReady();
  // Gives what is ready to those who ask.
  void HandOut();
  // Requires the lock. Hands back what is ready, if it is for those who ask.
  void ReleaseReady();
  // Everything in hand belongs to nobody any more.
  void Drop();

  const ResponderOptions options_;

  // Guarded by mutex_:
  ServeDesk desk_;
  std::deque<Held> ready_;
  QuestionLine<Outcome> line_;
  Credit credit_;
  bool has_new_credit_ = false;
  bool wants_finish_ = false;
  bool has_sent_finish_ = false;
  std::optional<Status> over_;  // Why no more requests will come.
};

}  // namespace abi1
}  // namespace sluice
