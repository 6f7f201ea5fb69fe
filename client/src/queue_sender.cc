// SPDX-License-Identifier: Apache-2.0
#include "sluice/queue_sender.h"

#include <utility>

#include "queue_sender_state.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::chrono::milliseconds kDestructorWait{1000};

}  // namespace

QueueSender::QueueSender(std::shared_ptr<State> state) : state_(std::move(state)) {}
QueueSender::QueueSender(QueueSender&&) noexcept = default;

QueueSender& QueueSender::operator=(QueueSender&& other) noexcept {
  QueueSender old(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}

QueueSender::~QueueSender() {
  if (state_ == nullptr) return;
  state_->Cancel();
  // At most a moment, unless a callback does not return; then the stream dies behind it.
  (void)state_->WaitGone(kDestructorWait);
}

Result<std::uint64_t> QueueSender::Send(const Message& message, Deadline deadline) {
  return state_->Send(0, message, deadline);
}

Result<std::uint64_t> QueueSender::SendAs(std::uint64_t sequence, const Message& message,
                                          Deadline deadline) {
  if (sequence == 0) {
    return Status(Code::kInvalidArgument, "BAD_OPTION", "sequences begin at 1",
                  {{"field", "sequence"}, {"value", "0"}});
  }
  return state_->Send(sequence, message, deadline);
}

Status QueueSender::Flush(Deadline deadline) { return state_->Flush(deadline); }
Result<StreamEnd> QueueSender::Finish(Deadline deadline) { return state_->Finish(deadline); }
const SenderOpened& QueueSender::opened() const { return state_->opened(); }
SendCounts QueueSender::counts() const { return state_->counts(); }
std::optional<StreamEnd> QueueSender::end() const { return state_->end(); }

}  // namespace abi1
}  // namespace sluice
