// SPDX-License-Identifier: Apache-2.0
// One call that is waited for: the library's side of the operation that Caller::Call makes.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "call_table.h"
#include "caller_stream.h"
#include "sluice/operation.h"

namespace sluice {
inline namespace abi1 {

class CallQuestion final : public Question<Result<CallReply>>,
                           public CallSink,
                           public std::enable_shared_from_this<CallQuestion> {
 public:
  // `fault`: what is wrong with the message; told when it is asked.
  CallQuestion(std::shared_ptr<CallerStream> stream, v1::CallStart start, bool retry_safe,
               Status fault)
      : stream_(std::move(stream)),
        start_(std::move(start)),
        is_retry_safe_(retry_safe),
        fault_(std::move(fault)) {}

 private:
  void Ask() override {
    const auto self = shared_from_this();  // A callback may destroy the operation.
    if (!fault_.ok()) return Refuse(fault_);
    id_ = stream_->Start(std::move(start_), is_retry_safe_, self);
  }
  void Withdraw() override {
    if (id_ != 0) stream_->Withdraw(id_);
  }
  Result<CallReply> Failed(Status why) override { return why; }
  bool IsAnsweringThread() const override { return stream_->IsOwnThread(); }
  bool acts() const override { return true; }

  void Tell(CallPart part) override {
    if (Claim()) Answer(Result<CallReply>(CallReply(std::move(part))));
  }
  void Refuse(const Status& why) override {
    if (Claim()) Answer(why);
  }

  const std::shared_ptr<CallerStream> stream_;
  v1::CallStart start_;  // Until it is asked.
  const bool is_retry_safe_;
  const Status fault_;
  std::uint64_t id_ = 0;
};

}  // namespace abi1
}  // namespace sluice
