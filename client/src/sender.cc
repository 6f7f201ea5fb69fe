// SPDX-License-Identifier: Apache-2.0
#include "sluice/sender.h"

#include <random>
#include <utility>

#include "bad_option.h"
#include "hold.h"
#include "queue_convert.h"
#include "sending_stream.h"
#include "sluice/client.h"
#include "sluice/v1/queue.pb.h"

namespace sluice {
inline namespace abi1 {
namespace {

constexpr char kMethod[] = "/sluice.v1.QueueService/SendStream";
constexpr std::size_t kProducerIdBytes = 16;
// Under the daemon's frame limit, with room for the fields beside the messages.
constexpr std::size_t kFrameBytesMax = 3 << 20;

}  // namespace

Status Check(const SendingOptions& options) {
  if (!options.producer_id.empty() && options.producer_id.size() != kProducerIdBytes) {
    return BadOption("producer_id", std::to_string(options.producer_id.size()),
                     "must have 16 bytes, or none");
  }
  if (!options.deduplicate && !options.producer_id.empty()) {
    return BadOption("deduplicate", "false", "must be true with a producer_id");
  }
  if (options.frame_bytes_max == 0 || options.frame_bytes_max > kFrameBytesMax) {
    return BadOption("frame_bytes_max", std::to_string(options.frame_bytes_max),
                     "must be 1 to 3 MiB");
  }
  if (options.pending_messages_max == 0)
    return BadOption("pending_messages_max", "0", "must be at least 1");
  if (options.pending_bytes_max == 0)
    return BadOption("pending_bytes_max", "0", "must be at least 1");
  return Check(options.reconnect);
}

SendingOptions WithProducerId(SendingOptions options) {
  if (!options.deduplicate || !options.producer_id.empty()) return options;
  std::random_device random;
  while (options.producer_id.size() < kProducerIdBytes) {
    options.producer_id += static_cast<char>(random() & 0xff);
  }
  return options;
}

SendingEnd::SendingEnd(std::shared_ptr<SendingStream> stream) : stream_(std::move(stream)) {}
SendingEnd::SendingEnd(SendingEnd&&) noexcept = default;

SendingEnd& SendingEnd::operator=(SendingEnd&& other) noexcept {
  SendingEnd old(std::move(*this));
  stream_ = std::move(other.stream_);
  return *this;
}

SendingEnd::~SendingEnd() { LetGo(stream_); }

Result<std::uint64_t> SendingEnd::Post(const Message& message, Deadline deadline) {
  return stream_->Post(0, message, deadline);
}

Result<std::uint64_t> SendingEnd::PostAs(std::uint64_t sequence, const Message& message,
                                         Deadline deadline) {
  if (sequence == 0) return BadOption("sequence", "0", "begins at 1");
  return stream_->Post(sequence, message, deadline);
}

Operation<SendOutcome> SendingEnd::Ask(const Message& message) const {
  return stream_->Ask(message);
}
Status SendingEnd::Flush(Deadline deadline) { return stream_->Flush(deadline); }
Result<StreamEnd> SendingEnd::Close(Deadline deadline) { return stream_->Close(deadline); }
SenderOpened SendingEnd::opened() const { return stream_->opened(); }
SendCounts SendingEnd::counts() const { return stream_->counts(); }
SendStats SendingEnd::stats() const { return stream_->stats(); }
StreamState SendingEnd::state() const { return stream_->state(); }
std::optional<StreamEnd> SendingEnd::end() const { return stream_->end(); }

Result<Sender> Client::OpenSender(SenderOptions options, Deadline deadline) {
  if (Status status = Check(options); !status.ok()) return status;
  const SendingOptions sending = WithProducerId(options);
  v1::SendStreamRequest request;
  v1::SendOpen& open = *request.mutable_open();
  open.set_queue(options.queue);
  if (options.spec) *open.mutable_spec() = ToWire(*options.spec);
  FillOpen(sending, open);
  return OpenHandle<Sender>(
      transport_,
      std::make_shared<SendingStream>(transport_, kMethod, request.SerializeAsString(), sending),
      deadline);
}

}  // namespace abi1
}  // namespace sluice
