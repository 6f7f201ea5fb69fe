// SPDX-License-Identifier: Apache-2.0
#include "serve_stream.h"

#include <utility>

#include "queue_convert.h"
#include "request_convert.h"
#include "stream_status.h"
#include "unary.h"
#include "wire/frame_writer.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.RequestService/Serve";
// Of ServeRequest.
constexpr std::uint32_t kCreditField = 2;
constexpr std::uint32_t kFinishField = 4;

v1::WorkerReply Release() {
  v1::WorkerReply reply;
  reply.mutable_release();
  reply.set_last(true);
  return reply;
}

}  // namespace

ServeStream::ServeStream(std::shared_ptr<Transport> transport, ResponderOptions options)
    : PersistentStream(std::move(transport),
                       {kMethod, Shape::kBidirectional, options.reconnect, options.on_state}),
      options_(std::move(options)),
      credit_(options_.credit) {}

std::string ServeStream::OpenFrame() {
  v1::ServeRequest request;
  v1::ServeOpen& open = *request.mutable_open();
  open.set_responder(options_.responder);
  if (options_.spec) *open.mutable_spec() = abi1::ToWire(*options_.spec);
  open.set_worker(options_.worker);
  std::lock_guard lock(mutex_);
  *open.mutable_credit() = ToWire(credit_);
  has_new_credit_ = false;
  return request.SerializeAsString();
}

void ServeStream::OnWritable() {
  std::unique_lock lock(mutex_);
  Pump(lock);
}

void ServeStream::Pump(std::unique_lock<std::mutex>& lock) {
  const bool finishes = wants_finish_ && !has_sent_finish_;
  if (!may_write() || !(has_new_credit_ || desk_.has_replies() || finishes)) {
    lock.unlock();
    return;
  }
  std::string frame;
  if (std::exchange(has_new_credit_, false)) {
    wire::AppendBytesPresent(frame, kCreditField, ToWire(credit_).SerializeAsString());
  }
  desk_.TakeInto(frame);
  if (finishes) {
    wire::AppendUint(frame, kFinishField, 1);
    has_sent_finish_ = true;
  }
  Write(lock, std::move(frame));
}

StreamCall::Reading ServeStream::OnFrame(grpc::ByteBuffer& frame) {
  v1::ServeResponse response;
  if (!Parse(frame, response)) {
    Fail(MalformedReply(kMethod));
    return Reading::kContinue;
  }
  if (response.has_closed()) NoteClosed(FromWire(response.closed().reason()));
  if (response.has_attached()) Accept();
  ServeDesk::News news;
  {
    std::unique_lock lock(mutex_);
    news = desk_.Take(response);
    for (Held& request : news.ready) {
      request->owner = std::static_pointer_cast<ServeStream>(shared_from_this());
      ready_.push_back(std::move(request));
    }
    if (wants_finish_) ReleaseReady();
    changed_.notify_all();
    Pump(lock);
  }
  for (const Held& request : news.stopped) request->stop.request_stop();
  HandOut();
  return Reading::kContinue;
}

ServeStream::Held ServeStream::TakeReady() {
  while (!ready_.empty()) {
    Held request = std::move(ready_.front());
    ready_.pop_front();
    if (request->phase != Assigned::Phase::kHeld) continue;
    if (!request->is_unwanted) return request;
    desk_.Put(*request, Release());
  }
  return nullptr;
}

// Of requests that are pulled nobody will ask for these; a pool still handles what it was given.
void ServeStream::ReleaseReady() {
  if (options_.threads > 0) return;
  while (const Held request = TakeReady()) desk_.Put(*request, Release());
}

void ServeStream::HandOut() {
  for (;;) {  // One after the other: each may give up what others ask.
    QuestionLine<Outcome>::Item question;
    std::optional<Outcome> outcome;
    {
      std::unique_lock lock(mutex_);
      if (options_.threads > 0) return;
      Held request = TakeReady();
      if (request != nullptr || over_) question = line_.ClaimFirst();
      if (question != nullptr && request == nullptr) {
        outcome = *over_;
      } else if (question != nullptr) {
        outcome = ReceivedRequest(Request(request), Reply(request));
      } else if (request != nullptr) {
        ready_.push_front(std::move(request));
      }
      Pump(lock);
    }
    if (question == nullptr) return;
    question->Answer(*std::move(outcome));
  }
}

ServeStream::Held ServeStream::NextToHandle() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (Held request = TakeReady()) return request;
    if (over_) return nullptr;
    Pump(lock);  // What was released meanwhile.
    lock.lock();
    if (ready_.empty() && !over_) changed_.wait(lock);
  }
}

void ServeStream::Wait(QuestionLine<Outcome>::Item question) {
  {
    std::lock_guard lock(mutex_);
    line_.Add(std::move(question));
  }
  HandOut();
}

void ServeStream::Forget(const Question<Outcome>& question) {
  std::lock_guard lock(mutex_);
  line_.Remove(question);
}

Status ServeStream::Answer(Assigned& request, v1::WorkerReply reply) {
  std::unique_lock lock(mutex_);
  if (Status status = desk_.MayReply(request); !status.ok()) return status;
  reply.set_last(true);
  desk_.Put(request, std::move(reply));
  Pump(lock);
  return Status();
}

Status ServeStream::AnswerPart(Assigned& request, const Message& message, Deadline deadline) {
  v1::WorkerReply reply;
  *reply.mutable_message() = abi1::ToWire(message);
  std::unique_lock lock(mutex_);
  const auto is_settled = [&] {
    return request.phase != Assigned::Phase::kHeld || request.is_unwanted || desk_.MayPart(request);
  };
  if (Status status = Await(lock, deadline, "the caller allows no more parts", is_settled);
      !status.ok()) {
    return status;
  }
  if (Status status = desk_.MayReply(request); !status.ok()) return status;
  if (request.is_unwanted) {
    return Status(Code::kCancelled, "CANCELLED", "nobody wants the reply any more");
  }
  desk_.Put(request, std::move(reply));
  Pump(lock);
  return Status();
}

void ServeStream::Abandon(Assigned& request) {
  v1::WorkerReply reply = Release();
  std::unique_lock lock(mutex_);
  if (request.phase != Assigned::Phase::kHeld) return;
  if (!request.is_unwanted) {
    desk_.CountNoAnswer();
    reply.mutable_failure()->set_code("NO_ANSWER");
    reply.mutable_failure()->set_text("the worker dropped the request without an answer");
  }
  desk_.Put(request, std::move(reply));
  Pump(lock);
}

void ServeStream::Drop() {
  std::vector<Held> lost;
  {
    std::lock_guard lock(mutex_);
    lost = desk_.OnLost();
    ready_.clear();
    has_sent_finish_ = false;
    changed_.notify_all();
  }
  for (const Held& request : lost) request->stop.request_stop();
}

void ServeStream::OnLost(const StreamEnd& /*why*/) { Drop(); }

void ServeStream::OnEnding(const StreamEnd& end) {
  Drop();
  std::lock_guard lock(mutex_);
  over_ = EndedStatus(end);
  changed_.notify_all();
}

Status ServeStream::SetCredit(Credit credit) {
  std::unique_lock lock(mutex_);
  if (end_) return EndedStatus(*end_);
  credit_ = credit;
  has_new_credit_ = true;
  Pump(lock);
  return Status();
}

Result<StreamEnd> ServeStream::Close(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  {
    std::unique_lock lock(mutex_);
    wants_finish_ = true;
    ReleaseReady();
    Pump(lock);
  }
  StopReopening();
  return AwaitEnd(deadline);
}

ResponderStats ServeStream::stats() const {
  ResponderStats stats;
  {
    std::lock_guard lock(mutex_);
    stats = desk_.stats();
  }
  stats.reconnects = reconnects();
  stats.exceptions += exceptions();
  return stats;
}

void ServeStream::CountException() {
  std::lock_guard lock(mutex_);
  desk_.CountException();
}

}  // namespace abi1
}  // namespace sluice
