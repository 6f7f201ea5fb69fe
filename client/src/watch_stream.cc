// SPDX-License-Identifier: Apache-2.0
#include "watch_stream.h"

#include <utility>

#include "config_convert.h"
#include "queue_convert.h"
#include "stream_status.h"
#include "unary.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.ConfigService/Watch";

}  // namespace

WatchStream::WatchStream(std::shared_ptr<Transport> transport, WatcherOptions options)
    : PersistentStream(std::move(transport),
                       {kMethod, Shape::kServerStreaming, options.reconnect, options.on_state}),
      options_(std::move(options)) {}

std::string WatchStream::OpenFrame() {
  v1::WatchRequest request;
  for (const std::string& key : options_.keys) request.add_keys(key);
  for (const std::string& prefix : options_.prefixes) request.add_prefixes(prefix);
  std::lock_guard lock(mutex_);
  if (const auto resume = cache_.Begin()) {
    request.mutable_resume()->set_service_epoch(resume->service_epoch);
    request.mutable_resume()->set_revision(resume->revision);
  }
  return request.SerializeAsString();
}

StreamCall::Reading WatchStream::OnFrame(grpc::ByteBuffer& frame) {
  v1::WatchResponse response;
  if (!Parse(frame, response)) {
    Fail(MalformedReply(kMethod));
    return Reading::kContinue;
  }
  if (response.has_closed()) {
    NoteClosed(FromWire(response.closed().reason()));
    return Reading::kContinue;
  }
  Accept();
  {
    std::lock_guard lock(mutex_);
    Take(response);
    changed_.notify_all();
  }
  Tell();
  return Reading::kContinue;
}

void WatchStream::Take(v1::WatchResponse& response) {
  if (response.has_reset()) {
    cache_.Reset();
    ++stats_.resets;
  }
  for (v1::Entry& entry : *response.mutable_entries()) {
    ++stats_.entries;
    (void)cache_.Put(TakeFromWire(entry));
  }
  if (response.has_end_of_snapshot()) {
    ++(cache_.resume() ? stats_.resumed : stats_.snapshots);
    const v1::EndOfSnapshot& end = response.end_of_snapshot();
    (void)cache_.EndSnapshot({end.service_epoch(), end.revision()});
    is_current_ = true;
  }
}

void WatchStream::Tell() {
  if (options_.on_change) {
    for (;;) {
      ConfigSnapshot change;
      {
        std::lock_guard lock(mutex_);
        if (!cache_.has_change()) return;
        change = cache_.TakeChange();
      }
      CallBack(options_.on_change, change);
    }
  }
  for (;;) {  // One after the other: each may give up what others ask.
    QuestionLine<Outcome>::Item question;
    std::optional<Outcome> outcome;
    {
      std::lock_guard lock(mutex_);
      if (cache_.has_change() || over_) question = line_.ClaimFirst();
      if (question == nullptr) return;
      outcome = cache_.has_change() ? Outcome(cache_.TakeChange()) : Outcome(*over_);
    }
    question->Answer(*std::move(outcome));
  }
}

void WatchStream::Wait(QuestionLine<Outcome>::Item question) {
  if (options_.on_change) {
    if (question->Claim()) {
      question->Answer(Status(Code::kFailedPrecondition, "BAD_OPTION",
                              "changes are told to on_change", {{"field", "on_change"}}));
    }
    return;
  }
  {
    std::lock_guard lock(mutex_);
    line_.Add(std::move(question));
  }
  Tell();
}

void WatchStream::Forget(const Question<Outcome>& question) {
  std::lock_guard lock(mutex_);
  line_.Remove(question);
}

ConfigSnapshot WatchStream::Get(const std::string& key) const {
  std::lock_guard lock(mutex_);
  return cache_.Find(key);
}

std::vector<ConfigSnapshot> WatchStream::All() const {
  std::vector<ConfigSnapshot> all;
  std::lock_guard lock(mutex_);
  cache_.ForEach([&all](const ConfigSnapshot& latest) { all.push_back(latest); });
  return all;
}

Status WatchStream::WaitForSnapshot(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const Status waited = Await(lock, deadline, "the snapshot is not complete",
                              [this] { return cache_.is_complete(); });
  if (!waited.ok() || cache_.is_complete()) return waited;
  return EndedStatus(*end_);
}

Result<ConfigSnapshot> WatchStream::WaitFor(const std::string& key, const Predicate& holds,
                                            Deadline deadline) {
  if (Status status = WaitForSnapshot(deadline); !status.ok()) return status;
  std::unique_lock lock(mutex_);
  for (;;) {
    ConfigSnapshot latest = cache_.Find(key);
    lock.unlock();
    if (holds(latest)) return latest;
    lock.lock();
    const auto is_other = [&] { return cache_.Find(key) != latest; };
    const Status waited = Await(lock, deadline, "the value is not what is waited for", is_other);
    if (!waited.ok()) return waited;
    if (!is_other()) return EndedStatus(*end_);
  }
}

bool WatchStream::is_current() const {
  std::lock_guard lock(mutex_);
  return is_current_;
}

void WatchStream::OnLost(const StreamEnd& /*why*/) {
  std::lock_guard lock(mutex_);
  is_current_ = false;
}

void WatchStream::OnEnding(const StreamEnd& end) {
  std::lock_guard lock(mutex_);
  is_current_ = false;
  over_ = EndedStatus(end);
}

Result<StreamEnd> WatchStream::Close(Deadline deadline) {
  if (IsOwnThread()) return WouldBlockStatus();
  {
    std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  Cancel();  // A watch has no end of its own.
  return AwaitEnd(deadline);
}

WatcherStats WatchStream::stats() const {
  WatcherStats stats;
  {
    std::lock_guard lock(mutex_);
    stats = stats_;
    stats.keys = cache_.size();
  }
  stats.reconnects = reconnects();
  stats.exceptions = exceptions();
  return stats;
}

}  // namespace abi1
}  // namespace sluice
