// SPDX-License-Identifier: Apache-2.0
// The Watch behind a Watcher.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persistent_stream.h"
#include "question_line.h"
#include "sluice/v1/config.pb.h"
#include "sluice/watcher.h"
#include "watch_cache.h"

namespace sluice {
inline namespace abi1 {

class WatchStream final : public PersistentStream {
 public:
  using Outcome = Result<ConfigSnapshot>;
  using Predicate = std::function<bool(const ConfigSnapshot&)>;

  WatchStream(std::shared_ptr<Transport> transport, WatcherOptions options);

  // For NextQuestion.
  void Wait(QuestionLine<Outcome>::Item question);
  void Forget(const Question<Outcome>& question);
  using PersistentStream::IsOwnThread;

  ConfigSnapshot Get(const std::string& key) const;
  std::vector<ConfigSnapshot> All() const;
  Status WaitForSnapshot(Deadline deadline);
  Result<ConfigSnapshot> WaitFor(const std::string& key, const Predicate& holds, Deadline deadline);
  bool is_current() const;
  Result<StreamEnd> Close(Deadline deadline);
  WatcherStats stats() const;

 private:
  std::string OpenFrame() override;
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritable() override {}
  bool WantsReopening() const override { return !is_closing_; }
  // It fell behind what the daemon remembers: there is a new snapshot for it.
  bool GoesOnAfter(const StreamEnd& end) const override {
    return end.kind == StreamEnd::Kind::kClosed && end.reason == ClosedReason::kLimit;
  }
  void OnLost(const StreamEnd& why) override;
  void OnEnding(const StreamEnd& end) override;
  void OnEnded() override { Tell(); }

  // Requires the lock.
  void Take(v1::WatchResponse& response);
  // Tells changes to on_change, or to those who ask.
  void Tell();

  const WatcherOptions options_;

  // Guarded by mutex_:
  WatchCache cache_;
  QuestionLine<Outcome> line_;
  WatcherStats stats_;
  bool is_current_ = false;
  bool is_closing_ = false;
  std::optional<Status> over_;  // Why nothing more will change.
};

}  // namespace abi1
}  // namespace sluice
