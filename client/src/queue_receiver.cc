// SPDX-License-Identifier: Apache-2.0
#include "sluice/queue_receiver.h"

#include <utility>

#include "queue_receiver_state.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr std::chrono::milliseconds kDestructorWait{1000};

}  // namespace

QueueReceiver::QueueReceiver(std::shared_ptr<State> state) : state_(std::move(state)) {}
QueueReceiver::QueueReceiver(QueueReceiver&&) noexcept = default;

QueueReceiver& QueueReceiver::operator=(QueueReceiver&& other) noexcept {
  QueueReceiver old(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}

QueueReceiver::~QueueReceiver() {
  if (state_ == nullptr) return;
  state_->Cancel();
  // At most a moment, unless a callback does not return; then the stream dies behind it.
  (void)state_->WaitGone(kDestructorWait);
}

NextOutcome QueueReceiver::Next(Batch& batch, Deadline deadline) {
  return state_->Next(batch, deadline);
}

Status QueueReceiver::Ack(const Batch& batch) { return state_->Settle(batch, SettleAction::kAck); }

Status QueueReceiver::Ack(PositionRange positions) {
  return state_->Settle({positions, SettleAction::kAck, {}, {}, 0});
}

Status QueueReceiver::Nack(PositionRange positions, std::chrono::milliseconds delay) {
  return state_->Settle({positions, SettleAction::kNack, delay, {}, 0});
}

Status QueueReceiver::Release(PositionRange positions) {
  return state_->Settle({positions, SettleAction::kRelease, {}, {}, 0});
}

Status QueueReceiver::Extend(PositionRange positions, std::chrono::milliseconds lease_time) {
  return state_->Settle({positions, SettleAction::kExtend, {}, lease_time, 0});
}

Status QueueReceiver::FlushSettlements(Deadline deadline) {
  return state_->FlushSettlements(deadline);
}
Status QueueReceiver::SetCredit(Credit credit) { return state_->SetCredit(credit); }
Status QueueReceiver::StopReceiving() { return state_->StopReceiving(); }
Result<StreamEnd> QueueReceiver::Finish(Deadline deadline) { return state_->Finish(deadline); }
std::optional<Attachment> QueueReceiver::attachment() const { return state_->attachment(); }
ReceiveCounts QueueReceiver::counts() const { return state_->counts(); }
std::optional<StreamEnd> QueueReceiver::end() const { return state_->end(); }

}  // namespace abi1
}  // namespace sluice
