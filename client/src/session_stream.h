// SPDX-License-Identifier: Apache-2.0
// The Keep behind a Session.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "persistent_stream.h"
#include "sluice/session.h"

namespace sluice {
inline namespace abi1 {

class SessionStream final : public PersistentStream {
 public:
  SessionStream(std::shared_ptr<Transport> transport, SessionOptions options);

  std::string id() const;
  std::uint64_t fence() const;
  bool was_resumed() const;
  Status SetLinger(std::chrono::milliseconds linger);
  Result<StreamEnd> Close(Deadline deadline);
  SessionStats stats() const;

 private:
  std::string OpenFrame() override;
  Reading OnFrame(grpc::ByteBuffer& frame) override;
  void OnWritable() override;
  bool WantsReopening() const override { return !is_closing_; }
  void OnLost(const StreamEnd& /*why*/) override {}
  void OnEnding(const StreamEnd& /*end*/) override {}

  void Pump(std::unique_lock<std::mutex>& lock);

  const SessionOptions options_;

  // Guarded by mutex_:
  std::string id_;
  std::uint64_t fence_ = 0;
  std::chrono::milliseconds linger_;
  SessionStats stats_;
  bool is_known_ = false;  // The daemon has answered once.
  bool was_resumed_ = false;
  bool has_new_linger_ = false;
  bool is_closing_ = false;
};

}  // namespace abi1
}  // namespace sluice
