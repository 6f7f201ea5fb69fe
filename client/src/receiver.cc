// SPDX-License-Identifier: Apache-2.0
#include "sluice/receiver.h"

#include <utility>

#include "hold.h"
#include "receiving_stream.h"
#include "sluice/client.h"

namespace sluice {
inline namespace abi1 {

Status Check(const ReceiverOptions& options) {
  if (options.buffered_bytes_max == 0) {
    return Status(Code::kInvalidArgument, "BAD_OPTION", "buffered_bytes_max must be at least 1",
                  {{"field", "buffered_bytes_max"}, {"value", "0"}});
  }
  return Check(options.reconnect);
}

Receiver::Receiver(std::shared_ptr<ReceivingStream> stream) : stream_(std::move(stream)) {}
Receiver::Receiver(Receiver&&) noexcept = default;

Receiver& Receiver::operator=(Receiver&& other) noexcept {
  Receiver old(std::move(*this));
  stream_ = std::move(other.stream_);
  return *this;
}

Receiver::~Receiver() { LetGo(stream_); }

NextOutcome Receiver::Next(Batch& batch, Deadline deadline) {
  return stream_->Next(batch, deadline);
}

Operation<Result<Received>> Receiver::Recv() const { return stream_->Recv(); }

Status Receiver::Ack(const Batch& batch) { return stream_->Ack(batch); }

Status Receiver::Ack(PositionRange positions) {
  return stream_->Settle({positions, SettleAction::kAck, {}, {}, 0});
}

Status Receiver::Nack(PositionRange positions, std::chrono::milliseconds delay) {
  return stream_->Settle({positions, SettleAction::kNack, delay, {}, 0});
}

Status Receiver::Release(PositionRange positions) {
  return stream_->Settle({positions, SettleAction::kRelease, {}, {}, 0});
}

Status Receiver::Extend(PositionRange positions, std::chrono::milliseconds lease_time) {
  return stream_->Settle({positions, SettleAction::kExtend, {}, lease_time, 0});
}

Status Receiver::FlushSettlements(Deadline deadline) { return stream_->FlushSettlements(deadline); }
bool Receiver::is_stale(const Delivery& delivery) const { return stream_->IsStale(delivery); }
Status Receiver::SetCredit(Credit credit) { return stream_->SetCredit(credit); }
Status Receiver::StopReceiving() { return stream_->StopReceiving(); }
Result<StreamEnd> Receiver::Close(Deadline deadline) { return stream_->Close(deadline); }
std::optional<Attachment> Receiver::attachment() const { return stream_->attachment(); }
ReceiveCounts Receiver::counts() const { return stream_->counts(); }
ReceiveStats Receiver::stats() const { return stream_->stats(); }
StreamState Receiver::state() const { return stream_->state(); }
std::optional<StreamEnd> Receiver::end() const { return stream_->end(); }

Result<Receiver> Client::OpenReceiver(ReceiverOptions options, Deadline deadline) {
  if (Status status = Check(options); !status.ok()) return status;
  return OpenHandle<Receiver>(
      transport_, std::make_shared<ReceivingStream>(transport_, std::move(options)), deadline);
}

}  // namespace abi1
}  // namespace sluice
