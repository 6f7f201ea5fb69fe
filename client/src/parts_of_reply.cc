// SPDX-License-Identifier: Apache-2.0
#include "parts_of_reply.h"

#include <optional>
#include <utility>

#include "sluice/reply_parts.h"

namespace sluice {
inline namespace abi1 {

PartsOfReply::PartsOfReply(std::shared_ptr<CallerStream> stream, std::uint32_t window)
    : stream_(std::move(stream)), window_(window), allowed_(window) {}

void PartsOfReply::Start(v1::CallStart start, bool retry_safe) {
  const std::uint64_t id = stream_->Start(std::move(start), retry_safe, shared_from_this());
  {
    std::lock_guard lock(mutex_);
    id_ = id;
  }
  Serve();  // Parts may have been taken already.
}

void PartsOfReply::Cancel() {
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    id = id_;
    parts_.clear();
    if (!end_) {
      end_ = Status(Code::kCancelled, "STREAM_ENDED", "the call was cancelled by this end");
    }
  }
  if (id != 0) stream_->Withdraw(id);
  Serve();
}

void PartsOfReply::Wait(QuestionLine<Outcome>::Item question) {
  {
    std::lock_guard lock(mutex_);
    line_.Add(std::move(question));
  }
  Serve();
}

void PartsOfReply::Forget(const Question<Outcome>& question) {
  std::lock_guard lock(mutex_);
  line_.Remove(question);
}

void PartsOfReply::Tell(CallPart part) {
  {
    std::lock_guard lock(mutex_);
    if (end_) return;  // It was cancelled.
    if (part.last) {
      end_ = Status(Code::kFailedPrecondition, "STREAM_ENDED", "the reply has ended");
    }
    parts_.push_back(std::move(part));
  }
  Serve();
}

void PartsOfReply::Refuse(const Status& why) {
  {
    std::lock_guard lock(mutex_);
    if (!end_) end_ = why;
  }
  Serve();
}

void PartsOfReply::Serve() {
  for (;;) {  // One after the other: each may give up what others ask.
    QuestionLine<Outcome>::Item question;
    std::optional<Outcome> outcome;
    std::uint64_t allow = 0;
    std::uint64_t id = 0;
    {
      std::lock_guard lock(mutex_);
      if (!parts_.empty() || end_) question = line_.ClaimFirst();
      if (question != nullptr && parts_.empty()) {
        outcome = *end_;
      } else if (question != nullptr) {
        outcome = std::move(parts_.front());
        parts_.pop_front();
        ++taken_;
      }
      // Told when half of the window is used up, not for each part.
      if (!end_ && id_ != 0 && allowed_ - taken_ <= window_ / 2) {
        allow = allowed_ = taken_ + window_;
      }
      id = id_;
    }
    if (allow != 0) stream_->Allow(id, allow);
    if (question == nullptr) return;
    question->Answer(*std::move(outcome));
  }
}

ReplyParts::ReplyParts(std::shared_ptr<PartsOfReply> stream) : stream_(std::move(stream)) {}
ReplyParts::ReplyParts(ReplyParts&&) noexcept = default;

ReplyParts& ReplyParts::operator=(ReplyParts&& other) noexcept {
  ReplyParts old(std::move(*this));
  stream_ = std::move(other.stream_);
  return *this;
}

ReplyParts::~ReplyParts() {
  if (stream_ != nullptr) stream_->Cancel();
}

Operation<Result<CallPart>> ReplyParts::Recv() { return AskNext<CallPart>(stream_); }
Result<CallPart> ReplyParts::Next(Deadline deadline) { return Recv().Wait(deadline); }
void ReplyParts::Cancel() { stream_->Cancel(); }

}  // namespace abi1
}  // namespace sluice
