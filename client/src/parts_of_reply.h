// SPDX-License-Identifier: Apache-2.0
// A reply in parts: those that came and were not taken, at most a window of them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "call_table.h"
#include "caller_stream.h"
#include "question_line.h"

namespace sluice {
inline namespace abi1 {

class PartsOfReply final : public CallSink, public std::enable_shared_from_this<PartsOfReply> {
 public:
  using Outcome = Result<CallPart>;

  PartsOfReply(std::shared_ptr<CallerStream> stream, std::uint32_t window);

  void Start(v1::CallStart start, bool retry_safe);
  void Cancel();

  // For NextQuestion.
  void Wait(QuestionLine<Outcome>::Item question);
  void Forget(const Question<Outcome>& question);
  bool IsOwnThread() const { return stream_->IsOwnThread(); }

 private:
  void Tell(CallPart part) override;
  void Refuse(const Status& why) override;
  // Answers who waits, as far as there is what for; and allows more parts.
  void Serve();

  const std::shared_ptr<CallerStream> stream_;
  const std::uint32_t window_;

  std::mutex mutex_;
  // Guarded by mutex_:
  std::deque<CallPart> parts_;
  QuestionLine<Outcome> line_;
  std::uint64_t id_ = 0;  // 0: not started, or refused at once.
  std::uint64_t taken_ = 0;
  std::uint64_t allowed_;
  std::optional<Status> end_;  // What is answered when there is nothing more.
};

}  // namespace abi1
}  // namespace sluice
